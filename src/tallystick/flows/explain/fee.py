"""How a fee came to its amount: its stored trace and taxes, and the events behind it, a page at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import select

from tallystick.core.aggregate import text_value
from tallystick.core.metering import MeterWindow
from tallystick.core.money import ZERO
from tallystick.core.proration import sub_days
from tallystick.core.verdict import Code, JudgedEvent, judge
from tallystick.core.windows import Window
from tallystick.flows.billing.load import load_charges
from tallystick.ground.db import Tx
from tallystick.ground.tables import Event, Fee, FeeTax, Invoice, InvoiceSubscription, Subscription
from tallystick.rooms.metering import judged, store
from tallystick.rooms.metering.judged import Part
from tallystick.rooms.metering.measure import meter

#: purposes of fees that usage of a window made
_OF_WINDOWS = ("periodic", "progressive", "renewal")


@dataclass(frozen=True, slots=True)
class FeeEvent:
    """An event behind a fee, with the units it adds to the fee's bucket and group."""

    event: Event
    code: Code
    value: str | None
    units: Decimal


@dataclass(frozen=True, slots=True)
class FeeExplanation:
    """The whole answer. `units_now` is what the same events and terms give today, None where no window was metered."""

    fee: Fee
    taxes: tuple[FeeTax, ...]
    events: tuple[FeeEvent, ...]
    events_total: int
    units_now: Decimal | None


async def explain_fee(tx: Tx, fee: Fee, *, limit: int, offset: int) -> FeeExplanation:
    """Explain one fee in a constant number of queries; `limit` and `offset` choose a page of its events."""
    taxes = await tx.scalars(select(FeeTax).where(FeeTax.fee_id == fee.id).order_by(FeeTax.created_at, FeeTax.id))
    events: tuple[FeeEvent, ...] = ()
    total, units_now = 0, None
    if fee.event_transaction_id is not None:
        events = await _priced_event(tx, fee)
        total = len(events)
        events = events[offset : offset + limit]
    elif fee.charge_id is not None and fee.purpose in _OF_WINDOWS:
        window = await _window(tx, fee)
        if window is not None:
            part = Part(fee.charge_filter_id, fee.grouped_by)
            total, found = await judged.of_part(tx, window, part, limit=limit, offset=offset)
            events = await _events(tx, window, found)
            units_now = await _units_now(tx, window, part)
    return FeeExplanation(fee, tuple(taxes), events, total, units_now)


async def _window(tx: Tx, fee: Fee) -> MeterWindow | None:
    """What was metered for the fee: its charge as it is today, over the window that its trace names."""
    traced = fee.trace.get("window")
    if not traced or fee.charge_id is None:
        return None
    subscription = await tx.get_one(Subscription, fee.subscription_id)
    charge = (await load_charges(tx, {fee.charge_id}))[fee.charge_id]
    if fee.purpose == "renewal":  # at the full price of what is carried (metering.md §6.6)
        charge = replace(charge, prorated=False)
    window = Window(_instant(traced["from"]), _instant(traced["to"]))
    timezone, full_days = await _period(tx, fee)
    prorated = fee.trace.get("proration") or {}
    return MeterWindow(
        key=0,
        organization_id=fee.organization_id,
        external_subscription_id=subscription.external_id,
        charge=charge,
        start_at=window.start_at,
        end_at=window.end_at,
        timezone=timezone,
        duration_days=prorated.get("full_days") or full_days,
        window_days=prorated.get("days") or sub_days(window, timezone),
    )


async def _period(tx: Tx, fee: Fee) -> tuple[str, int]:
    """Time zone and full days of the period that the fee's invoice bills."""
    statement = select(InvoiceSubscription.timezone, InvoiceSubscription.charges_full_days).where(
        InvoiceSubscription.invoice_id == fee.invoice_id, InvoiceSubscription.subscription_id == fee.subscription_id
    )
    row = (await tx.execute(statement)).first()
    if row is not None:
        return row.timezone, max(row.charges_full_days, 1)
    timezone = await tx.scalar(select(Invoice.timezone).where(Invoice.id == fee.invoice_id))
    return timezone or "UTC", 1


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


async def _units_now(tx: Tx, window: MeterWindow, part: Part) -> Decimal:
    buckets = await meter(tx, [window])
    found = [one for one in buckets if one.filter_id == part.filter_id and one.grouped_by == part.grouped_by]
    return found[0].usage.units if found else ZERO


async def _events(tx: Tx, window: MeterWindow, found: Sequence[JudgedEvent]) -> tuple[FeeEvent, ...]:
    rows = await store.by_places(tx, window.organization_id, [(one.timestamp, one.event_id) for one in found])
    kind = window.charge.metric.aggregation_type
    return tuple(FeeEvent(rows[one.event_id], *_worth(kind, one)) for one in found)


def _worth(aggregation_type: str, one: JudgedEvent) -> tuple[Code, str | None, Decimal]:
    code, units = judge(aggregation_type, one)
    return code, one.value, units


async def _priced_event(tx: Tx, fee: Fee) -> tuple[FeeEvent, ...]:
    """The one event that a fee paid in advance prices."""
    subscription = await tx.get_one(Subscription, fee.subscription_id)
    event = await store.find(tx, fee.organization_id, fee.event_transaction_id or "", subscription.external_id)
    if event is None or fee.charge_id is None:
        return ()
    metric = (await load_charges(tx, {fee.charge_id}))[fee.charge_id].metric
    return (FeeEvent(event, Code.COUNTED, text_value(event.properties, metric.field_name), fee.units),)
