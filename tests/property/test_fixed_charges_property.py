"""Parts of a period sum to it: units of a fixed charge over any cut of its window, and commitments over lives."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.commitments import reconciled_at_end, reconciled_at_tick, shortfall
from tallystick.core.fixed_charges import UnitRecord, price_of_raise, raise_of, rated_units
from tallystick.core.periods import BillingTime, Interval, Schedule, local_date, local_midnight
from tallystick.core.rating import tariff
from tallystick.core.windows import Window

ZONES = st.sampled_from(["UTC", "America/New_York", "Asia/Tokyo", "Europe/Paris"])
SPRING = datetime(2024, 12, 1), datetime(2025, 4, 30)  # noqa: DTZ001  hypothesis adds the zone
TWO_YEARS = datetime(2023, 1, 1), datetime(2024, 12, 31)  # noqa: DTZ001
UNITS = st.decimals(min_value=0, max_value=1000, places=2)
MOMENTS = st.datetimes(*SPRING, timezones=st.just(UTC))


@st.composite
def changes(draw: st.DrawFn) -> list[UnitRecord]:
    """Changes applied at once, each later than the one before."""
    moments = sorted(draw(st.lists(MOMENTS, max_size=6)))
    return [UnitRecord(moment, draw(UNITS)) for moment in moments]


@given(changes(), st.integers(1, 30), ZONES)
def test_two_parts_of_a_month_sum_to_it(records: list[UnitRecord], day: int, tz: str) -> None:
    first, last = local_midnight(date(2025, 3, 1), tz), local_midnight(date(2025, 4, 1), tz)
    cut = local_midnight(date(2025, 3, 1) + timedelta(days=day), tz)
    whole, left, right = (
        rated_units(records, Window(*bounds), 31, tz, prorated=True)
        for bounds in ((first, last), (first, cut), (cut, last))
    )
    # each record's share is rounded to six decimals on its own
    assert abs(left.rated + right.rated - whole.rated) <= Decimal("0.0000005") * (len(records) * 2 + 2)
    assert sum(share.days for share in (*left.shares, *right.shares)) == sum(share.days for share in whole.shares)
    assert right.full == whole.full


@given(st.lists(st.tuples(st.integers(1, 31), UNITS), min_size=1, max_size=8))
def test_raises_pay_for_the_peak_and_no_more(wishes: list[tuple[int, Decimal]]) -> None:
    window = Window(datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC))
    billed = Decimal(0)
    for day, units in sorted(wishes):
        at = datetime(2025, 1, day, 12, tzinfo=UTC)
        added = raise_of(units, billed, window, 31, "UTC", at, prorated=True)
        price = price_of_raise(tariff("standard", {"amount": "10"}, prorated=False, currency="EUR"), added)
        assert price.amount >= 0
        billed += price.units
    assert billed == max(units for _, units in wishes)


@given(
    st.sampled_from(Interval),
    st.sampled_from(BillingTime),
    st.datetimes(*TWO_YEARS, timezones=st.just(UTC)),
    st.integers(0, 800),
    ZONES,
)
def test_reconciled_days_of_a_life_are_its_days(
    interval: Interval, billing_time: BillingTime, started_at: datetime, lived: int, tz: str
) -> None:
    plan = Schedule(interval, billing_time, local_date(started_at, tz), tz)
    terminated_at = started_at + timedelta(days=lived)
    started_on, ended_on = local_date(started_at, tz), local_date(terminated_at, tz)
    days, tick_on = 0, plan.next_tick_on(started_on)
    while tick_on <= ended_on:
        period = reconciled_at_tick(plan, started_at, tick_on)
        assert period is not None
        assert 0 < period.days <= period.full_days
        days += period.days
        tick_on = plan.next_tick_on(tick_on)
    last = reconciled_at_end(plan, started_at, terminated_at, True)
    assert last is not None
    assert days + last.days == (ended_on - started_on).days + 1


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.integers(1, 31))
def test_a_commitment_is_filled_exactly(amount: int, billed: int, day: int) -> None:
    plan = Schedule(Interval.MONTHLY, BillingTime.CALENDAR, date(2025, 1, 1), "UTC")
    period = reconciled_at_end(plan, datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, day, 12, tzinfo=UTC), True)
    assert period is not None
    found = shortfall(amount, period, billed, Decimal(billed))
    if found is None:
        assert billed * 31 >= amount * day - 31
    else:
        assert found.amount_cents + billed == found.committed_cents
        assert found.amount_cents > 0
