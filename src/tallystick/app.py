"""The composition root: the only file that knows everybody. It builds the installation and mounts every door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from tallystick.api.admin import mount_admin
from tallystick.api.application import build_application
from tallystick.api.ingestion import ingesting, mount_ingestion
from tallystick.api.routes import mount
from tallystick.api.v1 import (
    billable_metrics,
    billing_entities,
    customers,
    events,
    organizations,
    plan_charges,
    plan_metadata,
    plans,
    taxes,
    webhook_endpoints,
    webhooks,
)
from tallystick.ground.installation import open_installation
from tallystick.ground.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """The HTTP application with all resources, on the database that the settings name."""
    installation = open_installation(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with ingesting(app, installation):
            yield
        await installation.database.close()

    app = build_application(installation, lifespan)
    mount_admin(app)
    billing_entities.mount_logos(app)
    mount_ingestion(app, "/api/v1")
    mount(app, "/api/v1", events.routes, organizations.routes, billing_entities.routes, taxes.routes, customers.routes)
    mount(app, "/api/v1", billable_metrics.routes, plans.routes, plan_charges.routes, plan_metadata.routes)
    mount(app, "/api/v1", webhook_endpoints.routes, webhooks.routes)
    return app
