"""Make a new invoice in the place of a voided one, of the lines that are wanted (invoicing.md §16.2).

Lines keep what they are for and their periods; prices, units and names may be given anew. It is issued at once.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from tallystick.core.adjusting import Adjustment, adjusted, anew
from tallystick.core.contract import Contract, CustomerTerms, TaxTerms
from tallystick.core.invoice import FeeDraft, FeeType
from tallystick.core.issuing import invoice_dates
from tallystick.core.periods import local_date
from tallystick.core.rating import tariff
from tallystick.core.taxes import winning
from tallystick.flows.billing.adjust import adjustment_of, check_model, wanted_charge
from tallystick.flows.billing.awaited import known_taxes, status_with_taxes
from tallystick.flows.billing.billed_before import less_billed_before
from tallystick.flows.billing.compose import Draft, Header, Rated, final_status
from tallystick.flows.billing.credit_notes.surplus import Surplus, credit_surpluses
from tallystick.flows.billing.due import Bill
from tallystick.flows.billing.load import load_charges, load_customers, load_issuers, load_taxes
from tallystick.flows.billing.rate import Rater, properties_of
from tallystick.flows.billing.reductions import Reductions, load_reductions
from tallystick.flows.billing.run import lock_customers
from tallystick.flows.billing.stored import bills_of
from tallystick.flows.billing.write import write
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotAllowed, NotFound
from tallystick.ground.ids import parse_id
from tallystick.ground.tables import Fee, FixedCharge, Invoice
from tallystick.rooms.invoices import duplicates, progressive, store, verbs
from tallystick.rooms.invoices.adjustments import line_of_draft

Fields = Mapping[str, Any]
#: types of invoices that coupons and credit notes count for (credits.md §0.1)
_REDUCED = ("subscription", "progressive_billing")
#: types that are issued over nothing too (invoicing.md §8)
_ALWAYS_ISSUED = ("progressive_billing", "credit")


@dataclass(frozen=True, slots=True)
class _Voided:
    """A voided invoice with its lines and bills, and the terms that apply today."""

    invoice: Invoice
    fees: Mapping[uuid.UUID, Fee]
    bills: Sequence[Bill]
    customer: CustomerTerms
    taxes: Mapping[uuid.UUID, tuple[TaxTerms, ...]]

    def contract(self, subscription_id: uuid.UUID | None) -> Contract | None:
        """The contract of a line."""
        contracts = (bill.contract for bill in self.bills)
        return next((one for one in contracts if one.subscription_id == subscription_id), None)

    def duplicate(self, row: Fee) -> FeeDraft:
        """A line once more, with the taxes of today (credits.md §2.2)."""
        return duplicates.duplicate(row, self._taxes(row))

    def _taxes(self, row: Fee) -> tuple[TaxTerms, ...]:
        contract = self.contract(row.subscription_id)
        plan = contract.plan if contract else None
        of_plan = plan.taxes if plan else ()
        match FeeType(row.fee_type):
            case FeeType.CREDIT:
                return ()
            case FeeType.COMMITMENT:
                own = plan.commitment.taxes if plan and plan.commitment else ()
            case FeeType.SUBSCRIPTION:
                own = ()
            case _:
                source = row.charge_id or row.fixed_charge_id or row.add_on_id
                own = self.taxes.get(source, ()) if source else ()
        return winning(own, of_plan, self.customer.taxes)


async def regenerate(tx: Tx, invoice: Invoice, at: dt.datetime, fields: Fields) -> uuid.UUID:
    """Issue an invoice in the place of a voided one; returns its id.

    `fields`: fees (id, or subscription_id with charge_id and charge_filter_id; units, unit_precise_amount,
    invoice_display_name), purchase_order_number. 405 `invalid_status` unless voided, `invoice_already_regenerated`;
    404 `fees_not_found`, `fee_not_found`, `subscription_not_found`, `charge_not_found`, `charge_filter_not_found`;
    422 `fees`, `units`, `unit_precise_amount`, `charge`.
    """
    voided = await _voided(tx, await _hold(tx, invoice))
    asked: Sequence[Fields] = fields.get("fees") or ()
    if not asked:
        raise NotFound("fees")
    fees = _linked([await _line(tx, voided, one) for one in asked])
    rated = await _rated(tx, voided, fees)
    await credit_surpluses(tx, [Surplus(*item.surplus, at) for item in rated if item.surplus])
    # without customers nothing is reduced: other types are never
    reductions = await load_reductions(tx, [voided.customer.id] if invoice.invoice_type in _REDUCED else [])
    draft = await _draft(tx, voided, rated, fees, reductions, fields, at)
    await duplicates.replace_periods(tx, invoice.id)
    (document,) = await write(tx, [draft])
    await reductions.store(tx)
    await progressive.copy_applied(tx, invoice.id, document.id, at)
    return document.id


async def lines_today(tx: Tx, invoice: Invoice) -> list[FeeDraft]:
    """The lines of a voided invoice with the taxes of today; 405 `invalid_status` unless voided."""
    if invoice.status != "voided":
        raise NotAllowed("invalid_status")
    voided = await _voided(tx, invoice)
    return [voided.duplicate(row) for row in voided.fees.values()]


async def _hold(tx: Tx, invoice: Invoice) -> Invoice:
    await lock_customers(tx, [invoice.customer_id])
    locked = await verbs.find(tx, invoice.organization_id, str(invoice.id), lock=True)
    if locked.status != "voided":
        raise NotAllowed("invalid_status")
    made = select(Invoice.id).where(Invoice.voided_invoice_id == locked.id, Invoice.status != "voided")
    if await tx.scalar(made.limit(1)) is not None:
        raise NotAllowed("invoice_already_regenerated")
    return locked


async def _voided(tx: Tx, invoice: Invoice) -> _Voided:
    fees = await store.fees_of(tx, [invoice.id])
    bills = (await bills_of(tx, [invoice.id])).get(invoice.id, [])
    customers = await load_customers(tx, {invoice.customer_id})
    sources = {source for row in fees for source in (row.charge_id, row.fixed_charge_id, row.add_on_id) if source}
    taxes = await load_taxes(tx, sources) if sources else {}
    return _Voided(invoice, {row.id: row for row in fees}, bills, customers[invoice.customer_id], taxes)


# -- lines --------------------------------------------------------------------------------------------


#: a line of the voided invoice, if it is one, and the new line
Pair = tuple[uuid.UUID | None, FeeDraft]


async def _line(tx: Tx, voided: _Voided, asked: Fields) -> Pair:
    by = adjustment_of(asked)
    if asked.get("id") is None:
        return None, await _new_fee(tx, voided, asked, by)
    row = voided.fees.get(parse_id(asked["id"]) or voided.invoice.id)
    if row is None:
        raise NotFound("fee")
    return row.id, await _corrected(tx, voided.duplicate(row), by)


async def _new_fee(tx: Tx, voided: _Voided, asked: Fields, by: Adjustment) -> FeeDraft:
    """A line for a charge that the voided invoice had none for; nothing was used unless units are given."""
    known = parse_id(asked.get("subscription_id") or "")
    bill = next((one for one in voided.bills if one.contract.subscription_id == known), None)
    if bill is None:
        raise NotFound("subscription")
    charge, bucket = wanted_charge(bill.contract, asked.get("charge_id"), asked.get("charge_filter_id"))
    if bill.charges_window is None:
        raise NotFound("charge")
    return await _corrected(tx, Rater().unused(bill, charge, bucket), by)


async def _corrected(tx: Tx, fee: FeeDraft, by: Adjustment) -> FeeDraft:
    if by.units is not None and by.unit_amount is None:
        line = line_of_draft(fee)
        await check_model(tx, line)
        if fee.charge_id is not None and fee.parent_id is None:
            charge = (await load_charges(tx, {fee.charge_id}))[fee.charge_id]
            properties = properties_of(charge, fee.filter_id)
            found = tariff(charge.model, properties, prorated=charge.prorated, currency=fee.currency)
            return adjusted(fee, by, anew(found, charge.pricing_unit, fee.currency), charge.pricing_unit)
        if fee.fixed_charge_id is not None:
            row = await tx.get_one(FixedCharge, fee.fixed_charge_id)
            found = tariff(row.charge_model, row.properties, prorated=row.prorated, currency=fee.currency)
            return adjusted(fee, by, anew(found, None, fee.currency))
    return adjusted(fee, by, None, fee.in_units.unit if fee.in_units else None)


def _linked(pairs: Sequence[Pair]) -> list[FeeDraft]:
    """The new lines; true-ups belong to that of their parent, or to none when it is left out. 422 `fees`."""
    old = [row_id for row_id, _ in pairs if row_id is not None]
    usage = [(line_of_draft(fee), fee.event_transaction_id) for _, fee in pairs if fee.subscription_id is not None]
    if len(set(old)) < len(old) or len(set(usage)) < len(usage):
        raise Invalid.field("fees", "value_is_duplicated")
    new = {row_id: fee.id for row_id, fee in pairs}
    return [replace(fee, parent_id=new.get(fee.parent_id) if fee.parent_id else None) for _, fee in pairs]


# -- the invoice --------------------------------------------------------------------------------------


async def _draft(
    tx: Tx,
    voided: _Voided,
    rated: Sequence[Rated],
    fees: Sequence[FeeDraft],
    reductions: Reductions,
    fields: Fields,
    at: dt.datetime,
) -> Draft:
    """Issued at once, with the dates of an invoice that is not periodic made when the voided one was."""
    old, customer = voided.invoice, voided.customer
    issuers = await load_issuers(tx, {old.billing_entity_id})
    header = Header(
        organization_id=old.organization_id,
        customer=customer,
        issuer=issuers[old.billing_entity_id],
        invoice_type=old.invoice_type,
        currency=old.currency,
        purchase_order_number=fields.get("purchase_order_number", old.purchase_order_number),
        at=at,
        skip_automatic_payment=old.skip_automatic_payment,
        voided_invoice_id=old.id,
    )
    billed = [fee for item in rated for fee in item.fees] + [fee for fee in fees if fee.subscription_id is None]
    before = [credit for item in rated for credit in item.billed_before]
    composition = reductions.compose(
        customer.id,
        known_taxes(billed, customer),
        [bill.contract for bill in voided.bills],
        currency=header.currency,
        at=at,
        billed_before=before,
        taxes_known=not customer.taxes_pending,
    )
    made_on = local_date(old.created_at, customer.timezone)
    dates = invoice_dates(made_on, customer, graced=old.invoice_type == "subscription", recurring=False)
    always = old.invoice_type in _ALWAYS_ISSUED
    status = status_with_taxes("finalized" if always else final_status(composition, customer), customer)
    return Draft(header, composition, dates, status, tuple(rated))


async def _rated(tx: Tx, voided: _Voided, fees: Sequence[FeeDraft]) -> list[Rated]:
    """The lines by subscription, less what progressive invoices billed of usage (credits.md §1.7)."""
    rated = []
    for bill in voided.bills:
        own = tuple(fee for fee in fees if fee.subscription_id == bill.contract.subscription_id)
        rated.append(Rated(bill, own))
    return await less_billed_before(tx, rated) if voided.invoice.invoice_type in _REDUCED else rated
