"""Periods and windows tile time without hole or overlap, and prorated days of a period's parts sum to it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from tallystick.core.periods import (
    BillingTime,
    Interval,
    Period,
    Schedule,
    local_date,
    local_midnight,
    period_containing,
    previous,
)
from tallystick.core.proration import days_between, plan_fee, plan_fee_days, sub_days
from tallystick.core.windows import (
    Window,
    current_windows,
    windows_at_start,
    windows_at_termination,
    windows_at_tick,
)

ZONES = (
    "UTC",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "America/New_York",
    "Pacific/Pago_Pago",
    "Pacific/Tongatapu",
    "Europe/Paris",
    "Africa/Cairo",
    "Australia/Lord_Howe",
)
intervals = st.sampled_from(Interval)
billing_times = st.sampled_from(BillingTime)
zones = st.sampled_from(ZONES)
days = st.dates(date(2005, 1, 1), date(2035, 12, 31))
month_ends = st.builds(lambda y, m, d: date(y, m, d), st.integers(2005, 2030), st.sampled_from([1, 8]), st.just(31))
anchors = days | month_ends | st.sampled_from([date(2024, 2, 29), date(2023, 11, 30), date(2023, 1, 29)])
first, last = datetime(2005, 1, 1), datetime(2030, 12, 31)  # noqa: DTZ001 - Hypothesis adds the zone itself
instants = st.datetimes(first, last, timezones=st.just(UTC))


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Schedule, datetime]:
    """A schedule and a start; the row may be younger than its anchor, as after an upgrade."""
    tz, subscription_at = draw(zones), draw(instants)
    started_at = subscription_at + draw(st.sampled_from([timedelta(0)]) | st.timedeltas(timedelta(0), timedelta(800)))
    flags = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    return Schedule(draw(intervals), draw(billing_times), local_date(subscription_at, tz), tz, *flags), started_at


def has_all_its_days(period: Period, tz: str) -> bool:
    """False for periods that hold or meet the date Samoa skipped, which nobody lived and no window covers."""
    return tz != "Pacific/Apia" or not period.start_on <= date(2011, 12, 31) <= period.end_on + timedelta(days=1)


def ticks(schedule: Schedule, started_at: datetime, count: int) -> list[date]:
    found, on = [], local_date(started_at, schedule.timezone)
    for _ in range(count):
        on = schedule.next_tick_on(on)
        found.append(on)
    return found


@given(intervals, billing_times, anchors, days)
def test_periods_tile_the_calendar(interval: Interval, billing_time: BillingTime, anchor: date, on: date) -> None:
    period = period_containing(on, interval, billing_time, anchor)
    assert period.start_on <= on < period.end_on
    for day in (period.start_on, period.end_on - timedelta(days=1)):
        assert period_containing(day, interval, billing_time, anchor) == period
    after = period_containing(period.end_on, interval, billing_time, anchor)
    assert after.start_on == period.end_on
    assert previous(after, interval, billing_time, anchor) == period


@given(intervals, anchors)
def test_an_anniversary_period_starts_on_the_anchor(interval: Interval, anchor: date) -> None:
    assert period_containing(anchor, interval, BillingTime.ANNIVERSARY, anchor).start_on == anchor


@given(st.sampled_from([Interval.YEARLY, Interval.SEMIANNUAL]), billing_times, anchors, days)
def test_period_starts_are_a_subset_of_split_starts(
    interval: Interval, billing_time: BillingTime, anchor: date, on: date
) -> None:
    schedule = Schedule(interval, billing_time, anchor, "UTC", bill_charges_monthly=True)
    assert schedule.is_tick(schedule.containing(on).start_on)


@given(zones, days)
def test_midnight_is_the_first_instant_of_its_date(tz: str, on: date) -> None:
    first = local_midnight(on, tz)
    assert local_date(first, tz) >= on  # later only for the one date Apia skipped
    assert local_date(first - timedelta(microseconds=1), tz) < on


@given(schedules())
def test_the_next_tick_is_the_first_tick_after_a_day(case: tuple[Schedule, datetime]) -> None:
    schedule, started_at = case
    on = local_date(started_at, schedule.timezone)
    for tick in ticks(schedule, started_at, 4):
        assert tick > on
        assert schedule.is_tick(tick)
        assert schedule.next_tick_on(tick - timedelta(days=1)) == tick
        assert not any(schedule.is_tick(on + timedelta(days=n)) for n in range(1, (tick - on).days))
        on = tick


@given(schedules())
def test_usage_windows_of_consecutive_ticks_tile_from_the_start(case: tuple[Schedule, datetime]) -> None:
    schedule, started_at = case
    usage_end_at = fixed_end_at = started_at
    for tick in ticks(schedule, started_at, 26):
        found = windows_at_tick(schedule, started_at, tick)
        if found.charges:
            assert found.charges.start_at == usage_end_at
            usage_end_at = found.charges.end_at
            assert usage_end_at == schedule.tick_at(tick)
        if found.fixed:
            assert found.fixed.start_at == fixed_end_at
            fixed_end_at = found.fixed.end_at
    assert usage_end_at > started_at
    assert fixed_end_at > started_at


@given(schedules())
def test_plan_windows_with_a_fee_tile_from_the_first_midnight(case: tuple[Schedule, datetime]) -> None:
    schedule, started_at = case
    invoices = [windows_at_start(schedule, started_at)]
    invoices += [windows_at_tick(schedule, started_at, tick) for tick in ticks(schedule, started_at, 26)]
    end_at = local_midnight(local_date(started_at, schedule.timezone), schedule.timezone)
    for found in invoices:
        if found.plan_fee_due:
            assert found.plan is not None
            assert found.plan.start_at == end_at
            end_at = found.plan.end_at
            assert plan_fee_days(found.plan, schedule.timezone) <= found.plan_days_in_full_period
    assert end_at > started_at


@given(schedules())
def test_fixed_charges_in_advance_tile_from_the_start(case: tuple[Schedule, datetime]) -> None:
    schedule, started_at = case
    first = windows_at_start(schedule, started_at).fixed_in_advance
    assert first is not None
    end_at = first.end_at
    for tick in ticks(schedule, started_at, 14):
        window = windows_at_tick(schedule, started_at, tick).fixed_in_advance
        if window:
            assert window.start_at == end_at
            end_at = window.end_at


@given(schedules(), st.timedeltas(timedelta(0), timedelta(days=900)), st.booleans())
def test_termination_leaves_no_used_instant_unbilled(
    case: tuple[Schedule, datetime], lived: timedelta, billed: bool
) -> None:
    """The last usage window follows the last tick's; only an unbilled tick's own day is given away."""
    schedule, started_at = case
    terminated_at = started_at + lived
    on = local_date(terminated_at, schedule.timezone)
    usage_end_at = started_at
    for tick in ticks(schedule, started_at, 140):
        if tick > on or (tick == on and not billed):
            break
        found = windows_at_tick(schedule, started_at, tick)
        usage_end_at = found.charges.end_at if found.charges else usage_end_at
    last = windows_at_termination(schedule, started_at, terminated_at, billed).charges
    assert last is not None
    young = lived < timedelta(hours=24) and schedule.is_tick(on)  # a tick within the first 24 h gives the past away
    assert last.start_at == usage_end_at or young
    if last.end_at != terminated_at + timedelta(microseconds=1):
        assert last.end_at == schedule.tick_at(on)
        assert not billed


@given(schedules(), instants)
def test_the_current_window_holds_now(case: tuple[Schedule, datetime], at: datetime) -> None:
    schedule, started_at = case
    now = max(at, started_at)
    found = current_windows(schedule, started_at, None, now)
    for window in (found.plan, found.charges, found.fixed, found.fixed_in_advance):
        assert window is not None
        assert window.start_at <= now < window.end_at


@given(intervals, billing_times, anchors, zones, days, st.lists(st.integers(1, 365), max_size=4))
def test_days_of_the_parts_of_a_period_sum_to_it(
    interval: Interval, billing_time: BillingTime, anchor: date, tz: str, on: date, cuts: list[int]
) -> None:
    period = period_containing(on, interval, billing_time, anchor)
    assume(has_all_its_days(period, tz))
    inner = {period.start_on + timedelta(days=cut) for cut in cuts if cut < period.days}
    bounds = [local_midnight(day, tz) for day in sorted({period.start_on, *inner, period.end_on})]
    parts = [Window(start, end) for start, end in pairwise(bounds) if start < end]
    assert sum(sub_days(part, tz) for part in parts) == period.days
    assert sum(plan_fee_days(part, tz) for part in parts) == period.days


@given(schedules(), st.integers(0, 10**9))
def test_an_upgrade_within_a_period_bills_its_days_once(case: tuple[Schedule, datetime], price: int) -> None:
    schedule, upgraded_at = case
    tz = schedule.timezone
    period = schedule.containing(local_date(upgraded_at, tz))
    assume(has_all_its_days(period, tz))
    born_at = local_midnight(period.start_on, tz)
    old = windows_at_termination(schedule, born_at, upgraded_at, tick_already_billed=True).plan
    new = current_windows(schedule, upgraded_at, None, upgraded_at).plan
    assert old is not None
    assert new is not None
    n_old, n_new = plan_fee_days(old, tz, upgraded_at=upgraded_at), plan_fee_days(new, tz)
    assert n_old + n_new == period.days
    fees = plan_fee(price, n_old, period.days)[1] + plan_fee(price, n_new, period.days)[1]
    assert abs(fees - price) <= 1


@given(zones, instants, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_days_between_covers_the_wall_clock(tz: str, start: datetime, length: timedelta) -> None:
    end = start + length
    counted = days_between(start, end, tz)
    dates = (local_date(end, tz) - local_date(start, tz)).days
    assert dates <= counted <= dates + 1
