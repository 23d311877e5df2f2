"""Dates and numbers of invoices (invoicing.md §4, §5): when one is issued, finalized and due, and what it is called."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tallystick.core.contract import CustomerTerms
from tallystick.core.periods import ONE_DAY, local_midnight


@dataclass(frozen=True, slots=True)
class InvoiceDates:
    """Local dates of an invoice; it is a draft until `finalization_on`."""

    issuing_on: dt.date
    finalization_on: dt.date
    due_on: dt.date


def invoice_dates(billed_on: dt.date, terms: CustomerTerms, *, graced: bool, recurring: bool) -> InvoiceDates:
    """Dates at creation (invoicing.md §4.2). `graced`: a subscription invoice of a kind that has grace at all."""
    grace = terms.grace_days if graced else 0
    offset = _recurring_offset(terms, grace) if recurring else grace
    issuing_on = billed_on + offset * ONE_DAY
    return InvoiceDates(issuing_on, billed_on + grace * ONE_DAY, issuing_on + terms.net_payment_term * ONE_DAY)


def _recurring_offset(terms: CustomerTerms, grace: int) -> int:
    """Days from the billing day to the issuing date of a periodic invoice."""
    period_end = terms.issuing_anchor == "current_period_end"
    if terms.issuing_adjustment == "keep_anchor":
        return -1 if period_end else 0
    return -1 if period_end and grace == 0 else grace


def dates_at_finalization(
    issued_on: dt.date, finalized_on: dt.date, terms: CustomerTerms, *, recurring: bool
) -> tuple[dt.date, dt.date]:
    """(issuing date, due date) when a draft becomes final (invoicing.md §4.3)."""
    keeps = recurring and terms.issuing_adjustment == "keep_anchor"
    issuing_on = issued_on if keeps else finalized_on
    return issuing_on, issuing_on + terms.net_payment_term * ONE_DAY


def overdue_at(due_on: dt.date) -> dt.datetime:
    """When an unpaid invoice turns overdue: the due date is inclusive and compared in UTC (dunning.md §1)."""
    return local_midnight(due_on + ONE_DAY, "UTC")


def customer_number(prefix: str, customer_sequence: int, invoice_sequence: int) -> str:
    """`per_customer` form: PREFIX-002-006."""
    return f"{prefix}-{customer_sequence:03d}-{invoice_sequence:03d}"


def entity_number(prefix: str, finalized_on: dt.date, sequence: int) -> str:
    """`per_billing_entity` form: PREFIX-202310-010; the month is of the issuer's time zone."""
    return f"{prefix}-{finalized_on:%Y%m}-{sequence:03d}"


def draft_number(prefix: str) -> str:
    """What an invoice is called before it has a number."""
    return f"{prefix}-DRAFT"
