"""The composition root: the only file that knows everybody. It builds the installation and mounts every door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from tallystick.api.application import build_application
from tallystick.api.routes import mount
from tallystick.api.v1 import taxes
from tallystick.ground.db import Database
from tallystick.ground.installation import Installation
from tallystick.ground.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """The HTTP application with all resources, on the database that the settings name."""
    assert settings.database_url is not None
    installation = Installation(settings, Database(settings.database_url))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await installation.database.close()

    app = build_application(installation, lifespan)
    mount(app, "/api/v1", taxes.routes)
    return app
