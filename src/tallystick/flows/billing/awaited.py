"""Invoices whose customer's taxes are not known yet: made without them, and not issued (invoicing.md §7.3).

What becomes of them once the taxes are known is in answered.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tallystick.core.contract import CustomerTerms
from tallystick.core.invoice import FeeDraft

PENDING = "pending"


def known_taxes(fees: Sequence[FeeDraft], customer: CustomerTerms) -> Sequence[FeeDraft]:
    """The fees as they may be taxed now: not at all while the taxes of the customer are pending."""
    return [replace(fee, taxes=()) for fee in fees] if customer.taxes_pending else fees


def status_with_taxes(status: str, customer: CustomerTerms) -> str:
    """The status an invoice gets: what would be issued waits for its taxes instead."""
    return PENDING if status == "finalized" and customer.taxes_pending else status


def tax_status(status: str, customer: CustomerTerms) -> str | None:
    """`tax_status` of an invoice in this status."""
    return PENDING if customer.taxes_pending and status in ("draft", PENDING) else None
