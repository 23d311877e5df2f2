"""What coupons take off invoices: the worked examples of credits.md §1.4-1.8 and invoicing.md §3.3."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from tallystick.core.contract import TaxTerms
from tallystick.core.coupons import CouponLine, CouponTerms, Discount, Frequency, discount, in_order
from tallystick.core.invoice import FeeDraft, FeeType, compose

M1, M2, M3 = UUID(int=1), UUID(int=2), UUID(int=3)
P, Q = UUID(int=11), UUID(int=12)
ONCE, RECURRING, FOREVER = Frequency.ONCE, Frequency.RECURRING, Frequency.FOREVER


def fixed(cents: int, frequency: Frequency = ONCE, day: int = 1, **more: Any) -> CouponTerms:
    """A coupon of an amount in EUR, applied on a day of January."""
    given: dict[str, Any] = {"amount_cents": cents, "currency": "EUR", "remaining_cents": cents, **more}
    return CouponTerms(uuid4(), frequency, dt.datetime(2025, 1, day, tzinfo=dt.UTC), **given)


def percentage(rate: str, frequency: Frequency = ONCE, day: int = 1, **more: Any) -> CouponTerms:
    """A coupon of a percentage."""
    applied_at = dt.datetime(2025, 1, day, tzinfo=dt.UTC)
    return CouponTerms(uuid4(), frequency, applied_at, percentage_rate=Decimal(rate), **more)


def line(cents: int, metric: UUID | None = None, *plans: UUID) -> CouponLine:
    return CouponLine(cents, metric_id=metric, plan_ids=frozenset(plans))


def take(lines: list[CouponLine], *coupons: CouponTerms, currency: str = "EUR") -> Discount:
    """Apply the coupons to an invoice of these lines."""
    return discount(lines, coupons, sum(line.amount_cents for line in lines), currency)


def amounts(made: Discount) -> list[int]:
    return [credit.amount_cents for credit in made.credits]


def shares(made: Discount) -> list[str]:
    return [f"{taken:.5f}" for taken in made.taken_cents]


# -- §1.8: INV-A ---------------------------------------------------------------------------------

INV_A = [line(1200, M1, Q), line(800, M2, Q), line(3000, None, P)]
C1 = fixed(1000, metric_ids=frozenset({M1, M2}), day=3)
C2 = percentage("10", plan_ids=frozenset({P}), day=2)
C3 = fixed(500, day=1)


def test_metric_limited_then_plan_limited_then_unlimited() -> None:
    made = take(INV_A, C3, C2, C1)
    assert [credit.applied_coupon_id for credit in made.credits] == [C1.id, C2.id, C3.id]
    assert amounts(made) == [1000, 300, 500]
    assert shares(made) == ["681.08108", "454.05405", "664.86486"]
    assert made.amount_cents == 1800


@pytest.mark.parametrize(
    ("coupons", "expected"),
    [
        ([C1], ["600.00000", "400.00000", "0.00000"]),
        ([C1, C2], ["600.00000", "400.00000", "300.00000"]),
        ([C1, C2, C3], ["681.08108", "454.05405", "664.86486"]),
    ],
)
def test_shares_step_by_step(coupons: list[CouponTerms], expected: list[str]) -> None:
    assert shares(take(INV_A, *coupons)) == expected


def test_taxes_follow_the_net_of_each_fee() -> None:
    high, low = (TaxTerms(uuid4(), rate, rate, Decimal(rate), None) for rate in ("20", "10"))
    fees = [fee(1200, high), fee(800, high), fee(3000, low)]
    invoice = compose(fees, take(INV_A, C1, C2, C3))
    assert [taxed.taxes.amount_cents for taxed in invoice.fees] == [104, 69, 234]
    assert [(row.fees_amount_cents, row.amount_cents) for row in invoice.taxes.rows] == [(864, 173), (2335, 234)]
    assert invoice.taxes_amount_cents == 406
    assert invoice.taxes.rate == Decimal("12.7027")
    assert (invoice.coupons_amount_cents, invoice.sub_total_excluding_taxes_amount_cents) == (1800, 3200)
    assert invoice.total_amount_cents == 3606
    assert [(credit.kind, credit.amount_cents, credit.before_taxes) for credit in invoice.credits] == [
        ("coupon", 1000, True),
        ("coupon", 300, True),
        ("coupon", 500, True),
    ]


def test_chained_rounding() -> None:
    lines = [line(1000, M1), line(2000, M2), line(4000, M3)]
    a, b = fixed(1000, metric_ids=frozenset({M1, M2})), fixed(500)
    assert shares(take(lines, a)) == ["333.33333", "666.66667", "0.00000"]
    made = take(lines, a, b)
    assert shares(made) == ["388.88889", "777.77778", "333.33333"]
    vat = TaxTerms(uuid4(), "vat", "VAT", Decimal(20), None)
    invoice = compose([fee(1000, vat), fee(2000, vat), fee(4000, vat)], made)
    assert [taxed.taxes.amount_cents for taxed in invoice.fees] == [122, 244, 733]
    assert (invoice.taxes_amount_cents, invoice.total_amount_cents) == (1100, 6600)


def test_invoice_of_plan_usage_and_true_up() -> None:
    """invoicing.md §3.3, without the credit note and the wallet that come after taxes."""
    ten, none, twenty = (TaxTerms(uuid4(), rate, rate, Decimal(rate), None) for rate in ("10", "0", "20"))
    fees = [fee(10000, ten), fee(5000, none), fee(3000, twenty), fee(2000, twenty)]
    made = take([line(each.amount_cents) for each in fees], fixed(1000))
    invoice = compose(fees, made)
    assert shares(made) == ["500.00000", "250.00000", "150.00000", "100.00000"]
    assert [taxed.taxes.amount_cents for taxed in invoice.fees] == [950, 0, 570, 380]
    assert (invoice.sub_total_excluding_taxes_amount_cents, invoice.taxes_amount_cents) == (19000, 1900)
    assert (invoice.taxes.rate, invoice.sub_total_including_taxes_amount_cents) == (Decimal(10), 20900)
    assert compose(fees).total_amount_cents == 22000


def fee(cents: int, *taxes: TaxTerms) -> FeeDraft:
    return FeeDraft(
        id=uuid4(),
        subscription_id=uuid4(),
        fee_type=FeeType.CHARGE,
        currency="EUR",
        amount_cents=cents,
        precise_amount_cents=Decimal(cents),
        units=Decimal(1),
        unit_amount=Decimal(cents) / 100,
        taxes=taxes,
    )


# -- lifetimes (§1.5, §1.8) ----------------------------------------------------------------------


def live(coupon: CouponTerms, *totals: int) -> tuple[list[int | None], CouponTerms]:
    """What a coupon takes off one invoice after another, None where it is gone, and how it ends."""
    taken: list[int | None] = []
    for total in totals:
        made = take([line(total)], *([] if coupon.terminated else [coupon]))
        taken.append(made.amount_cents if made.credits else None)
        coupon = next(iter(made.used), coupon)
    return taken, coupon


def test_an_amount_used_once_keeps_its_rest() -> None:
    taken, coupon = live(fixed(1000), 700)
    assert (taken, coupon.remaining_cents, coupon.terminated) == ([700], 300, False)
    taken, coupon = live(fixed(1000), 700, 900, 900)
    assert (taken, coupon.remaining_cents, coupon.terminated) == ([700, 300, None], 0, True)


def test_an_amount_that_fits_exactly_is_used_up() -> None:
    taken, coupon = live(fixed(700), 700)
    assert (taken, coupon.terminated) == ([700], True)


def test_a_recurring_amount_loses_what_it_does_not_use() -> None:
    taken, coupon = live(fixed(1000, RECURRING, remaining_invoices=2), 700, 900, 900)
    assert (taken, coupon.remaining_invoices, coupon.terminated) == ([700, 900, None], 0, True)


def test_an_amount_for_ever_never_ends() -> None:
    taken, coupon = live(fixed(1000, FOREVER), 700, 900, 1500)
    assert (taken, coupon.terminated) == ([700, 900, 1000], False)


@pytest.mark.parametrize(
    ("coupon", "taken"),
    [
        (percentage("30"), [210, None]),
        (percentage("30", RECURRING, remaining_invoices=2), [210, 270]),
        (percentage("30", FOREVER), [210, 270]),
    ],
)
def test_percentages(coupon: CouponTerms, taken: list[int | None]) -> None:
    assert live(coupon, 700, 900)[0] == taken


# -- who is skipped, and what counts -------------------------------------------------------------


def test_the_oldest_comes_first_within_a_group() -> None:
    young, old = fixed(100, day=2), fixed(100, day=1)
    limited = fixed(100, day=3, plan_ids=frozenset({P}))
    assert in_order([young, old, limited]) == [limited, old, young]


def test_amounts_count_in_their_currency_only() -> None:
    made = take([line(1000)], fixed(100), percentage("10"), currency="USD")
    assert (amounts(made), len(made.used)) == ([100], 1)
    assert made.used[0].percentage_rate == 10


def test_a_coupon_without_eligible_fee_is_not_used() -> None:
    made = take([line(1000, M1, P)], fixed(100, metric_ids=frozenset({M2})), percentage("5", plan_ids=frozenset({Q})))
    assert (made.credits, made.used) == ((), ())


def test_a_plan_limit_covers_all_fees_of_the_plan_and_of_its_overrides() -> None:
    lines = [line(1000, M1, P), line(500, None, Q, P), line(700, None, Q)]
    made = take(lines, percentage("10", plan_ids=frozenset({P})))
    assert shares(made) == ["100.00000", "50.00000", "0.00000"]


def test_eligible_fees_of_nothing_use_the_coupon_up() -> None:
    """[Q] of §1.5: a credit of 0 is recorded."""
    made = take([line(0, M1), line(900)], percentage("50", metric_ids=frozenset({M1})))
    assert amounts(made) == [0]
    assert made.used[0].terminated


def test_the_rest_is_not_used_once_nothing_is_left() -> None:
    first, second = fixed(5000, day=1), fixed(300, day=2)
    made = take([line(800), line(200)], first, second)
    assert amounts(made) == [1000]
    assert [coupon.id for coupon in made.used] == [first.id]
    assert shares(made) == ["800.00000", "200.00000"]


def test_more_than_a_hundred_percent_takes_all() -> None:
    made = take([line(333), line(334)], percentage("250", FOREVER))
    assert amounts(made) == [667]


def test_percentages_round_half_away_from_zero() -> None:
    assert amounts(take([line(1005)], percentage("10"))) == [101]
    assert amounts(take([line(1004)], percentage("10"))) == [100]


def test_a_fraction_of_a_cent_left_on_limited_fees_is_cut() -> None:
    """The base of a limited coupon may be fractional; the credit counts with its integer part (§1.4)."""
    both = fixed(1000, metric_ids=frozenset({M1, M2}), day=1)
    one = percentage("100", metric_ids=frozenset({M1}), day=2)
    made = take([line(1000, M1), line(2000, M2)], both, one)
    assert amounts(made) == [1000, 666]
    assert shares(made) == ["1000.00000", "666.66667"]


def test_credits_never_exceed_the_invoice() -> None:
    """Three fractions rounded up would take one cent more than there is."""
    everything = fixed(1000, metric_ids=frozenset({M1, M2, M3}), day=1)
    each = [
        percentage("99.99", metric_ids=frozenset({metric}), day=2 + place) for place, metric in enumerate((M1, M2, M3))
    ]
    made = take([line(1000, M1), line(1000, M2), line(1000, M3)], everything, *each)
    assert amounts(made) == [1000, 667, 667, 666]


def test_usage_billed_before_is_out_of_reach() -> None:
    """Shares taken before count: the base is what is left (§1.7)."""
    lines = [CouponLine(1000, Decimal(400), M1), CouponLine(500)]
    made = discount(lines, [fixed(300, metric_ids=frozenset({M1}))], 1100, "EUR")
    assert shares(made) == ["700.00000", "0.00000"]
