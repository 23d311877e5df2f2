"""Wire JSON of events (api.md §15.17)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from tallystick.ground.tables import Event
from tallystick.ground.wire import dec_or_none, dt3, dt_


class EventJson(msgspec.Struct, gc=False):
    """An event as it is answered. Ingestion resolves no customer and no subscription (metering.md §1.5)."""

    lago_id: uuid.UUID
    transaction_id: str
    code: str
    timestamp: str
    precise_total_amount_cents: str | None
    properties: Any
    external_subscription_id: str
    created_at: str
    lago_customer_id: None = None
    lago_subscription_id: None = None


def event(
    id: uuid.UUID,
    transaction_id: str,
    code: str,
    timestamp: dt.datetime,
    precise_total_amount_cents: Decimal | None,
    properties: Any,
    external_subscription_id: str,
    created_at: dt.datetime,
) -> EventJson:
    """One event; `properties` is a mapping, or `msgspec.Raw` that goes out as it came in."""
    return EventJson(
        id,
        transaction_id,
        code,
        dt3(timestamp),
        dec_or_none(precise_total_amount_cents),
        properties,
        external_subscription_id,
        dt_(created_at),
    )


def events(rows: Sequence[Event]) -> list[EventJson]:
    """Stored events in the order given."""
    return [
        event(
            row.id,
            row.transaction_id,
            row.code,
            row.timestamp,
            row.precise_total_amount_cents,
            row.properties,
            row.external_subscription_id,
            row.created_at,
        )
        for row in rows
    ]
