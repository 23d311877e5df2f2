"""Wire JSON of webhook endpoints (api.md §15.26) and of the delivery log (webhooks.md §1.7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from tallystick.ground.db import Tx
from tallystick.ground.tables import WebhookDelivery, WebhookEndpoint, WebhookMessage
from tallystick.ground.wire import dt_, dt_or_none


def endpoints(rows: Sequence[WebhookEndpoint]) -> list[dict[str, Any]]:
    """Endpoint objects in the order given; the secret is never among the fields."""
    return [_endpoint(row) for row in rows]


def endpoint_with_secret(row: WebhookEndpoint) -> dict[str, Any]:
    """The object after creation or rotation: the only answers that show the Standard Webhooks secret."""
    return {**_endpoint(row), "secret": row.secret}


def _endpoint(row: WebhookEndpoint) -> dict[str, Any]:
    return {
        "lago_id": row.id,
        "lago_organization_id": row.organization_id,
        "webhook_url": row.webhook_url,
        "signature_algo": row.signature_algo,
        "name": row.name,
        "event_types": row.event_types,
        "disabled_at": dt_or_none(row.disabled_at),
        "created_at": dt_(row.created_at),
    }


async def deliveries(tx: Tx, rows: Sequence[WebhookDelivery]) -> list[dict[str, Any]]:
    """Log records in the order given, with the frozen payload as it was sent."""
    ids = {row.message_id for row in rows}
    found = await tx.scalars(select(WebhookMessage).where(WebhookMessage.id.in_(ids)))
    messages = {message.id: message for message in found}
    return [_delivery(row, messages[row.message_id]) for row in rows]


def _delivery(row: WebhookDelivery, message: WebhookMessage) -> dict[str, Any]:
    return {
        "lago_id": row.id,
        "lago_organization_id": row.organization_id,
        "lago_webhook_endpoint_id": row.endpoint_id,
        "webhook_type": row.webhook_type,
        "object_type": message.object_type,
        "object_id": message.object_id,
        "endpoint": row.endpoint_url,
        "status": row.status,
        "retries": row.retries,
        "http_status": row.http_status,
        "payload": msgspec.Raw(message.payload),
        "response": row.response,
        "last_retried_at": dt_or_none(row.last_retried_at),
        "next_attempt_at": dt_or_none(row.next_attempt_at),
        "created_at": dt_(row.created_at),
        "updated_at": dt_(row.updated_at),
    }
