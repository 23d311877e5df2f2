"""What is due of an invoice, and which payments by hand it takes (payments.md, legend and §3.11).

Payments through providers may exceed what is due; what becomes of them is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterator

#: the invoice type of purchased prepaid credits, paid whole or not at all
TOP_UP = "credit"
MAX_REFERENCE = 40


def due_cents(*, status: str, total_cents: int, paid_cents: int, offset_cents: int) -> int:
    """What is still to be paid: nothing on a voided invoice; negative when more came in than was asked for."""
    return 0 if status == "voided" else total_cents - paid_cents - offset_cents


def refusals(
    *, invoice_type: str, total_cents: int, due_cents: int, amount_cents: int, reference: str
) -> Iterator[tuple[str, str]]:
    """(field, code) of everything that speaks against a payment by hand, checks 8 to 10 of §3.11."""
    if amount_cents > due_cents:
        yield "amount_cents", "value_is_out_of_range"
    if invoice_type == TOP_UP and amount_cents != total_cents:
        yield "amount_cents", "invalid_amount"
    if not reference.strip():
        yield "reference", "value_is_mandatory"
    if len(reference) > MAX_REFERENCE:
        yield "reference", "value_is_too_long"
