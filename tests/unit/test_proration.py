"""Day counts and plan fees of subscriptions.md §3.3, §3.5, §4.1, §4.2, §4.4: the worked figures, to the cent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tallystick.core.money import EXACT
from tallystick.core.periods import BillingTime, Interval, Schedule, local_date
from tallystick.core.proration import date_days, days_between, plan_fee, plan_fee_days, sub_days, trial_end_at
from tallystick.core.windows import (
    Window,
    Windows,
    windows_at_start,
    windows_at_termination,
    windows_at_tick,
    windows_at_trial_end,
)

ANNIVERSARY, CALENDAR = BillingTime.ANNIVERSARY, BillingTime.CALENDAR


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def schedule(
    interval: Interval, billing_time: BillingTime, started: str, tz: str = "UTC", advance: bool = False
) -> Schedule:
    return Schedule(interval, billing_time, local_date(at(started), tz), tz, pay_in_advance=advance)


def fee(
    windows: Windows,
    amount_cents: int,
    tz: str = "UTC",
    trial_ends_at: datetime | None = None,
    upgraded_at: datetime | None = None,
) -> tuple[int, int, int]:
    assert windows.plan is not None
    assert windows.plan_fee_due
    days = plan_fee_days(windows.plan, tz, trial_ends_at, upgraded_at)
    return days, windows.plan_days_in_full_period, plan_fee(amount_cents, days, windows.plan_days_in_full_period)[1]


@pytest.mark.parametrize(
    ("interval", "billing_time", "price", "days", "full_days", "expected"),
    [
        ("weekly", "calendar", 7_000, 5, 7, 5000),
        ("weekly", "anniversary", 7_000, 7, 7, 7000),
        ("monthly", "calendar", 30_000, 16, 29, 16552),
        ("monthly", "anniversary", 30_000, 29, 29, 30000),
        ("quarterly", "calendar", 90_000, 47, 91, 46484),
        ("quarterly", "anniversary", 90_000, 90, 90, 90000),
        ("semiannual", "calendar", 180_000, 138, 182, 136484),
        ("semiannual", "anniversary", 180_000, 182, 182, 180000),
        ("yearly", "calendar", 365_000, 322, 366, 321120),
        ("yearly", "anniversary", 365_000, 366, 366, 365000),
    ],
)
@pytest.mark.parametrize("advance", [True, False])
def test_first_plan_fees(
    interval: str, billing_time: str, price: int, days: int, full_days: int, expected: int, advance: bool
) -> None:
    started = "2024-02-14T10:00"
    plan = schedule(Interval(interval), BillingTime(billing_time), started, advance=advance)
    first_tick = plan.next_tick_on(date(2024, 2, 14))
    windows = windows_at_start(plan, at(started)) if advance else windows_at_tick(plan, at(started), first_tick)
    assert fee(windows, price) == (days, full_days, expected)


@pytest.mark.parametrize(
    ("price", "days", "full_days", "expected"),
    [
        (10_000, 16, 29, 5517),
        (91_000, 32, 91, 32000),
        (120_000, 130, 366, 42623),
        (12_000, 275, 366, 9016),
        (118_800, 243, 366, 78875),
        (1_000, 1, 30, 33),
        (990, 7, 28, 248),  # 247.5, half away from zero
        (10_000, 31, 31, 10_000),
        (10_000, 0, 31, 0),
    ],
)
def test_plan_fee_multiplies_before_it_divides(price: int, days: int, full_days: int, expected: int) -> None:
    precise, cents = plan_fee(price, days, full_days)
    assert cents == expected
    assert abs(EXACT.multiply(precise, Decimal(full_days)) - price * days) < Decimal("1e-60")


def terminated(
    interval: Interval, billing_time: BillingTime, started: str, ended: str, anchor: str | None = None
) -> Windows:
    plan = schedule(interval, billing_time, anchor or started)
    return windows_at_termination(plan, at(started), at(ended), tick_already_billed=False)


def test_fees_of_terminated_rows() -> None:
    quarter = terminated(Interval.QUARTERLY, CALENDAR, "2024-05-20T09:00", "2024-06-20T18:00")
    assert fee(quarter, 91_000) == (32, 91, 32000)
    year = terminated(Interval.YEARLY, CALENDAR, "2023-03-03T09:00", "2024-05-09T15:30")
    assert fee(year, 120_000) == (130, 366, 42623)
    one_day = terminated(Interval.MONTHLY, ANNIVERSARY, "2024-04-10T08:00", "2024-04-10T21:00")
    assert fee(one_day, 1_000) == (1, 30, 33)


@pytest.mark.parametrize(
    ("interval", "billing_time", "upgraded", "expected"),
    [
        (Interval.MONTHLY, CALENDAR, False, (9, 31, 2903)),
        (Interval.MONTHLY, CALENDAR, True, (8, 31, 2581)),
        (Interval.MONTHLY, ANNIVERSARY, False, (23, 30, 7667)),
        (Interval.YEARLY, ANNIVERSARY, False, (114, 366, 3115)),
    ],
)
def test_fees_at_termination_and_upgrade(
    interval: Interval, billing_time: BillingTime, upgraded: bool, expected: tuple[int, int, int]
) -> None:
    ended = "2024-05-09T15:30"
    windows = terminated(interval, billing_time, "2024-01-17T10:00", ended)
    assert fee(windows, 10_000, upgraded_at=at(ended) if upgraded else None) == expected


@pytest.mark.parametrize(
    ("interval", "billing_time", "anchor", "started", "price", "expected"),
    [
        (Interval.MONTHLY, CALENDAR, "2024-01-17T10:00", "2024-05-09T15:30", 20_000, (23, 31, 14839)),
        (Interval.YEARLY, ANNIVERSARY, "2023-06-29T00:00", "2023-09-28T08:00", 12_000, (275, 366, 9016)),
        (Interval.YEARLY, ANNIVERSARY, "2023-07-19T00:00", "2023-11-19T00:00", 118_800, (243, 366, 78875)),
    ],
)
def test_first_fee_of_the_new_row_of_a_change(
    interval: Interval, billing_time: BillingTime, anchor: str, started: str, price: int, expected: tuple[int, int, int]
) -> None:
    windows = windows_at_start(schedule(interval, billing_time, anchor, advance=True), at(started))
    assert fee(windows, price) == expected


def test_fee_of_a_termination_on_a_tick_day_in_paris() -> None:
    paris = schedule(Interval.MONTHLY, ANNIVERSARY, "2023-07-05T08:00", "Europe/Paris")
    windows = windows_at_termination(paris, at("2023-07-05T08:00"), at("2023-10-05T00:00"), tick_already_billed=False)
    assert fee(windows, 1_000, "Europe/Paris") == (30, 30, 1000)


def test_an_upgrade_on_a_tick_day_takes_no_day_from_the_period_that_ended_before_it() -> None:
    upgraded_at = at("2024-05-01T00:20")
    windows = terminated(Interval.MONTHLY, CALENDAR, "2024-01-17T10:00", "2024-05-01T00:20")
    assert fee(windows, 10_000, upgraded_at=upgraded_at) == (30, 30, 10_000)
    plan = schedule(Interval.MONTHLY, CALENDAR, "2024-01-17T10:00")
    billed = windows_at_termination(plan, at("2024-01-17T10:00"), upgraded_at, tick_already_billed=True)
    assert fee(billed, 10_000, upgraded_at=upgraded_at) == (0, 31, 0)


# §4.4: the free trial, advance plans on the calendar month
def trial_fee(started: str, trial_end: datetime | None, price: int, tz: str = "UTC") -> tuple[int, int, int]:
    assert trial_end is not None
    plan = schedule(Interval.MONTHLY, CALENDAR, started, tz, advance=True)
    return fee(windows_at_trial_end(plan, at(started), trial_end), price, tz, trial_end)


def test_trial_of_ten_days() -> None:
    end = trial_end_at(at("2024-03-05T12:12"), Decimal(10))
    assert end == at("2024-03-15T12:12")
    assert trial_fee("2024-03-05T12:12", end, 5_000_000) == (17, 31, 2741935)


def test_trial_goes_on_from_the_oldest_row_after_an_upgrade() -> None:
    end = trial_end_at(at("2024-03-05T12:12"), Decimal(13))
    assert trial_fee("2024-03-10T09:00", end, 10_000_000) == (14, 31, 4516129)


def test_trial_over_a_tick() -> None:
    end = trial_end_at(at("2024-03-05T12:12"), Decimal(45))
    assert end == at("2024-04-19T12:12")
    assert trial_fee("2024-03-05T12:12", end, 5_000_000) == (12, 30, 2000000)


def test_trial_ends_on_a_local_date() -> None:
    assert trial_fee("2024-03-05T18:12", at("2024-04-01T18:12"), 5_000_000, "Asia/Tokyo") == (29, 30, 4833333)


APRIL = Window(at("2024-04-01"), at("2024-05-01"))


@pytest.mark.parametrize(
    ("trial_end", "days"),
    [
        ("2024-03-20T12:00", 30),  # over before
        ("2024-04-01T00:00", 30),
        ("2024-04-01T23:59", 30),  # the day it ends on is billed
        ("2024-04-30T23:59:59", 1),
        ("2024-05-01T00:00", 0),
        ("2024-06-01T00:00", 0),
    ],
)
def test_trial_clip(trial_end: str, days: int) -> None:
    assert plan_fee_days(APRIL, "UTC", at(trial_end)) == days


def test_trial_that_ends_with_the_row_is_free() -> None:
    ended_at = at("2024-04-10T12:00")
    window = Window(APRIL.start_at, ended_at + timedelta(microseconds=1))
    assert plan_fee_days(window, "UTC", ended_at) == 0
    assert plan_fee_days(window, "UTC", at("2024-04-10T11:59"), upgraded_at=ended_at) == 0


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (None, None),
        (Decimal(0), None),
        (Decimal(-1), None),
        (Decimal("0.5"), "2024-03-05T12:00"),
        (Decimal("1.25"), "2024-03-06T06:00"),
    ],
)
def test_trial_length(days: Decimal | None, expected: str | None) -> None:
    assert trial_end_at(at("2024-03-05T00:00"), days) == (at(expected) if expected else None)


@pytest.mark.parametrize(
    ("from_at", "to_at", "tz", "days"),
    [
        ("2024-03-01T10:00", "2024-03-03T09:00", "UTC", 2),
        ("2024-03-01T00:00", "2024-03-03T00:00", "UTC", 3),
        ("2024-03-01T00:00", "2024-03-02T23:59:59", "UTC", 2),
        ("2024-03-01T10:00", "2024-03-01T10:00", "UTC", 0),
        ("2024-03-01T10:00", "2024-03-01T10:01", "UTC", 1),
        ("2024-03-10T05:00", "2024-04-10T03:59:59", "America/New_York", 31),
        ("2024-10-10T04:00", "2024-11-10T04:59:59", "America/New_York", 31),
        ("2024-02-29T23:00", "2024-03-31T21:59:59", "Europe/Paris", 31),
        ("2018-11-01T03:00", "2018-11-04T03:00", "America/Sao_Paulo", 4),  # midnight skipped: 01:00
    ],
)
def test_days_between(from_at: str, to_at: str, tz: str, days: int) -> None:
    assert days_between(at(from_at), at(to_at), tz) == days


def test_date_days_count_calendar_days() -> None:
    assert date_days(at("2024-03-01T23:59"), at("2024-03-02T00:00"), "UTC") == 1
    assert date_days(at("2024-03-01T23:59"), at("2024-03-02T00:00"), "Asia/Tokyo") == 0
    assert date_days(at("2024-03-05"), at("2024-03-01"), "UTC") == -4


def test_sub_days_give_the_upgrade_day_to_the_new_plan() -> None:
    upgraded_at = at("2024-04-10T12:00")
    window = Window(APRIL.start_at, upgraded_at + timedelta(microseconds=1))
    assert sub_days(window, "UTC") == 10
    assert sub_days(window, "UTC", upgraded_at) == 9
    assert sub_days(APRIL, "UTC", at("2024-05-01T00:05")) == 30  # over before the upgrade's day
    same_day = Window(upgraded_at, upgraded_at + timedelta(microseconds=1))
    assert sub_days(same_day, "UTC", upgraded_at) == 0


def test_a_row_terminated_exactly_at_midnight_counts_that_date() -> None:
    window = Window(APRIL.start_at, at("2024-04-10") + timedelta(microseconds=1))
    assert plan_fee_days(window, "UTC") == sub_days(window, "UTC") == 10


def test_an_empty_window_has_no_days() -> None:
    empty = Window(at("2024-04-10T12:00"), at("2024-04-10T12:00"))
    assert sub_days(empty, "UTC") == 0
