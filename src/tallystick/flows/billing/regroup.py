"""Paid fees that stand on no invoice are brought together on one, which is issued as paid (invoicing.md §13).

Nothing is computed anew: amounts and taxes are the sums of what the fees were born with.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from tallystick.core.contract import Contract, TaxTerms
from tallystick.core.invoice import Composition
from tallystick.core.issuing import invoice_dates
from tallystick.core.money import ZERO, divide, round_half_away
from tallystick.core.occasion import Occasion, Reason
from tallystick.core.periods import local_date
from tallystick.core.taxes import InvoiceTaxAmount, InvoiceTaxes
from tallystick.core.windows import Windows, current_windows
from tallystick.flows.billing.compose import Draft, Header, Rated, final_status
from tallystick.flows.billing.due import Bill
from tallystick.flows.billing.load import load_contracts
from tallystick.flows.billing.write import write
from tallystick.ground.db import Tx
from tallystick.ground.tables import FeeTax
from tallystick.rooms.invoices import standalone
from tallystick.rooms.invoices.ledger import Document
from tallystick.rooms.invoices.standalone import Chain, PaidFee
from tallystick.rooms.payments import store as payments
from tallystick.rooms.payments.store import Received

_RATE_PLACES = 2
_REFERENCE = "Charges paid in advance"
_RESOLUTION = dt.timedelta(microseconds=1)


async def regroup(tx: Tx, chains: Sequence[Chain]) -> None:
    """Make the invoices of these chains, whose customers are locked; one query when there is nothing to do."""
    paid = await standalone.paid_fees(tx, chains) if chains else []
    if not paid:
        return
    taxes = await standalone.taxes_of(tx, [fee.id for fee in paid])
    ids = {fee.newest_id for fee in paid} | {fee.subscription_id for fee in paid}
    contracts = {contract.subscription_id: contract for contract in await load_contracts(tx, sorted(ids))}
    chain_of = {chain.newest_id: chain for chain in chains}
    groups: dict[object, list[PaidFee]] = {}
    for fee in paid:
        issuer = contracts[fee.subscription_id].issuer
        groups.setdefault((fee.newest_id, fee.purchase_order_number, fee.currency, issuer.id), []).append(fee)
    drafts = [_draft(chain_of[group[0].newest_id], group, contracts, taxes) for group in groups.values()]
    await standalone.put_on_invoices(
        tx,
        [
            (fee.id, draft.id, draft.header.at)
            for draft, group in zip(drafts, groups.values(), strict=True)
            for fee in group
        ],
    )
    documents = await write(tx, drafts)
    await payments.record(tx, [_payment(document) for document in documents if document.paid_cents])


def _payment(document: Document) -> Received:
    """What its fees brought in; its header has it already (invoicing.md §13)."""
    return Received(
        organization_id=document.organization_id,
        customer_id=document.customer.id,
        invoice_id=document.id,
        amount_cents=document.paid_cents,
        currency=document.currency,
        reference=_REFERENCE,
        paid_at=document.at,
        at=document.written_at,
    )


def _draft(
    chain: Chain,
    fees: Sequence[PaidFee],
    contracts: Mapping[uuid.UUID, Contract],
    taxes: Mapping[uuid.UUID, Sequence[FeeTax]],
) -> Draft:
    first = contracts[fees[0].subscription_id]
    header = Header(
        organization_id=first.organization_id,
        customer=first.customer,
        issuer=first.issuer,
        invoice_type="advance_charges",
        currency=fees[0].currency,
        purchase_order_number=fees[0].purchase_order_number,
        at=chain.at,
        paid=True,
    )
    composition = _composition(fees, taxes)
    on = local_date(chain.at, first.customer.timezone)
    dates = invoice_dates(on, first.customer, graced=False, recurring=False)
    windows = _windows(contracts[chain.newest_id], chain)
    rows = dict.fromkeys(fee.subscription_id for fee in fees)
    occasions = [Occasion(row, Reason.IN_ADVANCE_CHARGE_PERIODIC, chain.at) for row in rows]
    rated = tuple(
        Rated(Bill(contracts[one.subscription_id], one, windows, plan_fee_due=False), ()) for one in occasions
    )
    return Draft(header, composition, dates, final_status(composition, first.customer), rated)


def _windows(newest: Contract, chain: Chain) -> Windows:
    """The period of the newest row: at a tick the one that has just ended."""
    assert newest.started_at is not None
    seen_at = chain.at - _RESOLUTION if chain.ended_only else chain.at
    return current_windows(newest.schedule, newest.started_at, newest.terminated_at, seen_at)


def _composition(fees: Sequence[PaidFee], taxes: Mapping[uuid.UUID, Sequence[FeeTax]]) -> Composition:
    """Sums; the lines are there already."""
    fees_cents = sum(fee.amount_cents for fee in fees)
    taxes_cents = sum(fee.taxes_amount_cents for fee in fees)
    total_cents = fees_cents + taxes_cents
    rate = round_half_away(divide(taxes_cents * 100, fees_cents), _RATE_PLACES) if fees_cents else ZERO
    return Composition(
        fees=(),
        credits=(),
        taxes=InvoiceTaxes(tuple(_tax_rows(fees, taxes)), taxes_cents, rate),
        fees_amount_cents=fees_cents,
        progressive_billing_credit_amount_cents=0,
        coupons_amount_cents=0,
        sub_total_excluding_taxes_amount_cents=fees_cents,
        taxes_amount_cents=taxes_cents,
        sub_total_including_taxes_amount_cents=total_cents,
        credit_notes_amount_cents=0,
        prepaid_credit_amount_cents=0,
        total_amount_cents=total_cents,
    )


def _tax_rows(fees: Sequence[PaidFee], taxes: Mapping[uuid.UUID, Sequence[FeeTax]]) -> list[InvoiceTaxAmount]:
    """One row for each tax that the fees carry."""
    found: dict[object, list[tuple[PaidFee, FeeTax]]] = {}
    for fee in fees:
        for tax in taxes.get(fee.id, ()):
            found.setdefault((tax.tax_id, tax.tax_code, tax.tax_rate), []).append((fee, tax))
    rows = []
    for pairs in found.values():
        tax = pairs[0][1]
        terms = TaxTerms(tax.tax_id or tax.id, tax.tax_code, tax.tax_name, tax.tax_rate, tax.tax_description)
        base = sum(fee.amount_cents for fee, _ in pairs)
        rows.append(InvoiceTaxAmount(terms, base, sum(own.amount_cents for _, own in pairs)))
    return rows
