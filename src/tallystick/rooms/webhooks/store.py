"""SQL of webhook endpoints; with `log.py`, `fan_out.py` and `turn.py` the only writer of the webhook tables."""

from __future__ import annotations

import uuid

from sqlalchemy import Select, func, select

from tallystick.ground.db import Tx
from tallystick.ground.tables import WebhookEndpoint


async def by_id(tx: Tx, organization_id: uuid.UUID, endpoint_id: uuid.UUID | None) -> WebhookEndpoint | None:
    """An endpoint of the organization."""
    if endpoint_id is None:
        return None
    endpoint = await tx.get(WebhookEndpoint, endpoint_id)
    return endpoint if endpoint is not None and endpoint.organization_id == organization_id else None


async def by_url(tx: Tx, organization_id: uuid.UUID, url: str) -> WebhookEndpoint | None:
    """The endpoint with exactly this URL."""
    statement = select(WebhookEndpoint).where(
        WebhookEndpoint.organization_id == organization_id, WebhookEndpoint.webhook_url == url
    )
    return (await tx.scalars(statement)).one_or_none()


async def first(tx: Tx, organization_id: uuid.UUID) -> WebhookEndpoint | None:
    """The oldest endpoint."""
    statement = (
        select(WebhookEndpoint)
        .where(WebhookEndpoint.organization_id == organization_id)
        .order_by(WebhookEndpoint.created_at, WebhookEndpoint.id)
        .limit(1)
    )
    return (await tx.scalars(statement)).one_or_none()


async def count(tx: Tx, organization_id: uuid.UUID) -> int:
    """How many endpoints the organization has, disabled ones included."""
    statement = select(func.count()).where(WebhookEndpoint.organization_id == organization_id)
    return await tx.scalar(statement) or 0


def listing(organization_id: uuid.UUID) -> Select[WebhookEndpoint]:
    """All endpoints by URL, newest first among equals (api.md §6)."""
    return (
        select(WebhookEndpoint)
        .where(WebhookEndpoint.organization_id == organization_id)
        .order_by(WebhookEndpoint.webhook_url, WebhookEndpoint.created_at.desc(), WebhookEndpoint.id)
    )
