"""Wire JSON of fees in the field order of webhooks.md §4.3, always for sets.

What a fee is for is named in fee_items.py.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from tallystick.core.invoice import net_of_coupons_cents
from tallystick.core.money import EXACT, ZERO, from_cents
from tallystick.ground.db import Tx
from tallystick.ground.tables import Fee, FeeTax
from tallystick.ground.wire import dec, dec_or_none, dt_, dt_or_none, dto, last_second, num
from tallystick.rooms.invoices.fee_items import Named, item, names_of, without_nulls

#: fee types that show the period they cover (api.md §15.20)
DATED = frozenset({"charge", "subscription", "add_on", "fixed_charge"})


async def unstored(tx: Tx, rows: Sequence[Fee], plans: Mapping[uuid.UUID, uuid.UUID]) -> list[dict[str, Any]]:
    """Fee objects of an invoice that is not stored; `plans`: subscription -> plan, for those that are not either."""
    names = await names_of(tx, rows, plans)
    true_ups = {row.true_up_parent_fee_id: row.id for row in rows if row.true_up_parent_fee_id is not None}
    return [_fee(row, names[row.id], true_ups.get(row.id), webhook=False) for row in rows]


async def fees(tx: Tx, rows: Sequence[Fee], *, with_taxes: bool = False, webhook: bool = False) -> list[dict[str, Any]]:
    """Fee objects in the order given. `with_taxes` adds `applied_taxes`; REST shows no nulls in maps (R3)."""
    names = await names_of(tx, rows)
    true_ups = await _true_ups(tx, rows)
    bodies = [_fee(row, names[row.id], true_ups.get(row.id), webhook) for row in rows]
    if with_taxes:
        taxes = await _applied_taxes(tx, [row.id for row in rows])
        for row, body in zip(rows, bodies, strict=True):
            body["applied_taxes"] = taxes.get(row.id, [])
    return bodies


async def _true_ups(tx: Tx, rows: Sequence[Fee]) -> dict[uuid.UUID, uuid.UUID]:
    """fee -> the true-up that fills its charge's minimum; both are always on one invoice (rating.md §13)."""
    invoice_ids = {row.invoice_id for row in rows if row.invoice_id is not None}
    statement = select(Fee.true_up_parent_fee_id, Fee.id).where(
        Fee.invoice_id.in_(invoice_ids), Fee.true_up_parent_fee_id.is_not(None), Fee.deleted_at.is_(None)
    )
    return {parent_id: fee_id for parent_id, fee_id in await tx.execute(statement) if parent_id is not None}


def _fee(row: Fee, named: Named, true_up_id: uuid.UUID | None, webhook: bool) -> dict[str, Any]:
    total_precise_cents = row.precise_amount_cents + row.taxes_precise_amount_cents
    body = {
        "lago_id": row.id,
        "lago_charge_id": row.charge_id,
        "lago_charge_filter_id": row.charge_filter_id,
        "lago_fixed_charge_id": row.fixed_charge_id,
        "lago_invoice_id": row.invoice_id,
        "lago_true_up_fee_id": true_up_id,
        "lago_true_up_parent_fee_id": row.true_up_parent_fee_id,
        "lago_original_fee_id": row.original_fee_id,
        "lago_subscription_id": row.subscription_id,
        "external_subscription_id": named.external_subscription_id,
        "lago_customer_id": named.customer_id,
        "external_customer_id": named.external_customer_id,
        "item": item(row, named, webhook=webhook),
        "pay_in_advance": row.pay_in_advance,
        "invoiceable": named.invoiceable is not False,
        "amount_cents": row.amount_cents,
        "amount_currency": row.currency,
        "precise_amount": dec(from_cents(row.precise_amount_cents, row.currency)),
        "precise_total_amount": dec(from_cents(total_precise_cents, row.currency)),
        "taxes_amount_cents": row.taxes_amount_cents,
        "taxes_precise_amount": dec(from_cents(row.taxes_precise_amount_cents, row.currency)),
        "taxes_rate": num(row.taxes_rate),
        "total_aggregated_units": dec_or_none(row.total_aggregated_units),
        "total_amount_cents": row.amount_cents + row.taxes_amount_cents,
        "total_amount_currency": row.currency,
        "units": dec(row.units),
        "description": row.description,
        "precise_unit_amount": dec(row.precise_unit_amount),
        "precise_coupons_amount_cents": dec(row.precise_coupons_amount_cents),
        "sub_total_excluding_taxes_amount_cents": net_of_coupons_cents(
            row.amount_cents, row.precise_coupons_amount_cents
        ),
        "sub_total_excluding_taxes_precise_amount_cents": dec(
            row.precise_amount_cents - row.precise_coupons_amount_cents
        ),
        "events_count": row.events_count,
        "payment_status": row.payment_status,
        "created_at": dt_(row.created_at),
        "succeeded_at": dt_or_none(row.succeeded_at),
        "failed_at": dt_or_none(row.failed_at),
        "refunded_at": dt_or_none(row.refunded_at),
        "amount_details": row.amount_details,
        "self_billed": bool(named.self_billed),
        "pricing_unit_details": _in_units(row),
        "presentation_breakdowns": _breakdowns(row, webhook),
    }
    return {**body, **_period(row), **_event(row)}


_IN_UNITS = (
    *("lago_pricing_unit_id", "pricing_unit_code", "short_name", "amount_cents", "precise_amount_cents"),
    *("unit_amount_cents", "precise_unit_amount", "conversion_rate"),
)


def _in_units(row: Fee) -> dict[str, Any] | None:
    details = row.pricing_unit_details
    return None if details is None else {name: details[name] for name in _IN_UNITS}


def _breakdowns(row: Fee, webhook: bool) -> list[dict[str, Any]]:
    """The displayed keys only; rows that agree on them are added up (metering.md §4.4)."""
    units: dict[tuple[tuple[str, str | None], ...], Decimal] = {}
    for part in row.presentation_breakdowns:
        values: dict[str, str | None] = part["presentation_by"]
        shown = tuple((key, values[key]) for key in part["displayed"] if key in values)
        if shown:
            units[shown] = EXACT.add(units.get(shown, ZERO), Decimal(part["units"]))
    return [
        {"presentation_by": dict(values) if webhook else without_nulls(dict(values)), "units": dec(amount)}
        for values, amount in units.items()
    ]


def _period(row: Fee) -> dict[str, str | None]:
    if row.fee_type not in DATED:
        return {}
    from_at, to_at = row.period_from_at, row.period_to_at
    return {
        "from_date": dto(from_at) if from_at is not None else None,
        "to_date": dto(last_second(to_at)) if to_at is not None else None,
    }


def _event(row: Fee) -> dict[str, str | None]:
    priced_event = row.fee_type == "charge" and row.pay_in_advance
    return {"event_transaction_id": row.event_transaction_id} if priced_event else {}


async def _applied_taxes(tx: Tx, fee_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    statement = select(FeeTax).where(FeeTax.fee_id.in_(fee_ids)).order_by(FeeTax.created_at, FeeTax.id)
    found: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for row in await tx.scalars(statement):
        found.setdefault(row.fee_id, []).append(_tax(row))
    return found


def _tax(row: FeeTax) -> dict[str, Any]:
    return {
        "lago_id": row.id,
        "lago_fee_id": row.fee_id,
        "lago_tax_id": row.tax_id,
        "tax_name": row.tax_name,
        "tax_code": row.tax_code,
        "tax_rate": num(row.tax_rate),
        "tax_description": row.tax_description,
        "amount_cents": row.amount_cents,
        "amount_currency": row.currency,
        "created_at": dt_(row.created_at),
    }
