"""The composition root: the only file that knows everybody. It builds the installation and mounts every door.

What starts and ends the processes that run all this is the command line (cli/processes).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from fastapi import FastAPI
from starlette.types import ASGIApp

from tallystick.api.access_log import AccessLog
from tallystick.api.admin import mount_admin
from tallystick.api.application import build_application
from tallystick.api.files import mount_files
from tallystick.api.ingestion import ingesting, mount_ingestion
from tallystick.api.metrics import mount_metrics
from tallystick.api.routes import mount
from tallystick.api.short_path import ShortPath
from tallystick.api.v1 import (
    add_ons,
    adjusted_fees,
    agenda,
    alerts,
    applied_coupons,
    billable_metrics,
    billing_entities,
    coupons,
    credit_note_metadata,
    credit_notes,
    customer_usage,
    customers,
    estimates,
    events,
    explain,
    fees,
    invoice_actions,
    invoice_custom_sections,
    invoice_previews,
    invoices,
    lifetime_usages,
    one_off_invoices,
    organizations,
    payment_requests,
    payments,
    plan_charges,
    plan_fixed_charges,
    plan_metadata,
    plans,
    pricing_units,
    subscription_charges,
    subscription_fixed_charges,
    subscriptions,
    taxes,
    test_clock,
    usage_reports,
    wallet_metadata,
    wallet_transactions,
    wallets,
    webhook_endpoints,
    webhooks,
)
from tallystick.flows.clockwork.outlets import ProcessOutlets
from tallystick.flows.documents import annex, generate
from tallystick.flows.documents.kinds import KINDS
from tallystick.flows.documents.press import Press
from tallystick.flows.lifecycle import vat_checks
from tallystick.flows.mails import jobs as mail_jobs
from tallystick.flows.mails.send import PostOffice
from tallystick.flows.wire.messages import renderer_at
from tallystick.ground.installation import Installation, open_installation
from tallystick.ground.settings import Settings
from tallystick.ground.storage import Storage
from tallystick.providers import einvoice, pdf
from tallystick.providers.email import letters
from tallystick.providers.storage.files import Files
from tallystick.providers.vies import Vies
from tallystick.rooms.mails.ports import Post
from tallystick.rooms.webhooks.deliver import Dispatcher


def assemble(settings: Settings, *, pool_size: int = 10) -> Installation:
    """An installation with everything from outside plugged in, on the migrated database that the settings name."""
    storage = _storage(settings)
    installation = open_installation(settings, storage, pool_size=pool_size)
    press = Press(
        database=installation.database,
        storage=storage,
        documents=None if settings.disable_pdf_generation else pdf,
        einvoices=einvoice,
        public_api_url=settings.public_api_url,
        threads=ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="documents"),
    )
    for kind in KINDS.values():
        installation.jobs.add(kind.task, partial(generate.run, press, kind))
    installation.jobs.add(annex.TASK, partial(annex.run, press))
    installation.jobs.add(mail_jobs.TASK, PostOffice(press, letters, _post(settings)).run)
    inquiry = vat_checks.Inquiry(installation.database, Vies(settings.vies_api_base.rstrip("/")))
    installation.jobs.add(vat_checks.TASK, inquiry.run)
    outlets = ProcessOutlets(installation.jobs, Dispatcher(installation, renderer_at(settings.public_api_url)))
    return replace(installation, outlets=outlets)


def _storage(settings: Settings) -> Storage:
    """Where the settings keep documents."""
    if settings.s3_bucket is None:
        return Files(settings.data_dir / "documents")
    from tallystick.providers.storage.s3 import open_bucket  # most installations have none

    return open_bucket(
        settings.s3_bucket,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=settings.s3_secret_access_key,
        prefix=settings.s3_prefix,
        link_seconds=settings.s3_link_seconds,
    )


def _post(settings: Settings) -> Post | None:
    """The mail server that the settings name."""
    if settings.smtp_host is None:
        return None
    from tallystick.providers.email.smtp import SmtpPost  # most installations of one machine send none

    return SmtpPost(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=settings.smtp_password,
        address=settings.email_from,
    )


def create_app(settings: Settings) -> ASGIApp:
    """The HTTP application with all resources, on the database that the settings name."""
    installation = assemble(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with ingesting(app, installation):
            yield
        await installation.close()

    app = build_application(installation, lifespan)
    metrics = mount_metrics(app)
    app.add_middleware(AccessLog, observe=metrics.observe)
    mount_admin(app)
    billing_entities.mount_logos(app)
    mount_files(app)
    busy = mount_ingestion(app, "/api/v1")
    mount(app, "/api/v1", estimates.routes)
    mount(app, "/api/v1", events.routes, organizations.routes, billing_entities.routes, taxes.routes, customers.routes)
    mount(app, "/api/v1", billable_metrics.routes, plans.routes, plan_charges.routes, plan_metadata.routes)
    mount(app, "/api/v1", plan_fixed_charges.routes, subscription_fixed_charges.routes)
    mount(app, "/api/v1", subscriptions.routes, subscription_charges.routes, customer_usage.routes, explain.routes)
    mount(app, "/api/v1", test_clock.routes, pricing_units.routes)
    mount(app, "/api/v1", lifetime_usages.routes, alerts.routes, usage_reports.routes, agenda.routes)
    mount(app, "/api/v1", add_ons.routes, invoices.routes, fees.routes)
    mount(app, "/api/v1", invoice_custom_sections.routes)
    mount(
        app, "/api/v1", one_off_invoices.routes, invoice_actions.routes, invoice_previews.routes, adjusted_fees.routes
    )
    mount(app, "/api/v1", coupons.routes, applied_coupons.routes)
    mount(app, "/api/v1", wallets.routes, wallet_metadata.routes, wallet_transactions.routes)
    mount(app, "/api/v1", credit_notes.routes, credit_note_metadata.routes)
    mount(app, "/api/v1", payments.routes, payment_requests.routes)
    mount(app, "/api/v1", webhook_endpoints.routes, webhooks.routes)
    return ShortPath(app, busy, metrics.observe)


async def run_worker(settings: Settings, stop: asyncio.Event) -> None:
    """The worker process until `stop`: what falls due, webhooks, jobs."""
    from tallystick import worker  # the HTTP server needs none of it

    installation = assemble(settings)
    try:
        await worker.run(installation, renderer_at(settings.public_api_url), stop)
    finally:
        await installation.close()
