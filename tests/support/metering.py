"""Builders of what metering reads: metrics, charges, windows, events. Defaults: a sum over June 2026 in UTC."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tallystick.core.aggregate import Event, meter
from tallystick.core.contract import ChargeTerms, Metric, PriceFilter
from tallystick.core.metering import MeterWindow
from tallystick.core.periods import local_midnight
from tallystick.core.proration import sub_days
from tallystick.core.rating import ChargeModel, Usage
from tallystick.core.windows import Window
from tallystick.ground import json
from tallystick.ground.db import Tx, raw_connection
from tallystick.ground.tables import Subscription
from tallystick.rooms.metering.store import EventRow, insert

FIELD = "value"


def metric(kind: str = "sum", **more: Any) -> Metric:
    """A metric; `kind` without `_agg`."""
    fields: dict[str, Any] = {
        "id": uuid.uuid4(),
        "code": "metric",
        "name": "Metric",
        "aggregation_type": f"{kind}_agg",
        "field_name": None if kind == "count" else FIELD,
        "recurring": False,
        "rounding_function": None,
        "rounding_precision": None,
        "filters": {},
    }
    return Metric(**{**fields, **more})


def price_filter(values: Mapping[str, Sequence[str]], *groups: str) -> PriceFilter:
    """A charge filter with its own pricing group keys."""
    lists = {key: tuple(accepted) for key, accepted in values.items()}
    properties = {"pricing_group_keys": list(groups)} if groups else {}
    return PriceFilter(uuid.uuid4(), lists, lists, properties, None)


def charge(of: Metric | None = None, **more: Any) -> ChargeTerms:
    """A standard charge."""
    fields: dict[str, Any] = {
        "id": uuid.uuid4(),
        "code": "charge",
        "metric": of or metric(),
        "model": ChargeModel.STANDARD,
        "properties": {},
        "filters": (),
        "pay_in_advance": False,
        "prorated": False,
        "invoiceable": True,
        "min_amount_cents": 0,
        "invoice_display_name": None,
        "accepts_target_wallet": False,
        "taxes": (),
    }
    return ChargeTerms(**{**fields, **more})


def window(of: ChargeTerms | None = None, **more: Any) -> MeterWindow:
    """A window; its days are counted unless given."""
    fields: dict[str, Any] = {
        "key": 0,
        "organization_id": uuid.uuid4(),
        "external_subscription_id": "sub",
        "charge": of or charge(),
        "start_at": at("2026-06-01"),
        "end_at": at("2026-07-01"),
        "timezone": "UTC",
        "duration_days": 30,
        "window_days": 0,
        **more,
    }
    made = MeterWindow(**fields)
    days = sub_days(Window(made.start_at, made.end_at), made.timezone)
    return made if "window_days" in more else replace(made, window_days=days)


def month(on: str, of: ChargeTerms, tz: str = "UTC", **more: Any) -> MeterWindow:
    """The window of a whole calendar month, `on` its first day."""
    first = dt.date.fromisoformat(on)
    after = (first + dt.timedelta(days=31)).replace(day=1)
    bounds = {"start_at": local_midnight(first, tz), "end_at": local_midnight(after, tz)}
    return window(of, timezone=tz, duration_days=(after - first).days, **{**bounds, **more})


def at(text: str) -> dt.datetime:
    """An instant, in UTC unless the text says otherwise."""
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def events(*rows: tuple[str, Any]) -> list[Event]:
    """Events in order of reception: (instant, value) or (instant, properties)."""
    return [
        Event(at(moment), at("2026-01-01"), place, value if isinstance(value, dict) else {FIELD: value})
        for place, (moment, value) in enumerate(rows)
    ]


def usage_of(of: MeterWindow, *rows: tuple[str, Any], first_started_at: dt.datetime | None = None) -> Usage:
    """The usage that the oracle finds, of a charge with one bucket and group."""
    (found,) = meter(of, events(*rows), first_started_at)
    return found.usage


async def store_events(tx: Tx, of: MeterWindow, given: Iterable[Event], **more: Any) -> None:
    """Store events where the window finds them; `more` replaces columns."""
    await store_rows(tx, event_rows(of, given, **more))


async def store_rows(tx: Tx, rows: Sequence[EventRow]) -> None:
    """Store rows that are all new."""
    if rows:
        assert await insert(await raw_connection(tx), rows) == []


def event_rows(of: MeterWindow, given: Iterable[Event], **more: Any) -> list[EventRow]:
    """The rows of events that the window finds; `more` replaces columns."""
    return [
        EventRow(
            organization_id=of.organization_id,
            id=uuid.UUID(int=event.id),
            transaction_id=f"{event.id}-{more}",
            external_subscription_id=of.external_subscription_id,
            code=of.charge.metric.code,
            timestamp=event.timestamp,
            properties=json.dump_text(event.properties),
            precise_total_amount_cents=event.precise_total_amount_cents,
            created_at=event.created_at,
        )._replace(**more)
        for event in given
    ]


def dec(text: str | int) -> Decimal:
    """A Decimal."""
    return Decimal(text)


def subscription_row(of: MeterWindow, started_at: dt.datetime) -> Subscription:
    """An active row of the window's subscription, of a customer and a plan that are not there."""
    unknown = uuid.UUID(int=0)
    return Subscription(
        id=uuid.uuid4(),
        organization_id=of.organization_id,
        customer_id=unknown,
        plan_id=unknown,
        external_id=of.external_subscription_id,
        status="active",
        billing_time="calendar",
        subscription_at=started_at,
        started_at=started_at,
        created_at=started_at,
        updated_at=started_at,
    )
