"""However an invoice is credited, in whatever pieces: its notes never give back more than it asked for."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.contract import TaxTerms
from tallystick.core.credit_note import (
    AvailableNote,
    NotedInvoice,
    NoteFee,
    NoteItem,
    Parts,
    adjusted,
    amounts_of,
    consume,
    creditable_cents,
    estimate,
    refusals,
    spread,
)
from tallystick.core.taxes import TaxableFee, fee_taxes, invoice_taxes

TAXES = [
    TaxTerms(UUID(int=place), f"t{place}", f"T{place}", Decimal(rate), None)
    for place, rate in enumerate(("0", "2.5", "5.5", "7", "19.6", "20"))
]
EPOCH = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


@st.composite
def fees(draw: st.DrawFn, *, discounted: bool) -> NoteFee:
    cents = draw(st.integers(0, 10**7))
    coupons = Decimal(draw(st.integers(0, cents * 10**5)) if discounted else 0) / 10**5
    taxes = tuple(draw(st.lists(st.sampled_from(TAXES), max_size=2, unique=True)))
    return NoteFee(uuid4(), cents, coupons, fee_taxes(cents, Decimal(cents), coupons, taxes).amount_cents, taxes)


def invoice_of(lines: list[NoteFee]) -> NotedInvoice:
    """The invoice of these fees, as billing composes it."""
    sub_total = sum((line.amount_cents - line.precise_coupons_cents for line in lines), Decimal(0))
    bases = [TaxableFee(line.amount_cents - line.precise_coupons_cents, line.taxes) for line in lines]
    total = int(sub_total) + invoice_taxes(bases, int(sub_total)).amount_cents
    return NotedInvoice(uuid4(), tuple(lines), total, total)


def credited_in_pieces(invoice: NotedInvoice, pieces: list[int]) -> tuple[NotedInvoice, list[int]]:
    """Notes over such shares of what is left, and a last one over the rest; what each was worth."""
    totals = []
    for share in [*pieces, 1000]:
        items = [
            NoteItem(item.fee, (item.precise_cents * share / 1000).to_integral_value()) for item in invoice.remaining
        ]
        amounts = amounts_of(invoice, items)
        parts = adjusted(Parts(credit_cents=amounts.worth_cents), amounts)
        totals.append(parts.total_cents)
        assert abs(parts.total_cents - amounts.worth_cents) <= 1
        assert parts.total_cents == amounts.sub_total_cents + amounts.taxes_cents
        invoice = invoice.after(amounts, parts)
    return invoice, totals


#: thousandths of what is left
PIECES = st.lists(st.integers(0, 1000), max_size=4)


@given(st.lists(fees(discounted=False), min_size=1, max_size=5), PIECES)
def test_pieces_add_up_to_the_invoice(lines: list[NoteFee], pieces: list[int]) -> None:
    invoice = invoice_of(lines)
    left, totals = credited_in_pieces(invoice, pieces)
    assert sum(totals) == invoice.total_cents
    assert creditable_cents(left) == 0
    assert all(fee.credited_cents == fee.amount_cents for fee in left.fees)


@given(st.lists(fees(discounted=True), min_size=1, max_size=5), PIECES)
def test_pieces_of_a_discounted_invoice_stray_by_their_roundings(lines: list[NoteFee], pieces: list[int]) -> None:
    invoice = invoice_of(lines)
    _, totals = credited_in_pieces(invoice, pieces)
    # each sub total is rounded on its own, and the invoice's is cut
    assert 2 * abs(sum(totals) - invoice.total_cents) <= len(totals) + 3


@given(st.lists(fees(discounted=True), min_size=1, max_size=5))
def test_what_is_creditable_is_not_refused(lines: list[NoteFee]) -> None:
    invoice = invoice_of(lines)
    amounts = amounts_of(invoice, invoice.remaining)
    if amounts.worth_cents:
        assert list(refusals(invoice, Parts(credit_cents=amounts.worth_cents), amounts)) == []
    assert abs(estimate(invoice, invoice.remaining).total_cents - amounts.worth_cents) <= 1


@given(st.lists(fees(discounted=True), min_size=1, max_size=5), st.integers(0, 10**5))
def test_a_spread_stays_within_the_fees(lines: list[NoteFee], share: int) -> None:
    invoice = invoice_of(lines)
    for item in spread(invoice, share, 10**5):
        assert 0 < item.precise_cents <= item.fee.creditable_cents


@given(
    st.integers(0, 10**7),
    st.lists(st.integers(0, 10**11), max_size=5),
    st.lists(st.integers(0, 10**6), max_size=5),
)
def test_consumption_takes_what_there_is(total: int, caps: list[int], balances: list[int]) -> None:
    most = [Decimal(cap) / 10**5 for cap in caps]
    notes = [AvailableNote(uuid4(), uuid4(), "EUR", cents, EPOCH) for cents in balances]
    made = consume(total, most, notes)
    assert made.amount_cents == min(total, sum(balances))
    assert all(0 <= taken <= cap for taken, cap in zip(made.borne_cents, most, strict=True))
    left = {note.id: note.balance_cents for note in notes}
    assert all(0 < cents <= left[note_id] for note_id, cents in made.credits)
