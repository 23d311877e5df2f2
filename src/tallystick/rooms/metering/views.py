"""Wire JSON of events (api.md §15.17)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tallystick.ground.tables import Event
from tallystick.ground.wire import dec_or_none, dt3, dt_
from tallystick.rooms.metering.store import EventRow


class EventJson(msgspec.Struct, gc=False):
    """An event as it is answered. Ingestion resolves no customer and no subscription (metering.md §1.5)."""

    lago_id: uuid.UUID
    transaction_id: str
    lago_customer_id: None
    code: str
    timestamp: str
    precise_total_amount_cents: str | None
    #: a mapping, or JSON that goes out as it came in
    properties: Mapping[str, Any] | msgspec.Raw
    lago_subscription_id: None
    external_subscription_id: str
    created_at: str


def events(rows: Sequence[Event]) -> list[EventJson]:
    """Stored events in the order given."""
    return [_event(row, row.properties, dt_(row.created_at)) for row in rows]


def accepted(rows: Sequence[EventRow]) -> list[EventJson]:
    """The events of one request as they are being stored."""
    created_at = dt_(rows[0].created_at)
    return [_event(row, msgspec.Raw(row.properties.encode()), created_at) for row in rows]


def _event(row: Event | EventRow, properties: Mapping[str, Any] | msgspec.Raw, created_at: str) -> EventJson:
    return EventJson(
        row.id,
        row.transaction_id,
        None,
        row.code,
        dt3(row.timestamp),
        dec_or_none(row.precise_total_amount_cents),
        properties,
        None,
        row.external_subscription_id,
        created_at,
    )
