"""Whatever fees and coupons an invoice has: parts add up, nothing is negative, and lifetimes are kept."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.contract import TaxTerms
from tallystick.core.coupons import CouponLine, CouponTerms, Frequency, discount
from tallystick.core.invoice import FeeDraft, FeeType, compose
from tests.property.test_invoice_property import TAXES

METRICS = [UUID(int=place) for place in range(1, 4)]
PLANS = [UUID(int=place) for place in range(11, 14)]
START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


@st.composite
def lines(draw: st.DrawFn) -> CouponLine:
    return CouponLine(
        amount_cents=draw(st.integers(0, 10**7)),
        metric_id=draw(st.sampled_from([None, *METRICS])),
        plan_ids=draw(st.frozensets(st.sampled_from(PLANS), min_size=1, max_size=2)),
    )


@st.composite
def coupons(draw: st.DrawFn) -> CouponTerms:
    cents = draw(st.integers(0, 10**7))
    limit = draw(st.sampled_from(["none", "plans", "metrics"]))
    return CouponTerms(
        id=uuid4(),
        frequency=draw(st.sampled_from(list(Frequency))),
        applied_at=START + dt.timedelta(days=draw(st.integers(0, 5))),
        percentage_rate=draw(st.none() | st.decimals(0, 150, places=5)),
        amount_cents=cents,
        currency=draw(st.sampled_from(["EUR", "EUR", "USD"])),
        remaining_cents=draw(st.integers(0, cents)),
        remaining_invoices=draw(st.integers(1, 12)),
        plan_ids=draw(st.frozensets(st.sampled_from(PLANS), min_size=1)) if limit == "plans" else frozenset(),
        metric_ids=draw(st.frozensets(st.sampled_from(METRICS), min_size=1)) if limit == "metrics" else frozenset(),
    )


@given(st.lists(lines(), min_size=1, max_size=8), st.lists(coupons(), max_size=6), st.data())
def test_parts_add_up(fees: list[CouponLine], applied: list[CouponTerms], data: st.DataObject) -> None:
    total = sum(line.amount_cents for line in fees)
    made = discount(fees, applied, total, "EUR")
    assert 0 <= made.amount_cents <= total
    assert all(credit.amount_cents >= 0 for credit in made.credits)
    assert all(0 <= taken <= line.amount_cents for taken, line in zip(made.taken_cents, fees, strict=True))
    assert abs(sum(made.taken_cents, Decimal(0)) - made.amount_cents) <= len(made.credits)
    taxes = tuple(data.draw(st.lists(st.sampled_from(TAXES), max_size=2, unique=True)))
    # compose proves the rest: it raises unless all totals are the sums of their parts
    invoice = compose([_fee(line, taxes) for line in fees], made)
    assert invoice.sub_total_excluding_taxes_amount_cents == total - made.amount_cents


def _fee(line: CouponLine, taxes: tuple[TaxTerms, ...]) -> FeeDraft:
    return FeeDraft(
        id=uuid4(),
        subscription_id=uuid4(),
        fee_type=FeeType.CHARGE,
        currency="EUR",
        amount_cents=line.amount_cents,
        precise_amount_cents=Decimal(line.amount_cents),
        units=Decimal(1),
        unit_amount=Decimal(line.amount_cents) / 100,
        taxes=taxes,
    )


@given(st.lists(lines(), min_size=1, max_size=8), st.lists(coupons(), max_size=6))
def test_only_what_takes_part_is_used(fees: list[CouponLine], applied: list[CouponTerms]) -> None:
    made = discount(fees, applied, sum(line.amount_cents for line in fees), "EUR")
    before = {coupon.id: coupon for coupon in applied}
    assert [credit.applied_coupon_id for credit in made.credits] == [coupon.id for coupon in made.used]
    for credit, after in zip(made.credits, made.used, strict=True):
        coupon = before[credit.applied_coupon_id]
        assert coupon.percentage_rate is not None or coupon.currency == "EUR"
        if coupon.frequency is Frequency.FOREVER:
            assert after == coupon
        elif coupon.frequency is Frequency.RECURRING:
            assert after.remaining_invoices == coupon.remaining_invoices - 1
            assert after.terminated == (after.remaining_invoices == 0)
        elif coupon.percentage_rate is not None:
            assert after.terminated
        else:
            assert after.remaining_cents == coupon.remaining_cents - credit.amount_cents >= 0


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=30), st.integers(1, 10**7))
def test_an_amount_used_once_gives_itself_and_no_more(totals: list[int], cents: int) -> None:
    coupon = CouponTerms(uuid4(), Frequency.ONCE, START, amount_cents=cents, currency="EUR", remaining_cents=cents)
    given = 0
    for total in totals:
        if coupon.terminated:
            break
        made = discount([CouponLine(total)], [coupon], total, "EUR")
        given += made.amount_cents
        (coupon,) = made.used
    assert given == min(cents, sum(totals))
    assert coupon.terminated == (cents <= sum(totals))
