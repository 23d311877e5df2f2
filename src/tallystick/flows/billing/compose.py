"""Group the rated bills of a set into invoices and compose each: dates, totals, status. Stores nothing."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.core.invoice import Composition, FeeDraft, compose
from tallystick.core.issuing import InvoiceDates, invoice_dates
from tallystick.core.occasion import Reason
from tallystick.flows.billing.due import Bill


@dataclass(frozen=True, slots=True)
class Rated:
    """A bill with its fees."""

    bill: Bill
    fees: tuple[FeeDraft, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """One invoice before it is stored: its bills, composition, dates and the status it will have."""

    rated: tuple[Rated, ...]
    composition: Composition
    dates: InvoiceDates
    status: str

    @property
    def first(self) -> Bill:
        """The bill that names customer, issuer, currency and time; all bills of an invoice agree on them."""
        return self.rated[0].bill


def draft_invoices(rated: Sequence[Rated]) -> list[Draft]:
    """One draft for each group of bills that share an invoice (subscriptions.md §6.2), in the order of the bills."""
    groups: dict[object, list[Rated]] = {}
    for item in rated:
        groups.setdefault(_group_of(item.bill), []).append(item)
    return [_draft(tuple(group)) for group in groups.values()]


def _group_of(bill: Bill) -> object:
    contract, occasion = bill.contract, bill.occasion
    shared = (contract.plan.currency, contract.issuer.id, contract.purchase_order_number)
    if occasion.together is not None:
        return (occasion.together, *shared)
    if occasion.reason is Reason.PERIODIC and contract.consolidate_invoice:
        return (contract.customer.id, occasion.at, contract.payment_method, *shared)
    return uuid.uuid4()


def _draft(rated: tuple[Rated, ...]) -> Draft:
    bill = rated[0].bill
    terms = bill.contract.customer
    composition = compose([fee for item in rated for fee in item.fees])
    recurring = bill.occasion.reason is Reason.PERIODIC
    dates = invoice_dates(bill.billed_on, terms, graced=True, recurring=recurring)
    return Draft(rated, composition, dates, _status(composition, bill))


def _status(composition: Composition, bill: Bill) -> str:
    """Draft within the grace period; else final, or closed when nothing is due and such are skipped (§8)."""
    terms = bill.contract.customer
    if terms.grace_days > 0:
        return "draft"
    return "finalized" if composition.fees_amount_cents > 0 or terms.finalize_zero_amount else "closed"
