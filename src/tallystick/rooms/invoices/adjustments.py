"""Corrections of the lines of drafts: kept, found again when a draft is made anew, removed (invoicing.md §10)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from tallystick.core.adjusting import Adjustment
from tallystick.core.invoice import FeeDraft
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound
from tallystick.ground.ids import new_id, parse_id
from tallystick.ground.tables import AdjustedFee, Fee, Invoice
from tallystick.ground.wire import dec_or_none, dt_

Group = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """What a line is for: it names the line whenever its invoice is made again."""

    subscription_id: uuid.UUID | None
    fee_type: str
    purpose: str
    charge_id: uuid.UUID | None = None
    filter_id: uuid.UUID | None = None
    fixed_charge_id: uuid.UUID | None = None
    grouped_by: Group = ()
    period_from_at: dt.datetime | None = None


def line_of(fee: Fee | AdjustedFee) -> Line:
    """The line that a stored fee, or a correction of one, is."""
    return Line(
        fee.subscription_id,
        fee.fee_type,
        fee.purpose,
        fee.charge_id,
        fee.charge_filter_id,
        fee.fixed_charge_id,
        _group(fee.grouped_by),
        fee.period_from_at,
    )


def line_of_draft(fee: FeeDraft) -> Line:
    """The line that a fee in the making will be."""
    return Line(
        fee.subscription_id,
        fee.fee_type.value,
        fee.purpose.value,
        fee.charge_id,
        fee.filter_id,
        fee.fixed_charge_id,
        _group(fee.grouped_by),
        fee.period_from_at,
    )


def _group(grouped_by: Mapping[str, str | None]) -> Group:
    return tuple(sorted(grouped_by.items()))


Adjustments = Mapping[Line, Adjustment]


async def of_drafts(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[Line, Adjustment]]:
    """draft -> its corrected lines, in one query; drafts without any are absent."""
    found: dict[uuid.UUID, dict[Line, Adjustment]] = {}
    for row in await tx.scalars(select(AdjustedFee).where(AdjustedFee.invoice_id.in_(invoice_ids))):
        own = found.setdefault(row.invoice_id, {})
        own[line_of(row)] = Adjustment(row.units, row.unit_amount, row.invoice_display_name)
    return found


async def add(tx: Tx, invoice: Invoice, line: Line, by: Adjustment, at: dt.datetime) -> AdjustedFee:
    """Keep a correction; 422 `adjusted_fee` when the line has one."""
    known = await of_drafts(tx, [invoice.id])
    if line in known.get(invoice.id, {}):
        raise Invalid.field("adjusted_fee", "already_exists")
    row = AdjustedFee(
        id=new_id(),
        organization_id=invoice.organization_id,
        invoice_id=invoice.id,
        subscription_id=line.subscription_id,
        fee_type=line.fee_type,
        purpose=line.purpose,
        charge_id=line.charge_id,
        charge_filter_id=line.filter_id,
        fixed_charge_id=line.fixed_charge_id,
        grouped_by=dict(line.grouped_by),
        period_from_at=line.period_from_at,
        units=by.units,
        unit_amount=by.unit_amount,
        invoice_display_name=by.invoice_display_name,
        created_at=at,
    )
    tx.add(row)
    await tx.flush()
    return row


async def find(tx: Tx, invoice: Invoice, adjustment_id: str) -> AdjustedFee:
    """A correction of a line of the invoice; 404 `adjusted_fee_not_found`."""
    known = parse_id(adjustment_id)
    statement = listing(invoice.id).where(AdjustedFee.id == known)
    row = (await tx.scalars(statement)).one_or_none() if known else None
    if row is None:
        raise NotFound("adjusted_fee")
    return row


def listing(invoice_id: uuid.UUID) -> Select[AdjustedFee]:
    """The corrections of an invoice, newest first."""
    statement = select(AdjustedFee).where(AdjustedFee.invoice_id == invoice_id)
    return statement.order_by(AdjustedFee.created_at.desc(), AdjustedFee.id)


async def fee_of(tx: Tx, invoice_id: uuid.UUID, line: Line) -> Fee | None:
    """The fee that is this line of the invoice now."""
    rows = await tx.scalars(select(Fee).where(Fee.invoice_id == invoice_id))
    return next((row for row in rows if line_of(row) == line), None)


async def views(tx: Tx, rows: Sequence[AdjustedFee]) -> list[dict[str, Any]]:
    """Adjusted fee objects in the order given, each with the id that its fee has now."""
    fees: dict[tuple[uuid.UUID, Line], uuid.UUID] = {}
    for row in await tx.scalars(select(Fee).where(Fee.invoice_id.in_({row.invoice_id for row in rows}))):
        assert row.invoice_id is not None
        fees[row.invoice_id, line_of(row)] = row.id
    return [
        {
            "lago_id": row.id,
            "lago_invoice_id": row.invoice_id,
            "lago_fee_id": fees.get((row.invoice_id, line_of(row))),
            "lago_subscription_id": row.subscription_id,
            "lago_charge_id": row.charge_id,
            "lago_charge_filter_id": row.charge_filter_id,
            "lago_fixed_charge_id": row.fixed_charge_id,
            "fee_type": row.fee_type,
            "units": dec_or_none(row.units),
            "unit_precise_amount": dec_or_none(row.unit_amount),
            "invoice_display_name": row.invoice_display_name,
            "created_at": dt_(row.created_at),
        }
        for row in rows
    ]
