"""The windows of subscriptions.md §3.2-§3.7: every worked table, at start, ticks, terminations and plan changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tallystick.core.periods import BillingTime, Interval, Schedule, local_date
from tallystick.core.windows import (
    NotABillingDay,
    Window,
    Windows,
    current_windows,
    joined_after_timezone_change,
    windows_at_start,
    windows_at_termination,
    windows_at_tick,
    windows_at_trial_end,
    windows_of_old_row_at_downgrade,
)

ANNIVERSARY, CALENDAR = BillingTime.ANNIVERSARY, BillingTime.CALENDAR
D = date.fromisoformat


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(start: str, end: str) -> Window:
    """Both instants half-open; a bare date is its midnight."""
    return Window(at(start), at(end))


def until(start: str, last: str) -> Window:
    """A window that ends with an instant, as a termination does."""
    return Window(at(start), at(last) + timedelta(microseconds=1))


def schedule(interval: Interval, billing_time: BillingTime, anchor: str, tz: str = "UTC", **terms: bool) -> Schedule:
    return Schedule(interval, billing_time, D(anchor), tz, **terms)


# §3.3: interval, billing time, full length, end of the first window, tick 1, tick 2
FIRST_WINDOWS = [
    ("weekly", "calendar", 7, "2024-02-19", "2024-02-26"),
    ("weekly", "anniversary", 7, "2024-02-21", "2024-02-28"),
    ("monthly", "calendar", 29, "2024-03-01", "2024-04-01"),
    ("monthly", "anniversary", 29, "2024-03-14", "2024-04-14"),
    ("quarterly", "calendar", 91, "2024-04-01", "2024-07-01"),
    ("quarterly", "anniversary", 90, "2024-05-14", "2024-08-14"),
    ("semiannual", "calendar", 182, "2024-07-01", "2025-01-01"),
    ("semiannual", "anniversary", 182, "2024-08-14", "2025-02-14"),
    ("yearly", "calendar", 366, "2025-01-01", "2026-01-01"),
    ("yearly", "anniversary", 366, "2025-02-14", "2026-02-14"),
]
STARTED = "2024-02-14T10:00"


@pytest.mark.parametrize(("interval", "billing_time", "days", "tick_1", "tick_2"), FIRST_WINDOWS)
def test_first_windows_in_arrears(interval: str, billing_time: str, days: int, tick_1: str, tick_2: str) -> None:
    plan = schedule(Interval(interval), BillingTime(billing_time), "2024-02-14")
    start = windows_at_start(plan, at(STARTED))
    assert (start.plan, start.charges, start.fixed, start.plan_fee_due) == (None, None, None, False)
    assert start.fixed_in_advance == window(STARTED, tick_1)
    assert start.fixed_in_advance_duration_days == days

    assert plan.next_tick_on(D("2024-02-14")) == D(tick_1)
    assert plan.next_tick_on(D(tick_1)) == D(tick_2)
    first = windows_at_tick(plan, at(STARTED), D(tick_1))
    assert first.plan == window("2024-02-14", tick_1)
    assert first.charges == first.fixed == window(STARTED, tick_1)
    assert first.fixed_in_advance == window(tick_1, tick_2)
    assert first.plan_fee_due
    assert first.plan_days_in_full_period == first.charges_duration_days == first.fixed_duration_days == days
    assert first.fixed_in_advance_duration_days == (D(tick_2) - D(tick_1)).days

    second = windows_at_tick(plan, at(STARTED), D(tick_2))
    assert second.plan == second.charges == second.fixed == window(tick_1, tick_2)


@pytest.mark.parametrize(("interval", "billing_time", "days", "tick_1", "tick_2"), FIRST_WINDOWS)
def test_first_windows_in_advance(interval: str, billing_time: str, days: int, tick_1: str, tick_2: str) -> None:
    plan = schedule(Interval(interval), BillingTime(billing_time), "2024-02-14", pay_in_advance=True)
    start = windows_at_start(plan, at(STARTED))
    assert start.plan == window("2024-02-14", tick_1)
    assert start.plan_fee_due
    assert start.plan_days_in_full_period == days
    assert (start.charges, start.fixed) == (None, None)
    assert start.fixed_in_advance == window(STARTED, tick_1)

    first = windows_at_tick(plan, at(STARTED), D(tick_1))
    assert first.plan == first.fixed_in_advance == window(tick_1, tick_2)
    assert first.charges == first.fixed == window(STARTED, tick_1)

    second = windows_at_tick(plan, at(STARTED), D(tick_2))
    assert second.plan is not None
    assert second.plan.start_at == at(tick_2)
    assert second.charges == window(tick_1, tick_2)


@pytest.mark.parametrize("tick_on", ["2024-02-14", "2024-03-13", "2024-02-29"])
def test_no_windows_on_a_day_that_is_no_tick(tick_on: str) -> None:
    plan = schedule(Interval.MONTHLY, ANNIVERSARY, "2024-02-14")
    with pytest.raises(NotABillingDay):
        windows_at_tick(plan, at(STARTED), D(tick_on))


@pytest.mark.parametrize(
    ("tick", "plan", "due", "usage", "fixed"),
    [
        ("2023-03-01", "clamped", False, ("2023-02-14T10:00", "2023-03-01"), None),
        ("2023-06-01", "clamped", False, ("2023-05-01", "2023-06-01"), None),
        ("2024-01-01", "year", True, ("2023-12-01", "2024-01-01"), ("2023-02-14T10:00", "2024-01-01")),
        ("2024-02-01", "year", False, ("2024-01-01", "2024-02-01"), None),
    ],
)
def test_yearly_arrears_with_usage_billed_monthly(
    tick: str, plan: str, due: bool, usage: tuple[str, str], fixed: tuple[str, str] | None
) -> None:
    yearly = schedule(Interval.YEARLY, CALENDAR, "2023-02-14", bill_charges_monthly=True)
    found = windows_at_tick(yearly, at("2023-02-14T10:00"), D(tick))
    plans = {"clamped": until("2023-02-14", "2023-02-14T10:00"), "year": window("2023-02-14", "2024-01-01")}
    assert found.plan == plans[plan]
    assert found.plan_fee_due is due
    assert found.charges == window(*usage)
    assert found.charges_duration_days == (D(tick) - D(usage[0][:7] + "-01")).days
    assert found.fixed == (window(*fixed) if fixed else None)
    assert found.fixed_duration_days == (365 if fixed else 0)
    assert found.fixed_in_advance == (window("2024-01-01", "2025-01-01") if fixed else None)


@pytest.mark.parametrize(
    ("tick", "plan", "due", "usage"),
    [
        ("2024-02-29", ("2024-01-31", "2025-01-31"), False, ("2024-01-31T01:00", "2024-02-29")),
        ("2024-03-31", ("2024-01-31", "2025-01-31"), False, ("2024-02-29", "2024-03-31")),
        ("2025-01-31", ("2025-01-31", "2026-01-31"), True, ("2024-12-31", "2025-01-31")),
    ],
)
def test_yearly_advance_with_everything_billed_monthly(
    tick: str, plan: tuple[str, str], due: bool, usage: tuple[str, str]
) -> None:
    yearly = schedule(
        Interval.YEARLY,
        ANNIVERSARY,
        "2024-01-31",
        pay_in_advance=True,
        bill_charges_monthly=True,
        bill_fixed_charges_monthly=True,
    )
    start = windows_at_start(yearly, at("2024-01-31T01:00"))
    assert start.plan == window("2024-01-31", "2025-01-31")
    assert start.plan_fee_due
    assert start.fixed_in_advance == window("2024-01-31T01:00", "2024-02-29")
    found = windows_at_tick(yearly, at("2024-01-31T01:00"), D(tick))
    assert found.plan == window(*plan)
    assert found.plan_fee_due is due
    assert found.plan_days_in_full_period == (D(plan[1]) - D(plan[0])).days
    assert found.charges == found.fixed == window(*usage)
    assert found.fixed_in_advance is not None
    assert found.fixed_in_advance.start_at == at(tick)


def test_fixed_charges_billed_monthly_leave_usage_to_the_period_start() -> None:
    plan = schedule(Interval.SEMIANNUAL, CALENDAR, "2024-01-01", bill_fixed_charges_monthly=True)
    inside = windows_at_tick(plan, at("2024-01-01"), D("2024-05-01"))
    assert (inside.charges, inside.charges_duration_days, inside.plan_fee_due) == (None, 0, False)
    assert inside.fixed == window("2024-04-01", "2024-05-01")
    assert inside.fixed_in_advance == window("2024-05-01", "2024-06-01")
    boundary = windows_at_tick(plan, at("2024-01-01"), D("2024-07-01"))
    assert boundary.charges == window("2024-01-01", "2024-07-01")
    assert boundary.charges_duration_days == 182
    assert boundary.fixed_duration_days == 30


# §3.5, start 2024-01-17 10:00, terminated 2024-05-09 15:30
@pytest.mark.parametrize(
    ("interval", "billing_time", "plan_start", "usage_start", "full_days"),
    [
        (Interval.MONTHLY, CALENDAR, "2024-05-01", "2024-05-01", 31),
        (Interval.MONTHLY, ANNIVERSARY, "2024-04-17", "2024-04-17", 30),
        (Interval.YEARLY, ANNIVERSARY, "2024-01-17", "2024-01-17T10:00", 366),
    ],
)
@pytest.mark.parametrize("advance", [False, True])
def test_termination_bills_the_running_period_to_the_very_instant(
    interval: Interval, billing_time: BillingTime, plan_start: str, usage_start: str, full_days: int, advance: bool
) -> None:
    plan = schedule(interval, billing_time, "2024-01-17", pay_in_advance=advance)
    found = windows_at_termination(plan, at("2024-01-17T10:00"), at("2024-05-09T15:30"), tick_already_billed=False)
    assert found.plan == until(plan_start, "2024-05-09T15:30")
    assert found.charges == found.fixed == until(usage_start, "2024-05-09T15:30")
    assert found.charges is not None
    assert found.charges.last_at == at("2024-05-09T15:30")
    assert found.fixed_in_advance is None
    assert found.plan_fee_due is not advance
    assert found.plan_days_in_full_period == found.charges_duration_days == full_days


def test_new_row_of_an_upgrade_runs_to_the_end_of_the_period_of_its_own_plan() -> None:
    advance = schedule(Interval.MONTHLY, CALENDAR, "2024-01-17", pay_in_advance=True)
    found = windows_at_start(advance, at("2024-05-09T15:30"))
    assert found.plan == window("2024-05-09", "2024-06-01")
    assert found.plan_days_in_full_period == 31
    assert (found.charges, found.fixed) == (None, None)
    assert found.fixed_in_advance == window("2024-05-09T15:30", "2024-06-01")
    arrears = schedule(Interval.MONTHLY, CALENDAR, "2024-01-17")
    assert windows_at_start(arrears, at("2024-05-09T15:30")).plan is None


@pytest.mark.parametrize(
    ("anchor", "started", "end"),
    [("2023-06-29", "2023-09-28T08:00", "2024-06-29"), ("2023-07-19", "2023-11-19T00:00", "2024-07-19")],
)
def test_yearly_window_after_a_change_ends_on_the_anniversary_of_the_anchor(
    anchor: str, started: str, end: str
) -> None:
    yearly = schedule(Interval.YEARLY, ANNIVERSARY, anchor, pay_in_advance=True)
    assert windows_at_start(yearly, at(started)).plan == window(started[:10], end)


def old_row_at_downgrade(advance: bool, usage_monthly: bool) -> Windows:
    plan = schedule(Interval.YEARLY, CALENDAR, "2023-02-14", pay_in_advance=advance, bill_charges_monthly=usage_monthly)
    return windows_of_old_row_at_downgrade(plan, at("2023-02-14T10:00"), D("2024-01-01"))


def test_downgrade_bills_the_ended_period_of_the_old_row() -> None:
    arrears = old_row_at_downgrade(advance=False, usage_monthly=False)
    assert arrears.plan == window("2023-02-14", "2024-01-01")
    assert arrears.plan_fee_due
    assert arrears.charges == arrears.fixed == window("2023-02-14T10:00", "2024-01-01")
    assert arrears.fixed_in_advance is None
    advance = old_row_at_downgrade(advance=True, usage_monthly=True)
    assert (advance.plan, advance.plan_fee_due, advance.plan_days_in_full_period) == (None, False, 0)
    assert advance.charges == window("2023-12-01", "2024-01-01")


def test_downgrade_waits_for_a_period_start() -> None:
    split = schedule(Interval.YEARLY, CALENDAR, "2023-02-14", bill_charges_monthly=True)
    with pytest.raises(NotABillingDay):
        windows_of_old_row_at_downgrade(split, at("2023-02-14T10:00"), D("2023-12-01"))


def test_termination_on_a_tick_day_bills_the_ended_period_and_gives_the_day_away() -> None:
    paris = schedule(Interval.MONTHLY, ANNIVERSARY, "2023-07-05", "Europe/Paris")
    found = windows_at_termination(paris, at("2023-07-05T08:00"), at("2023-10-04T22:05"), tick_already_billed=False)
    assert found.plan == found.charges == window("2023-09-04T22:00", "2023-10-04T22:00")
    assert found.plan_days_in_full_period == 30
    billed = windows_at_termination(paris, at("2023-07-05T08:00"), at("2023-10-04T22:05"), tick_already_billed=True)
    assert billed.plan == billed.charges == until("2023-10-04T22:00", "2023-10-04T22:05")


def test_termination_exactly_at_the_tick_differs_by_whether_it_was_billed() -> None:
    plan = schedule(Interval.MONTHLY, CALENDAR, "2024-01-17")
    tick = at("2024-05-01")
    due = windows_at_termination(plan, at("2024-01-17T10:00"), tick, tick_already_billed=False)
    assert due.plan == due.charges == window("2024-04-01", "2024-05-01")
    billed = windows_at_termination(plan, at("2024-01-17T10:00"), tick, tick_already_billed=True)
    assert billed.plan == billed.charges == until("2024-05-01", "2024-05-01")


def test_tick_day_rule_needs_a_row_of_24_hours() -> None:
    plan = schedule(Interval.MONTHLY, CALENDAR, "2024-04-30")
    young = windows_at_termination(plan, at("2024-04-30T12:00"), at("2024-05-01T11:59"), tick_already_billed=False)
    assert young.plan == until("2024-05-01", "2024-05-01T11:59")
    old = windows_at_termination(plan, at("2024-04-30T12:00"), at("2024-05-01T12:00"), tick_already_billed=False)
    assert old.plan == window("2024-04-30", "2024-05-01")
    assert old.charges == window("2024-04-30T12:00", "2024-05-01")


def test_tick_day_rule_leaves_an_advance_plan_without_fee() -> None:
    plan = schedule(Interval.MONTHLY, CALENDAR, "2024-01-17", pay_in_advance=True)
    found = windows_at_termination(plan, at("2024-01-17T10:00"), at("2024-05-01T09:00"), tick_already_billed=False)
    assert not found.plan_fee_due
    assert found.charges == window("2024-04-01", "2024-05-01")


def test_termination_of_a_split_plan_bills_the_running_split_and_the_running_period() -> None:
    yearly = schedule(Interval.YEARLY, CALENDAR, "2023-02-14", bill_charges_monthly=True)
    found = windows_at_termination(yearly, at("2023-02-14T10:00"), at("2024-05-09T15:30"), tick_already_billed=False)
    assert found.plan == found.fixed == until("2024-01-01", "2024-05-09T15:30")
    assert found.charges == until("2024-05-01", "2024-05-09T15:30")
    assert (found.charges_duration_days, found.fixed_duration_days) == (31, 366)


def test_termination_on_a_split_tick_not_yet_billed_bills_the_ended_split_of_the_split_kind_only() -> None:
    yearly = schedule(Interval.YEARLY, CALENDAR, "2023-02-14", bill_charges_monthly=True)
    found = windows_at_termination(yearly, at("2023-02-14T10:00"), at("2024-05-01T15:30"), tick_already_billed=False)
    assert found.plan == found.fixed == until("2024-01-01", "2024-05-01T15:30")
    assert found.charges == window("2024-04-01", "2024-05-01")
    assert found.charges_duration_days == 30


def test_termination_before_a_start_later_the_same_day_bills_nothing() -> None:
    plan = schedule(Interval.MONTHLY, CALENDAR, "2024-05-09")
    found = windows_at_termination(plan, at("2024-05-09T18:00"), at("2024-05-09T12:00"), tick_already_billed=False)
    assert found.charges is not None
    assert found.charges.is_empty
    assert found.charges.start_at == at("2024-05-09T18:00")
    assert not found.plan_fee_due


def test_current_period_follows_each_series() -> None:
    yearly = schedule(Interval.YEARLY, CALENDAR, "2023-02-14", bill_charges_monthly=True)
    found = current_windows(yearly, at("2023-02-14T10:00"), None, at("2023-05-09T15:30"))
    assert found.charges == window("2023-05-01", "2023-06-01")
    assert found.plan == window("2023-02-14", "2024-01-01")
    assert found.fixed == found.fixed_in_advance == window("2023-02-14T10:00", "2024-01-01")
    assert (found.charges_duration_days, found.fixed_in_advance_duration_days) == (31, 365)
    assert not found.plan_fee_due


@pytest.mark.parametrize(
    ("now", "terminated", "expected"),
    [
        ("2024-01-01T00:00", None, ("2024-02-14T10:00", "2024-03-01")),  # not started yet
        ("2024-02-20T00:00", None, ("2024-02-14T10:00", "2024-03-01")),
        ("2024-03-01T00:00", None, ("2024-03-01", "2024-04-01")),
        ("2024-03-31T23:59:59", None, ("2024-03-01", "2024-04-01")),
    ],
)
def test_current_usage_window(now: str, terminated: str | None, expected: tuple[str, str]) -> None:
    plan = schedule(Interval.MONTHLY, CALENDAR, "2024-02-14")
    assert current_windows(plan, at(STARTED), None, at(now)).charges == window(*expected)


@pytest.mark.parametrize("now", ["2024-03-05T00:00", "2024-07-01T00:00"])
def test_current_usage_window_of_a_terminated_row_is_its_last(now: str) -> None:
    plan = schedule(Interval.MONTHLY, CALENDAR, "2024-02-14")
    found = current_windows(plan, at(STARTED), at("2024-03-09T15:30"), at(now))
    assert found.charges == until("2024-03-01", "2024-03-09T15:30")


@pytest.mark.parametrize(
    ("tz", "billing_time", "anchor", "tick", "expected"),
    [
        ("America/New_York", ANNIVERSARY, "2023-06-10", "2024-04-10", ("2024-03-10T05:00", "2024-04-10T04:00")),
        ("America/New_York", ANNIVERSARY, "2023-06-10", "2024-11-10", ("2024-10-10T04:00", "2024-11-10T05:00")),
        ("Europe/Paris", CALENDAR, "2023-06-10", "2024-04-01", ("2024-02-29T23:00", "2024-03-31T22:00")),
    ],
)
def test_windows_across_a_clock_change(
    tz: str, billing_time: BillingTime, anchor: str, tick: str, expected: tuple[str, str]
) -> None:
    plan = schedule(Interval.MONTHLY, billing_time, anchor, tz)
    assert plan.tick_at(D(tick)) == at(expected[1])
    found = windows_at_tick(plan, at("2023-06-10T12:00"), D(tick))
    assert found.plan == found.charges == window(*expected)
    assert found.charges_duration_days == 31


def test_timezone_change_makes_the_usage_window_start_where_the_last_one_ended() -> None:
    new_york = schedule(Interval.MONTHLY, CALENDAR, "2023-06-10", "America/New_York")
    found = windows_at_tick(new_york, at("2023-06-10T12:00"), D("2024-03-01"))
    assert found.charges == window("2024-02-01T05:00", "2024-03-01T05:00")
    joined = joined_after_timezone_change(found.charges, at("2024-02-01T00:00"))
    assert joined == window("2024-02-01T00:00", "2024-03-01T05:00")


@pytest.mark.parametrize(("hours", "moves"), [(-26, False), (-25, True), (25, True), (26, True), (-744, False)])
def test_timezone_change_closes_gaps_of_less_than_26_hours_and_bills_nothing_twice(hours: int, moves: bool) -> None:
    march = window("2024-03-01", "2024-04-01")
    previous_end_at = march.start_at + timedelta(hours=hours)
    expected = previous_end_at if moves else march.start_at
    assert joined_after_timezone_change(march, previous_end_at) == Window(expected, march.end_at)


def test_timezone_change_can_leave_nothing_of_a_short_window() -> None:
    joined = joined_after_timezone_change(window("2024-03-01", "2024-03-01T04:00"), at("2024-03-01T10:00"))
    assert joined.is_empty


def test_trial_end_bills_the_period_it_ends_in() -> None:
    plan = schedule(Interval.MONTHLY, CALENDAR, "2024-03-05", pay_in_advance=True)
    found = windows_at_trial_end(plan, at("2024-03-05T12:12"), at("2024-04-19T12:12"))
    assert found.plan == window("2024-04-01", "2024-05-01")
    assert found.plan_fee_due
    assert (found.charges, found.fixed, found.fixed_in_advance) == (None, None, None)


def test_a_window_never_ends_before_it_starts() -> None:
    with pytest.raises(ValueError, match="before it starts"):
        window("2024-03-02", "2024-03-01")


def test_local_date_of_a_window_start_west_of_utc_is_the_tick() -> None:
    plan = schedule(Interval.MONTHLY, CALENDAR, "2024-01-05", "Pacific/Pago_Pago")
    found = windows_at_tick(plan, at("2024-01-05T12:00"), D("2024-03-01"))
    assert found.charges == window("2024-02-01T11:00", "2024-03-01T11:00")
    assert local_date(found.charges.last_at, "Pacific/Pago_Pago") == D("2024-02-29")
