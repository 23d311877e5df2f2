"""The delivery log: queries, manual retry, replay and retention (webhooks.md §1.6 to §1.8).

Not for attempts: a retry or replay only makes deliveries due, the dispatcher does the rest.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, Text, and_, cast, func, or_, select, text, update

from tallystick.ground.db import Tx, load_query
from tallystick.ground.errors import NotAllowed, NotFound
from tallystick.ground.ids import parse_id
from tallystick.ground.outbox import CHANNEL
from tallystick.ground.tables import WebhookDelivery, WebhookEndpoint, WebhookMessage
from tallystick.rooms.webhooks import catalogue

#: how long records are kept (webhooks.md §1.7)
RETENTION = dt.timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a log query asks for; empty and None mean no filter. `http_statuses`: `404`, `4xx`, `200-204`, `timeout`."""

    statuses: Sequence[str] = ()
    webhook_types: Sequence[str] = ()
    http_statuses: Sequence[str] = ()
    updated_from: dt.datetime | None = None
    updated_to: dt.datetime | None = None
    search_term: str | None = None


def listing(endpoint_id: uuid.UUID, filters: Filters) -> Select[WebhookDelivery]:
    """Deliveries of an endpoint, the last changed first (webhooks.md §1.7)."""
    statement = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    if filters.statuses:
        statement = statement.where(WebhookDelivery.status.in_(filters.statuses))
    if filters.webhook_types:
        names = [catalogue.canonical(name.strip().lower()) for name in filters.webhook_types]
        statement = statement.where(WebhookDelivery.webhook_type.in_(names))
    asked = [condition for given in filters.http_statuses if (condition := _http_status(given)) is not None]
    if asked:
        statement = statement.where(or_(*asked))
    if filters.updated_from is not None:
        statement = statement.where(WebhookDelivery.updated_at >= filters.updated_from)
    if filters.updated_to is not None:
        statement = statement.where(WebhookDelivery.updated_at <= filters.updated_to)
    if filters.search_term:
        statement = statement.where(_mentions(filters.search_term))
    return statement.order_by(
        WebhookDelivery.updated_at.desc(), WebhookDelivery.created_at.desc(), WebhookDelivery.position.desc()
    )


def _http_status(given: str) -> ColumnElement[bool] | None:
    """One condition; None for text that is none of the four forms."""
    column = WebhookDelivery.http_status
    if given == "timeout":
        return and_(column.is_(None), WebhookDelivery.status == "failed")
    if re.fullmatch(r"\d{3}", given):
        return column == int(given)
    if re.fullmatch(r"\dxx", given):
        return column.between(int(given[0]) * 100, int(given[0]) * 100 + 99)
    if re.fullmatch(r"\d{3}-\d{3}", given):
        return column.between(int(given[:3]), int(given[4:]))
    return None


def _mentions(term: str) -> ColumnElement[bool]:
    subject = select(WebhookMessage.object_id).where(WebhookMessage.id == WebhookDelivery.message_id).scalar_subquery()
    term = term.strip().lower()
    return or_(
        cast(WebhookDelivery.id, Text).contains(term, autoescape=True),
        cast(subject, Text).contains(term, autoescape=True),
    )


async def retry(tx: Tx, organization_id: uuid.UUID, lago_id: str, at: dt.datetime | None) -> WebhookDelivery:
    """Make one delivery due now, whatever its schedule says (webhooks.md §1.8).

    `at` is the clock of a sandbox organization, None for a live one. 404 `webhook_not_found`; 405 `is_succeeded`, or
    `webhook_endpoint_disabled` while nothing is sent there.
    """
    delivery_id = parse_id(lago_id)
    delivery = await tx.get(WebhookDelivery, delivery_id, with_for_update=True) if delivery_id else None
    if delivery is None or delivery.organization_id != organization_id:
        raise NotFound("webhook")
    if delivery.status == "succeeded":
        raise NotAllowed("is_succeeded")
    endpoint = await tx.get(WebhookEndpoint, delivery.endpoint_id)
    if endpoint is not None:
        _refuse_disabled(endpoint)
    await _make_due(tx, [WebhookDelivery.id == delivery.id], at)
    await tx.refresh(delivery)
    return delivery


async def replay_failed(tx: Tx, endpoint: WebhookEndpoint, since: dt.datetime, at: dt.datetime | None) -> int:
    """Make due what ended `failed` at or after `since`; how many deliveries that are. 405 for a disabled endpoint."""
    _refuse_disabled(endpoint)
    conditions = [
        WebhookDelivery.endpoint_id == endpoint.id,
        WebhookDelivery.status == "failed",
        WebhookDelivery.updated_at >= since,
    ]
    return await _make_due(tx, conditions, at)


async def replay_range(
    tx: Tx, endpoint: WebhookEndpoint, start_at: dt.datetime, end_at: dt.datetime, at: dt.datetime | None
) -> int:
    """Make due every message of [start, end), delivered or not: for a receiver that lost what it had."""
    _refuse_disabled(endpoint)
    conditions = [
        WebhookDelivery.endpoint_id == endpoint.id,
        WebhookDelivery.created_at >= start_at,
        WebhookDelivery.created_at < end_at,
    ]
    return await _make_due(tx, conditions, at)


async def _make_due(tx: Tx, conditions: Sequence[ColumnElement[bool]], at: dt.datetime | None) -> int:
    now = func.now() if at is None else at
    due = update(WebhookDelivery).where(*conditions).values(next_attempt_at=now)
    made = await tx.execute(due.execution_options(synchronize_session=False))
    await tx.execute(text(f"select pg_notify('{CHANNEL}', '')"))
    return int(made.rowcount)  # type: ignore[attr-defined]


def _refuse_disabled(endpoint: WebhookEndpoint) -> None:
    if endpoint.disabled_at is not None:
        raise NotAllowed("webhook_endpoint_disabled")


async def delete_old(tx: Tx, now: dt.datetime) -> int:
    """Remove records that have not changed for `RETENTION`, and messages nobody needs any more; how many records.

    `now` is the machine's: a sandbox organization ages on its own clock (webhooks.md §1.7).
    """
    await tx.flush()
    values = {"now": now, "age": RETENTION}
    deleted = await tx.execute(_DELETE_DELIVERIES, values)
    await tx.execute(_DELETE_MESSAGES, values)
    return int(deleted.rowcount)  # type: ignore[attr-defined]


_DELETE_DELIVERIES = load_query(__file__, "delete_deliveries")
_DELETE_MESSAGES = load_query(__file__, "delete_messages")
