"""Correct the lines of a draft by hand: units, price, name (invoicing.md §10). The draft is made again each time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import select

from tallystick.core.adjusting import Adjustment, takes_units
from tallystick.core.aggregate import group_keys
from tallystick.core.contract import ChargeTerms, Contract, FixedChargeTerms, PriceFilter
from tallystick.core.invoice import FeeType, Purpose
from tallystick.core.rating import ChargeModel
from tallystick.flows.billing import drafts
from tallystick.flows.billing.load import load_charges, load_contracts
from tallystick.flows.billing.run import lock_customers
from tallystick.ground.db import Tx
from tallystick.ground.errors import Forbidden, Invalid, NotFound
from tallystick.ground.ids import parse_id
from tallystick.ground.tables import AdjustedFee, Fee, FixedCharge, Invoice, InvoiceSubscription
from tallystick.rooms.invoices import adjustments, verbs
from tallystick.rooms.invoices.adjustments import Line

#: minor units of one line; far above every invoice, and what clients can still count exactly
MOST_CENTS = Decimal(10) ** 15

Fields = Mapping[str, Any]
Terms = TypeVar("Terms", ChargeTerms, FixedChargeTerms)


async def adjust(tx: Tx, invoice: Invoice, at: dt.datetime, fields: Fields) -> tuple[AdjustedFee, Fee]:
    """Correct a line of a draft, or add one that is missing; returns the correction and the line as it is now.

    `fields`: fee_id, or subscription_id with charge_id (and charge_filter_id) or fixed_charge_id; units,
    unit_precise_amount, invoice_display_name. 403 unless a draft; 404 `fee_not_found`, `subscription_not_found`,
    `charge_not_found`, `charge_filter_not_found`, `fixed_charge_not_found`; 422 `adjusted_fee`, `charge`, `units`.
    """
    await _hold(tx, invoice)
    by = adjustment_of(fields)
    if by == Adjustment():
        raise Invalid.field("units", "value_is_mandatory")
    line = await _line(tx, invoice, fields)
    if by.units is not None and by.unit_amount is None:
        await check_model(tx, line)
    row = await adjustments.add(tx, invoice, line, by, at)
    try:
        await drafts.refresh(tx, {invoice.id: at})
    except asyncpg.DataError as error:  # an amount out of all bounds
        raise Invalid.field("units", "value_is_out_of_range") from error
    fee = await adjustments.fee_of(tx, invoice.id, line)
    if fee is None:
        raise NotFound("charge" if line.charge_id else "fixed_charge")
    return row, fee


async def withdraw(tx: Tx, invoice: Invoice, at: dt.datetime, adjustment_id: str) -> AdjustedFee:
    """Take a correction back; 403 unless a draft, 404 `adjusted_fee_not_found`."""
    await _hold(tx, invoice)
    row = await adjustments.find(tx, invoice, adjustment_id)
    await tx.delete(row)
    await tx.flush()
    await drafts.refresh(tx, {invoice.id: at})
    return row


async def _hold(tx: Tx, invoice: Invoice) -> None:
    await lock_customers(tx, [invoice.customer_id])
    locked = await verbs.find(tx, invoice.organization_id, str(invoice.id), lock=True)
    if locked.status != "draft":
        raise Forbidden("feature_unavailable")


def adjustment_of(fields: Fields) -> Adjustment:
    """What a request corrects; 422 `units`, `unit_precise_amount`."""
    units, unit_amount = fields.get("units"), fields.get("unit_precise_amount")
    name = fields.get("invoice_display_name")
    if units is None and unit_amount is not None:
        raise Invalid.field("units", "value_is_mandatory")
    for field, value in (("units", units), ("unit_precise_amount", unit_amount)):
        if value is not None and not 0 <= value < MOST_CENTS:
            raise Invalid.field(field, "value_is_out_of_range")
    if units is not None and unit_amount is not None and units * unit_amount >= MOST_CENTS / 100:
        raise Invalid.field("unit_precise_amount", "value_is_out_of_range")
    return Adjustment(units, unit_amount, name)


# -- which line ---------------------------------------------------------------------------------------


async def _line(tx: Tx, invoice: Invoice, fields: Fields) -> Line:
    if fields.get("fee_id") is not None:
        fee = await verbs.find_fee(tx, invoice.organization_id, fields["fee_id"])
        if fee.invoice_id != invoice.id:
            raise NotFound("fee")
        return adjustments.line_of(fee)
    if fields.get("subscription_id") is None:
        raise NotFound("fee")
    period, contract = await _period(tx, invoice, fields["subscription_id"])
    if fields.get("fixed_charge_id") is not None:
        return _fixed_line(period, contract, fields["fixed_charge_id"])
    return _charge_line(period, contract, fields.get("charge_id"), fields.get("charge_filter_id"))


async def _period(tx: Tx, invoice: Invoice, subscription_id: str) -> tuple[InvoiceSubscription, Contract]:
    known = parse_id(subscription_id)
    statement = select(InvoiceSubscription).where(
        InvoiceSubscription.invoice_id == invoice.id, InvoiceSubscription.subscription_id == known
    )
    row = (await tx.scalars(statement)).first() if known else None
    if row is None:
        raise NotFound("subscription")
    (contract,) = await load_contracts(tx, [row.subscription_id])
    return row, contract


def _fixed_line(period: InvoiceSubscription, contract: Contract, fixed_charge_id: str) -> Line:
    charge = _found(contract.plan.fixed_charges, fixed_charge_id)
    if charge is None:
        raise NotFound("fixed_charge")
    starts_at = period.fixed_in_advance_from_at if charge.pay_in_advance else period.fixed_charges_from_at
    return Line(
        contract.subscription_id,
        FeeType.FIXED_CHARGE.value,
        Purpose.PERIODIC.value,
        fixed_charge_id=charge.id,
        period_from_at=starts_at,
    )


def _charge_line(period: InvoiceSubscription, contract: Contract, charge_id: str | None, filter_id: str | None) -> Line:
    charge, bucket = wanted_charge(contract, charge_id, filter_id)
    return Line(
        contract.subscription_id,
        FeeType.CHARGE.value,
        Purpose.PERIODIC.value,
        charge_id=charge.id,
        filter_id=bucket.id if bucket else None,
        grouped_by=tuple((key, None) for key in sorted(group_keys(charge, bucket))),
        period_from_at=period.charges_from_at,
    )


def wanted_charge(
    contract: Contract, charge_id: str | None, filter_id: str | None
) -> tuple[ChargeTerms, PriceFilter | None]:
    """A charge of the plan and one of its filters, None for the default bucket; 404 for what is not there."""
    charge = _found(contract.plan.charges, charge_id)
    if charge is None:
        raise NotFound("charge")
    bucket = next((one for one in charge.filters if one.id == parse_id(filter_id or "")), None)
    if filter_id is not None and bucket is None:
        raise NotFound("charge_filter")
    return charge, bucket


def _found(charges: Sequence[Terms], charge_id: str | None) -> Terms | None:
    known = parse_id(charge_id or "")
    return next((one for one in charges if one.id == known), None)


async def check_model(tx: Tx, line: Line) -> None:
    """Units alone say nothing of a charge that looks at single events: 422 `charge` (rating.md §19)."""
    fits = True
    if line.charge_id is not None and line.purpose != Purpose.TRUE_UP.value:
        charge = (await load_charges(tx, {line.charge_id}))[line.charge_id]
        fits = takes_units(charge.model, prorated=charge.prorated)
    elif line.fixed_charge_id is not None:
        fixed = await tx.get_one(FixedCharge, line.fixed_charge_id)
        fits = takes_units(ChargeModel(fixed.charge_model), prorated=fixed.prorated)
    if not fits:
        raise Invalid.field("charge", "invalid_charge_model")
