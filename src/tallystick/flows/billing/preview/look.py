"""Compute the invoice of a preview by the stages of billing, and stop before anything is written (invoicing.md §18)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tallystick.core.contract import ChargeTerms
from tallystick.core.invoice import NO_DISCOUNT, NO_PURSE, compose
from tallystick.core.issuing import invoice_dates
from tallystick.core.occasion import Reason
from tallystick.core.wallets import Purse
from tallystick.flows.billing.billed_before import less_billed_before
from tallystick.flows.billing.compose import Draft, Header, Rated
from tallystick.flows.billing.due import Bill, bill_of, billed_charges
from tallystick.flows.billing.lines import fees_of
from tallystick.flows.billing.preview.asked import Asked
from tallystick.flows.billing.preview.notes import Notes, notes
from tallystick.flows.billing.preview.parties import Party, party
from tallystick.flows.billing.preview.scenes import Entry, scene
from tallystick.flows.billing.preview.tried import Tried, tried_coupons
from tallystick.flows.billing.rate import stands_alone
from tallystick.flows.billing.wallets.consumption import load_purses, metrics_of
from tallystick.flows.billing.write import document_of
from tallystick.ground.db import Tx
from tallystick.rooms.invoices.credits import Item
from tallystick.rooms.invoices.ledger import Document


@dataclass(frozen=True, slots=True)
class Look:
    """A previewed invoice: what it would say, for whom, of which subscriptions.

    `items` names the coupons and credit notes on it that are not stored.
    """

    document: Document
    payer: Party
    entries: Sequence[Entry]
    items: Mapping[uuid.UUID, Item]


async def look(tx: Tx, organization_id: uuid.UUID, asked: Asked, at: dt.datetime) -> Look:
    """What an invoice would be. Reads only.

    404 `customer_not_found`, `plan_not_found`, `subscription_not_found`, `coupon_not_found`,
    `billing_entity_not_found`; 422 `customer`, `subscriptions`, `terminated_at`, `base` as in invoicing.md §18.
    """
    payer = await party(tx, organization_id, asked.customer, at)
    entries = await scene(tx, asked, payer, at)
    rated = await _rated(tx, entries)
    coupons = await tried_coupons(tx, payer, asked.coupons, at)
    closed = [entry.contract for entry in entries if entry.contract.status == "terminated"]
    currency = entries[0].contract.plan.currency
    available = await notes(tx, payer, closed, currency)
    purse = NO_PURSE
    if payer.known:
        metric_of = metrics_of(entry.contract for entry in entries)
        purse = (await load_purses(tx, [payer.row.id])).purse(payer.row.id, currency, metric_of)
    document = document_of(_draft(rated, coupons, available, purse, payer), None)
    items = {**coupons.items, **available.items}
    return Look(replace(document, at=at, written_at=at), payer, entries, items)


async def _rated(tx: Tx, entries: Sequence[Entry]) -> list[Rated]:
    """The fees of all bills, less what progressive invoices billed; usage is that of rows that there are."""
    stored = {entry.contract.subscription_id for entry in entries if entry.stored}

    def charges_of(bill: Bill) -> Iterable[ChargeTerms]:
        return billed_charges(bill) if bill.contract.subscription_id in stored else ()

    bills = [bill_of(entry.contract, entry.occasion) for entry in entries]
    fees = await fees_of(tx, bills, charges_of=charges_of)
    rated = [
        Rated(bill, tuple(fee for fee in own if not stands_alone(fee))) for bill, own in zip(bills, fees, strict=True)
    ]
    return await less_billed_before(tx, rated)


def _draft(rated: Sequence[Rated], coupons: Tried, available: Notes, purse: Purse, payer: Party) -> Draft:
    """All bills on one invoice, as it would be issued: with discounts, without number (invoicing.md §4.2, §18)."""
    bill = rated[0].bill
    contract = bill.contract
    header = Header(
        organization_id=contract.organization_id,
        customer=payer.terms,
        issuer=contract.issuer,
        invoice_type="subscription",
        currency=contract.plan.currency,
        purchase_order_number=contract.purchase_order_number,
        at=bill.occasion.at,
    )
    fees = [fee for item in rated for fee in item.fees]
    before = [credit for item in rated for credit in item.billed_before]
    discount = NO_DISCOUNT
    if fees:
        contracts = [item.bill.contract for item in rated]
        discount = coupons.discount(
            payer.row.id, fees, contracts, currency=header.currency, at=header.at, billed_before=before
        )
    recurring = bill.occasion.reason is Reason.PERIODIC
    dates = invoice_dates(bill.billed_on, payer.terms, graced=True, recurring=recurring)
    composition = compose(fees, discount, before, available.available, purse)
    return Draft(header, composition, dates, "finalized", tuple(rated))
