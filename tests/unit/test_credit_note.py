"""What credit notes are worth, how far they go and how invoices use them: the worked examples of credits.md §3."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from tallystick.core.contract import TaxTerms
from tallystick.core.credit_note import (
    AvailableNote,
    Mode,
    NoteAmounts,
    NotedInvoice,
    NoteFee,
    NoteItem,
    Parts,
    UnusedTime,
    adjusted,
    amounts_of,
    consume,
    creditable_cents,
    divided,
    due_cents,
    estimate,
    refundable_cents,
    refusals,
    spread,
    unused_item,
)

DAY = dt.date
CREATED_AT = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


def tax(rate: str) -> TaxTerms:
    return TaxTerms(UUID(int=int(Decimal(rate) * 1000)), f"t{rate}", f"T{rate}", Decimal(rate), None)


def fee(cents: int, *rates: str, coupons: str = "0", taxes: int = 0, credited: int = 0) -> NoteFee:
    return NoteFee(uuid4(), cents, Decimal(coupons), taxes, tuple(tax(rate) for rate in rates), credited)


def invoice(*fees: NoteFee, total: int, **own: Any) -> NotedInvoice:
    given: dict[str, Any] = {"total_cents": total, "sub_total_including_cents": total, **own}
    return NotedInvoice(uuid4(), fees, **given)


def note(of: NotedInvoice, *parts: tuple[NoteFee, str | int]) -> NoteAmounts:
    """A note with these amounts of these fees."""
    return amounts_of(of, [NoteItem(each, Decimal(cents)) for each, cents in parts])


def credit(amounts: NoteAmounts, cents: int | None = None) -> Parts:
    """All of it as credit, after the final adjustment."""
    return adjusted(Parts(credit_cents=amounts.worth_cents if cents is None else cents), amounts)


# -- §3.5 ----------------------------------------------------------------------------------------


def test_n1_an_item_bears_its_share_of_coupons() -> None:
    line = fee(10000, "20", coupons="2500")
    made = note(invoice(line, total=9000), (line, 4000))
    assert (made.coupons_cents, made.sub_total_cents, made.taxes_cents) == (1000, 3000, 600)
    assert credit(made).total_cents == 3600


def test_n2_the_last_note_takes_the_rounding() -> None:
    first, second = fee(3333, "19", taxes=633), fee(3333, "19", taxes=633)
    whole = invoice(first, second, total=7933)
    one = note(whole, (first, 3333))
    assert (one.taxes_cents, one.precise_taxes_cents) == (633, Decimal("633.27"))
    assert credit(one).total_cents == 3966
    rest = whole.after(one, credit(one))
    assert rest.gap_cents == Decimal("-0.27")
    two = note(rest, (second, 3333))
    assert (two.taxes_cents, two.precise_taxes_cents) == (634, Decimal("633.54"))
    assert credit(two).total_cents == 3967
    assert creditable_cents(rest.after(two, credit(two))) == 0


F1 = fee(1200, "20", coupons="681.08108", taxes=104)
F2 = fee(800, "20", coupons="454.05405", taxes=69)
F3 = fee(3000, "10", coupons="664.86486", taxes=234)
INV_A = invoice(F1, F2, F3, total=3606)


def test_n3_taxes_of_two_rates_over_discounted_fees() -> None:
    made = note(INV_A, (F1, 600), (F3, 3000))
    assert (made.coupons_cents, made.precise_coupons_cents) == (1005, Decimal("1005.40540"))
    assert (made.precise_taxes_cents, made.taxes_cents) == (Decimal("285.40541"), 285)
    assert (made.sub_total_cents, made.precise_total_cents) == (2595, Decimal("2880.00001"))
    assert made.worth_cents == 2880
    assert made.taxes_rate == 11
    assert [(row.base_cents, row.amount_cents) for row in made.taxes] == [(259, 52), (2335, 234)]


def test_n4_one_cent_moves_so_that_the_parts_add_up() -> None:
    line = fee(20000, "25", taxes=5000)
    whole = invoice(line, total=25000)
    item = unused_item(line, UnusedTime(20000, 30, DAY(2025, 6, 1), DAY(2025, 6, 30), DAY(2025, 6, 1)))
    assert item is not None
    assert item.precise_cents == Decimal("19333.33333")
    made = amounts_of(whole, [item])
    assert (made.precise_taxes_cents, made.taxes_cents, made.worth_cents) == (Decimal("4833.33333"), 4833, 24167)
    assert credit(made) == Parts(credit_cents=24166)


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        (Parts(credit_cents=100, refund_cents=21), Parts(credit_cents=99, refund_cents=21)),
        (Parts(refund_cents=100, offset_cents=21), Parts(refund_cents=99, offset_cents=21)),
        (Parts(offset_cents=119), Parts(offset_cents=120)),
        (Parts(offset_cents=120), Parts(offset_cents=120)),
    ],
)
def test_where_the_cent_goes(parts: Parts, wanted: Parts) -> None:
    line = fee(100, "20", taxes=20)
    assert adjusted(parts, note(invoice(line, total=120), (line, 100))) == wanted


def test_shares_of_coupons_are_rounded_once() -> None:
    """credits.md §4.10: item 600 with a share of 367.5 shows 368 and a sub total of 233."""
    line = fee(1200, coupons="735")
    made = note(invoice(line, total=465), (line, 600))
    assert (made.coupons_cents, made.sub_total_cents) == (368, 233)


# -- §3.6, §3.7 ----------------------------------------------------------------------------------


def test_an_estimate_moves_its_cent_the_other_way() -> None:
    line = fee(20000, "25", taxes=5000)
    whole = invoice(line, total=25000)
    more = estimate(whole, [NoteItem(line, Decimal("19333.33333"))])
    # 24166 (its item is 19333) − 4833 = 19333: nothing to move
    assert (more.total_cents, more.taxes_cents) == (24166, 4833)
    half = fee(1, "50")
    # worth R(1 + 0.5) = 2, taxes R(0.5) = 1, sub total 1
    assert estimate(invoice(half, total=2), [NoteItem(half, Decimal(1))]).total_cents == 2
    bent = fee(3, "50", coupons="1.4")
    # 1.6 + 0.8 = 2.4 → 2, taxes 1, sub total 2: the taxes give way
    bent_estimate = estimate(invoice(bent, total=2), [NoteItem(bent, Decimal(3))])
    assert (bent_estimate.total_cents, bent_estimate.taxes_cents) == (2, 0)
    full = fee(4, "50", coupons="0.7")
    # 3.3 + 1.65 = 4.95 → 5, taxes 2, sub total 3
    assert estimate(invoice(full, total=5), [NoteItem(full, Decimal(4))]).total_cents == 5
    over = fee(10, "15", coupons="7.61")
    # 2.39 + 0.3585 = 2.7485 → 3, taxes 0, sub total 2: the total gives way
    assert estimate(invoice(over, total=3), [NoteItem(over, Decimal(10))]).total_cents == 2


def test_limits_follow_what_was_noted_and_paid() -> None:
    line = fee(10000, "20", taxes=2000)
    whole = invoice(line, total=12000, paid_cents=9000)
    assert (creditable_cents(whole), refundable_cents(whole), due_cents(whole)) == (12000, 9000, 3000)
    part = note(whole, (line, 5000))
    rest = whole.after(part, Parts(refund_cents=5000, offset_cents=1000))
    assert (creditable_cents(rest), refundable_cents(rest), due_cents(rest)) == (6000, 4000, 2000)
    assert rest.notes_count == 1


@pytest.mark.parametrize(
    ("own", "limits"),
    [
        ({"status": "draft"}, (0, 0, 1200)),
        ({"status": "voided"}, (1200, 0, 0)),
        ({"paid_cents": 1200, "payment_status": "pending"}, (1200, 0, 0)),
        ({"paid_cents": 1200, "payment_status": "succeeded"}, (1200, 1200, 0)),
        ({"invoice_type": "credit"}, (0, 0, 1200)),
    ],
)
def test_limits_of_special_invoices(own: dict[str, Any], limits: tuple[int, int, int]) -> None:
    whole = invoice(fee(1000, "20", taxes=200), total=1200, **own)
    assert (creditable_cents(whole), refundable_cents(whole), due_cents(whole)) == limits


LINE = fee(5000, "10", taxes=500)


@pytest.mark.parametrize(
    ("parts", "own", "wanted"),
    [
        (Parts(credit_cents=1100), {}, []),
        (Parts(credit_cents=1102), {}, [("base", "does_not_match_item_amounts")]),
        (Parts(refund_cents=1100), {"paid_cents": 5500, "payment_status": "succeeded"}, []),
        (
            Parts(refund_cents=1100),
            {"paid_cents": 5500},
            [("refund_amount_cents", "cannot_refund_unpaid_invoice")],
        ),
        (
            Parts(refund_cents=1100),
            {},
            [
                ("refund_amount_cents", "cannot_refund_unpaid_invoice"),
                ("refund_amount_cents", "higher_than_remaining_invoice_amount"),
            ],
        ),
        (
            Parts(refund_cents=1100),
            {"paid_cents": 1500, "refunds_cents": 1000},
            [("refund_amount_cents", "higher_than_remaining_invoice_amount")],
        ),
        (
            Parts(credit_cents=1100),
            {"credits_cents": 4402},
            [
                ("credit_amount_cents", "higher_than_remaining_invoice_amount"),
                ("base", "higher_than_remaining_invoice_amount"),
            ],
        ),
        (Parts(credit_cents=1100), {"credits_cents": 4401}, []),
        (Parts(offset_cents=1100), {}, []),
        (
            Parts(offset_cents=1100),
            {"paid_cents": 4500},
            [("offset_amount_cents", "higher_than_remaining_invoice_amount")],
        ),
        (
            Parts(credit_cents=1100),
            {"invoice_type": "credit"},
            [("credit_amount_cents", "cannot_credit_invoice")],
        ),
        (
            Parts(offset_cents=1100),
            {"invoice_type": "credit", "paid_cents": 1},
            [
                ("offset_amount_cents", "cannot_apply_to_paid_invoice"),
                ("offset_amount_cents", "not_equal_to_total_amount"),
            ],
        ),
        (
            Parts(),
            {},
            [("base", "does_not_match_item_amounts"), ("base", "total_amount_must_be_positive")],
        ),
    ],
)
def test_refusals(parts: Parts, own: dict[str, Any], wanted: list[tuple[str, str]]) -> None:
    whole = invoice(LINE, total=5500, **own)
    assert list(refusals(whole, parts, note(whole, (LINE, 1000)))) == wanted


# -- §3.8 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "cents", "end", "on", "upgraded", "item", "total"),
    [
        (4990, 4990, 30, 12, False, "2994", 3593),
        (9900, 9900, 31, 18, False, "4151.6129", 4982),
        (9900, 9900, 31, 18, True, "4470.96774", 5365),
        (3000, 3000, 30, 10, False, "2000", 2400),
    ],
)
def test_unused_days(plan: int, cents: int, end: int, on: int, upgraded: bool, item: str, total: int) -> None:
    line = fee(cents, "20", taxes=cents // 5)
    month = 6 if end == 30 else 7
    time = UnusedTime(plan, end, DAY(2025, month, 1), DAY(2025, month, end), DAY(2025, month, on), upgraded=upgraded)
    found = unused_item(line, time)
    assert found is not None
    assert found.precise_cents == Decimal(item)
    made = amounts_of(invoice(line, total=cents + cents // 5), [found])
    assert credit(made).total_cents == total


JUNE = UnusedTime(3000, 30, DAY(2025, 6, 1), DAY(2025, 6, 30), DAY(2025, 6, 10))


@pytest.mark.parametrize(
    ("paid", "mode", "wanted"),
    [
        (3600, Mode.REFUND, Parts(refund_cents=2400)),
        (2000, Mode.REFUND, Parts(refund_cents=800, credit_cents=1600)),
        (900, Mode.REFUND, Parts(credit_cents=2400)),
        (3600, Mode.OFFSET, Parts(refund_cents=2400)),
        (2000, Mode.OFFSET, Parts(refund_cents=800, offset_cents=1600)),
        (900, Mode.OFFSET, Parts(offset_cents=2400)),
        (3600, Mode.CREDIT, Parts(credit_cents=2400)),
    ],
)
def test_refund_credit_and_offset_of_unused_days(paid: int, mode: Mode, wanted: Parts) -> None:
    line = fee(3000, "20", taxes=600)
    whole = invoice(line, total=3600, paid_cents=paid)
    item = unused_item(line, JUNE)
    assert item is not None
    assert divided(whole, line, JUNE, amounts_of(whole, [item]), mode) == wanted


def test_an_offset_never_exceeds_what_is_due() -> None:
    """An older note paid most of the invoice: the rest of the unused time is credited."""
    line = fee(3000, "20", taxes=600)
    whole = invoice(line, total=500, sub_total_including_cents=3600)
    made = note(whole, (line, 2000))
    assert divided(whole, line, JUNE, made, Mode.OFFSET) == Parts(offset_cents=500, credit_cents=1900)


def test_a_partly_paid_first_period() -> None:
    """subscriptions.md §4.8: 10 000 a month, fee 8-28 February, ended on the 21st, 7500 paid."""
    line = fee(7500, "20", taxes=1500)
    whole = invoice(line, total=9000, paid_cents=7500)
    time = UnusedTime(10000, 28, DAY(2025, 2, 8), DAY(2025, 2, 28), DAY(2025, 2, 21))
    item = unused_item(line, time)
    assert item is not None
    made = amounts_of(whole, [item])
    assert (item.precise_cents, made.worth_cents) == (Decimal(2500), 3000)
    assert divided(whole, line, time, made, Mode.REFUND) == Parts(refund_cents=1500, credit_cents=1500)


@pytest.mark.parametrize(("plan", "total"), [(1000, 806), (1500, 1210)])
def test_two_upgrades_of_one_day(plan: int, total: int) -> None:
    """subscriptions.md §4.8: 12 March 2024, 25 %; each fee is for the 20 days from that day on."""
    cents = round(plan * 20 / 31)
    line = fee(cents, "25", taxes=round(cents / 4))
    time = UnusedTime(plan, 31, DAY(2024, 3, 12), DAY(2024, 3, 31), DAY(2024, 3, 12), upgraded=True)
    item = unused_item(line, time)
    assert item is not None
    assert credit(amounts_of(invoice(line, total=0), [item])).total_cents == total


@pytest.mark.parametrize(
    ("trial_end", "on", "upgraded", "days"),
    [
        (DAY(2025, 6, 5), 10, False, 20),
        (DAY(2025, 6, 10), 10, False, 21),
        (DAY(2025, 6, 20), 10, False, 11),
        (DAY(2025, 7, 1), 10, False, 0),
        (DAY(2025, 6, 9), 10, True, 22),
        (DAY(2025, 6, 8), 10, True, 21),
    ],
)
def test_days_of_a_trial_are_not_unused(trial_end: dt.date, on: int, upgraded: bool, days: int) -> None:
    time = UnusedTime(3000, 30, DAY(2025, 6, 1), DAY(2025, 6, 30), DAY(2025, 6, on), trial_end, upgraded)
    assert time.days == days


def test_nothing_is_credited_twice() -> None:
    line = fee(3000, "20", taxes=600, credited=1500)
    item = unused_item(line, JUNE)
    assert item is not None
    assert item.precise_cents == 500
    assert unused_item(fee(3000, credited=2000), JUNE) is None
    assert unused_item(fee(0), JUNE) is None


def test_the_two_notes_of_a_voided_invoice() -> None:
    line = fee(10000, "20", taxes=2000)
    whole = invoice(line, total=12000)
    wanted = amounts_of(whole, spread(whole, 5000, creditable_cents(whole)))
    (item,) = wanted.items
    assert (item.precise_cents, item.amount_cents, wanted.taxes_cents) == (Decimal("4166.66667"), 4167, 833)
    rest = whole.after(wanted, adjusted(Parts(credit_cents=5000), wanted))
    left = amounts_of(rest, rest.remaining)
    assert left.items[0].precise_cents == 5833
    assert (left.precise_taxes_cents, left.taxes_cents) == (Decimal("1166.93333"), 1167)
    assert credit(left).total_cents == 7000


# -- §3.9 ----------------------------------------------------------------------------------------


def available(cents: int, day: int = 1) -> AvailableNote:
    return AvailableNote(uuid4(), uuid4(), "EUR", cents, CREATED_AT.replace(day=day))


MOST = [each.amount_cents - each.precise_coupons_cents + each.taxes_cents for each in INV_A.fees]


def test_notes_pay_an_invoice_the_oldest_first() -> None:
    older, newer = available(1000, day=1), available(3000, day=2)
    made = consume(3606, MOST, [newer, older])
    assert made.credits == ((older.id, 1000), (newer.id, 2606))
    assert [str(cents) for cents in made.borne_cents] == ["622.91892", "414.94595", "2569.13514"]
    one = consume(3606, MOST, [older])
    assert [str(cents) for cents in one.borne_cents] == ["172.74512", "115.07098", "712.46121"]


def test_empty_notes_and_paid_invoices_use_nothing() -> None:
    assert consume(0, [Decimal(0)], [available(5)]).credits == ()
    assert consume(10, [Decimal(10)], [available(0)]).credits == ()
    assert consume(10, [Decimal(10)], []).amount_cents == 0
