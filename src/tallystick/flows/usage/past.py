"""Past usage: what invoices say about the periods of a subscription, from their stored lines (metering.md §7.2)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, select

from tallystick.core.windows import Window
from tallystick.flows.usage.lines import ChargeLines, LineUnit, ShownCharge, ShownFilter, UsageLine
from tallystick.ground.db import Tx
from tallystick.ground.tables import (
    BillableMetric,
    Charge,
    ChargeFilter,
    Fee,
    Invoice,
    InvoiceSubscription,
    Subscription,
)
from tallystick.rooms.invoices.store import VISIBLE

Key = tuple[uuid.UUID, uuid.UUID]


@dataclass(frozen=True, slots=True)
class PastUsage:
    """A subscription's usage period on one invoice; the amounts are those of all its usage there."""

    invoice_id: uuid.UUID
    issuing_on: dt.date
    currency: str
    amount_cents: int
    taxes_amount_cents: int
    window: Window
    charges: tuple[ChargeLines, ...]


def listing(customer_id: uuid.UUID, external_subscription_id: str) -> Select[InvoiceSubscription]:
    """Usage periods of a chain on invoices that callers see, the newest first."""
    return (
        select(InvoiceSubscription)
        .join(Subscription, Subscription.id == InvoiceSubscription.subscription_id)
        .join(Invoice, Invoice.id == InvoiceSubscription.invoice_id)
        .where(
            Subscription.customer_id == customer_id,
            Subscription.external_id == external_subscription_id,
            InvoiceSubscription.charges_from_at.is_not(None),
            Invoice.status.in_(VISIBLE),
        )
        .order_by(InvoiceSubscription.charges_from_at.desc(), InvoiceSubscription.id.desc())
    )


async def past_usage(
    tx: Tx, periods: Sequence[InvoiceSubscription], metric_id: uuid.UUID | None = None
) -> list[PastUsage]:
    """The periods with their lines, of one metric if given; a constant number of queries."""
    invoices = await _invoices(tx, periods)
    fees = await _fees(tx, periods)
    charges = await _charges(tx, {fee.charge_id for found in fees.values() for fee in found if fee.charge_id})
    wanted = {key: charge for key, charge in charges.items() if metric_id in (None, charge.metric_id)}
    return [
        _past(period, invoices[period.invoice_id], fees.get((period.invoice_id, period.subscription_id), []), wanted)
        for period in periods
    ]


def _past(
    period: InvoiceSubscription, invoice: Invoice, fees: Sequence[Fee], charges: Mapping[uuid.UUID, ShownCharge]
) -> PastUsage:
    lines: dict[uuid.UUID, list[UsageLine]] = {}
    for fee in fees:
        if fee.charge_id is not None and fee.charge_id in charges:
            lines.setdefault(fee.charge_id, []).append(_line(fee))
    shown = sorted((charges[charge_id] for charge_id in lines), key=lambda charge: charge.metric_name.lower())
    assert period.charges_from_at is not None
    assert period.charges_to_at is not None
    return PastUsage(
        invoice_id=invoice.id,
        issuing_on=invoice.issuing_date,
        currency=invoice.currency,
        amount_cents=sum(fee.amount_cents for fee in fees),
        taxes_amount_cents=sum(fee.taxes_amount_cents for fee in fees),
        window=Window(period.charges_from_at, period.charges_to_at),
        charges=tuple(ChargeLines(charge, tuple(lines[charge.id])) for charge in shown),
    )


def _line(fee: Fee) -> UsageLine:
    return UsageLine(
        filter_id=fee.charge_filter_id,
        grouped_by=fee.grouped_by,
        units=fee.units,
        total_aggregated_units=fee.units if fee.total_aggregated_units is None else fee.total_aggregated_units,
        events_count=fee.events_count or 0,
        amount_cents=fee.amount_cents,
        parts=tuple((part["presentation_by"], Decimal(part["units"])) for part in fee.presentation_breakdowns),
        in_units=_in_units(fee.pricing_unit_details),
    )


def _in_units(details: Mapping[str, Any] | None) -> LineUnit | None:
    if details is None:
        return None
    return LineUnit(details["short_name"], Decimal(details["conversion_rate"]), details["amount_cents"])


async def _invoices(tx: Tx, periods: Sequence[InvoiceSubscription]) -> dict[uuid.UUID, Invoice]:
    ids = {period.invoice_id for period in periods}
    return {row.id: row for row in await tx.scalars(select(Invoice).where(Invoice.id.in_(ids)))}


async def _fees(tx: Tx, periods: Sequence[InvoiceSubscription]) -> dict[Key, list[Fee]]:
    statement = (
        select(Fee)
        .where(
            Fee.invoice_id.in_({period.invoice_id for period in periods}),
            Fee.fee_type == "charge",
            Fee.deleted_at.is_(None),
        )
        .order_by(Fee.created_at, Fee.id)
    )
    found: dict[Key, list[Fee]] = {}
    for fee in await tx.scalars(statement):
        if fee.invoice_id is not None and fee.subscription_id is not None:
            found.setdefault((fee.invoice_id, fee.subscription_id), []).append(fee)
    return found


async def _charges(tx: Tx, ids: set[uuid.UUID]) -> dict[uuid.UUID, ShownCharge]:
    """Charges by id with their filters, deleted ones too: invoices go on showing them."""
    filters: dict[uuid.UUID, list[ShownFilter]] = {}
    order = (ChargeFilter.created_at, ChargeFilter.position, ChargeFilter.id)
    for row in await tx.scalars(select(ChargeFilter).where(ChargeFilter.charge_id.in_(ids)).order_by(*order)):
        values = {key: tuple(texts) for key, texts in row.values.items()}
        filters.setdefault(row.charge_id, []).append(ShownFilter(row.id, row.invoice_display_name, values))
    statement = (
        select(Charge, BillableMetric)
        .join(BillableMetric, BillableMetric.id == Charge.billable_metric_id)
        .where(Charge.id.in_(ids))
    )
    return {
        charge.id: ShownCharge(
            id=charge.id,
            code=charge.code,
            model=charge.charge_model,
            invoice_display_name=charge.invoice_display_name,
            metric_id=metric.id,
            metric_code=metric.code,
            metric_name=metric.name,
            aggregation_type=metric.aggregation_type,
            filters=tuple(filters.get(charge.id, ())),
        )
        for charge, metric in await tx.execute(statement)
    }
