"""Group the rated bills of a set into invoices and compose each: dates, totals, status. Stores nothing."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from tallystick.core.contract import CustomerTerms, IssuerTerms
from tallystick.core.invoice import Composition, Credit, FeeDraft, compose
from tallystick.core.issuing import InvoiceDates, invoice_dates
from tallystick.core.occasion import Reason
from tallystick.flows.billing.awaited import known_taxes, status_with_taxes
from tallystick.flows.billing.due import Bill
from tallystick.flows.billing.reductions import Reductions
from tallystick.flows.billing.sections import Choice
from tallystick.ground.ids import new_id


@dataclass(frozen=True, slots=True)
class Rated:
    """A bill with its fees, which bear the credits for what of them was `billed_before`.

    `surplus`: (progressive invoice, amount before taxes) that was billed before and is not used after all.
    """

    bill: Bill
    fees: tuple[FeeDraft, ...]
    billed_before: tuple[Credit, ...] = ()
    surplus: tuple[uuid.UUID, int] | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """Whom an invoice is for, who issues it and what kind it is; `at` is the instant it is made."""

    organization_id: uuid.UUID
    customer: CustomerTerms
    issuer: IssuerTerms
    invoice_type: str
    currency: str
    purchase_order_number: str | None
    at: dt.datetime
    skip_automatic_payment: bool = False
    #: its fees were paid before there was an invoice
    paid: bool = False
    #: the invoice in whose place this one is made
    voided_invoice_id: uuid.UUID | None = None
    #: the custom sections that the request for it chose
    sections: Choice | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """One invoice before it is stored: its bills if it has any, composition, dates and the status it will have."""

    header: Header
    composition: Composition
    dates: InvoiceDates
    status: str
    rated: tuple[Rated, ...] = ()
    id: uuid.UUID = field(default_factory=new_id)


def draft_invoices(rated: Sequence[Rated], reductions: Reductions) -> list[Draft]:
    """One draft for each group of bills that share an invoice (subscriptions.md §6.2), in the order of the bills.

    Those that become final at once use up the coupons and credit notes of their customers.
    """
    groups: dict[object, list[Rated]] = {}
    for item in rated:
        groups.setdefault(_group_of(item.bill), []).append(item)
    return [_draft(tuple(group), reductions) for group in groups.values()]


def _group_of(bill: Bill) -> object:
    contract, occasion = bill.contract, bill.occasion
    shared = (contract.plan.currency, contract.issuer.id, contract.purchase_order_number)
    if occasion.together is not None:
        return (occasion.together, *shared)
    if occasion.reason is Reason.PERIODIC and contract.consolidate_invoice:
        return (contract.customer.id, occasion.at, contract.payment_method, *shared)
    return uuid.uuid4()


def can_wait(bill: Bill) -> bool:
    """Whether its invoice is a draft for the grace period, if its customer has one (invoicing.md §9)."""
    return bill.occasion.reason not in (Reason.IN_ADVANCE_CHARGE, Reason.PROGRESSIVE)


def waits(bill: Bill) -> bool:
    """Whether its invoice is a draft at first."""
    return can_wait(bill) and bill.contract.customer.grace_days > 0


def _draft(rated: tuple[Rated, ...], reductions: Reductions) -> Draft:
    """The bills of an invoice agree on customer, issuer, currency and time: the first names them."""
    bill = rated[0].bill
    contract = bill.contract
    progressive = bill.occasion.reason is Reason.PROGRESSIVE
    header = Header(
        organization_id=contract.organization_id,
        customer=contract.customer,
        issuer=contract.issuer,
        invoice_type="progressive_billing" if progressive else "subscription",
        currency=contract.plan.currency,
        purchase_order_number=contract.purchase_order_number,
        at=bill.occasion.at,
    )
    fees = known_taxes([fee for item in rated for fee in item.fees], contract.customer)
    billed_before = [credit for item in rated for credit in item.billed_before]
    contracts = [item.bill.contract for item in rated]
    composition = (
        compose(fees, billed_before=billed_before)
        if waits(bill)
        else reductions.compose(
            header.customer.id,
            fees,
            contracts,
            currency=header.currency,
            at=header.at,
            billed_before=billed_before,
            taxes_known=not contract.customer.taxes_pending,
        )
    )
    recurring = bill.occasion.reason is Reason.PERIODIC
    dates = invoice_dates(bill.billed_on, contract.customer, graced=can_wait(bill), recurring=recurring)
    # a progressive invoice is final whatever it amounts to (invoicing.md §15)
    final = "finalized" if progressive else final_status(composition, contract.customer)
    status = "draft" if waits(bill) else status_with_taxes(final, contract.customer)
    return Draft(header, composition, dates, status, rated)


def final_status(composition: Composition, customer: CustomerTerms) -> str:
    """What an invoice becomes: closed when no fee amounts to anything and such are skipped (invoicing.md §8)."""
    return "finalized" if composition.fees_amount_cents > 0 or customer.finalize_zero_amount else "closed"
