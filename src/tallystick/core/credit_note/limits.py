"""How far credit notes of an invoice may go: estimates, the limits of credits.md §3.7, the refusals of §3.3 (e).

Limits that need a wallet or a payment are their rooms' matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallystick.core import payment
from tallystick.core.credit_note.amounts import NoteAmounts, NotedInvoice, NoteItem, Parts, amounts_of
from tallystick.core.money import ZERO, cents_of, exact
from tallystick.core.payment import TOP_UP


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a note over some items would be; `taxes_cents` and `total_cents` after the adjustment of §3.6."""

    amounts: NoteAmounts
    taxes_cents: int
    total_cents: int
    refundable_cents: int
    offsettable_cents: int


def estimate(invoice: NotedInvoice, items: Sequence[NoteItem]) -> Estimate:
    """A note over these items, not checked (§3.6)."""
    total, taxes, amounts = _estimated(invoice, items)
    return Estimate(
        amounts,
        taxes,
        total,
        refundable_cents=min(total, refundable_cents(invoice)),
        offsettable_cents=max(min(due_cents(invoice), total), 0),
    )


def _estimated(invoice: NotedInvoice, items: Sequence[NoteItem]) -> tuple[int, int, NoteAmounts]:
    """(total, taxes, amounts); [Q] the cent of rounding goes the other way than in a note (§3.6)."""
    amounts = amounts_of(invoice, items)
    with exact():
        coupons = sum((item.coupon_cents for item in items), ZERO)
        total = cents_of(amounts.items_cents - coupons + amounts.precise_taxes_cents)
    taxes = amounts.taxes_cents
    if total - taxes > amounts.sub_total_cents:
        total -= 1
    elif total - taxes < amounts.sub_total_cents and taxes > 0:
        taxes -= 1
    return total, taxes, amounts


def creditable_cents(invoice: NotedInvoice) -> int:
    """What notes have left of the invoice, with taxes; nothing of drafts and top-ups."""
    if invoice.status == "draft" or invoice.invoice_type == TOP_UP:
        return 0
    return _estimated(invoice, invoice.remaining)[0]


def due_cents(invoice: NotedInvoice) -> int:
    """What is still to be paid of it."""
    return payment.due_cents(
        status=invoice.status,
        total_cents=invoice.total_cents,
        paid_cents=invoice.paid_cents,
        offset_cents=invoice.offsets_cents,
    )


def refundable_cents(invoice: NotedInvoice) -> int:
    """What was paid, is settled and was not paid back yet, as far as it can be credited."""
    unsettled = invoice.paid_cents == invoice.total_cents and invoice.payment_status != "succeeded"
    if invoice.status == "draft" or unsettled:
        return 0
    return max(0, min(invoice.paid_cents - invoice.refunds_cents, creditable_cents(invoice)))


def fee_total_cents(invoice: NotedInvoice) -> int:
    """Fees with their taxes, coupons not deducted (§3.3)."""
    with exact():
        taxes = sum((Decimal(fee.amount_cents) * tax.rate / 100 for fee in invoice.fees for tax in fee.taxes), ZERO)
        return sum(fee.amount_cents for fee in invoice.fees) + cents_of(taxes)


def refusals(invoice: NotedInvoice, parts: Parts, amounts: NoteAmounts) -> Iterator[tuple[str, str]]:
    """(field, code) of everything that speaks against a note, in the order of §3.3 (e)."""
    if abs(parts.total_cents - amounts.worth_cents) > 1:
        yield "base", "does_not_match_item_amounts"
    yield from _refund_refusals(invoice, parts)
    yield from _credit_refusals(invoice, parts)
    yield from _offset_refusals(invoice, parts)
    noted = invoice.credits_cents + invoice.refunds_cents + invoice.offsets_cents
    if parts.total_cents > fee_total_cents(invoice) - noted + 1:
        yield "base", "higher_than_remaining_invoice_amount"
    if parts.total_cents <= 0:
        yield "base", "total_amount_must_be_positive"


def _refund_refusals(invoice: NotedInvoice, parts: Parts) -> Iterator[tuple[str, str]]:
    field = "refund_amount_cents"
    paid_whole = invoice.paid_cents == invoice.total_cents > 0
    unpaid = invoice.paid_cents <= 0 or (paid_whole and invoice.payment_status != "succeeded")
    if parts.refund_cents > 0 and unpaid:
        yield field, "cannot_refund_unpaid_invoice"
    if parts.refund_cents > invoice.paid_cents - invoice.refunds_cents:
        yield field, "higher_than_remaining_invoice_amount"


def _credit_refusals(invoice: NotedInvoice, parts: Parts) -> Iterator[tuple[str, str]]:
    field = "credit_amount_cents"
    if invoice.invoice_type == TOP_UP and parts.credit_cents > 0:
        yield field, "cannot_credit_invoice"
    if parts.credit_cents > fee_total_cents(invoice) - invoice.credits_cents - invoice.offsets_cents + 1:
        yield field, "higher_than_remaining_invoice_amount"


def _offset_refusals(invoice: NotedInvoice, parts: Parts) -> Iterator[tuple[str, str]]:
    field = "offset_amount_cents"
    left = fee_total_cents(invoice) - invoice.credits_cents - invoice.offsets_cents
    if parts.offset_cents > 0 and parts.offset_cents > min(due_cents(invoice), left):
        yield field, "higher_than_remaining_invoice_amount"
    if invoice.invoice_type != TOP_UP or parts.offset_cents <= 0:
        return
    if invoice.paid_cents > 0:
        yield field, "cannot_apply_to_paid_invoice"
    if parts.offset_cents != invoice.total_cents:
        yield field, "not_equal_to_total_amount"
