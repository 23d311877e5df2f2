"""The period algebra of subscriptions.md §3.1 and the billing days of §3.1, §3.4 and §3.7, case by case."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from tallystick.core.periods import (
    BillingTime,
    Interval,
    Period,
    Schedule,
    local_date,
    local_midnight,
    next_start,
    period_containing,
    previous,
)

ANNIVERSARY, CALENDAR = BillingTime.ANNIVERSARY, BillingTime.CALENDAR
D = date.fromisoformat


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def starts(interval: Interval, billing_time: BillingTime, anchor: str, count: int) -> list[str]:
    on, found = D(anchor), []
    for _ in range(count):
        on = next_start(on, interval, billing_time, D(anchor))
        found.append(on.isoformat())
    return found


ANCHORS = [
    (
        "2024-01-31",
        Interval.MONTHLY,
        "2024-02-29 2024-03-31 2024-04-30 2024-05-31 2024-06-30 2024-07-31 2024-08-31 2024-09-30 2024-10-31"
        " 2024-11-30 2024-12-31 2025-01-31 2025-02-28",
    ),
    (
        "2024-01-30",
        Interval.MONTHLY,
        "2024-02-29 2024-03-30 2024-04-30 2024-05-30 2024-06-30 2024-07-30 2024-08-30 2024-09-30 2024-10-30"
        " 2024-11-30 2024-12-30 2025-01-30 2025-02-28",
    ),
    (
        "2023-01-29",
        Interval.MONTHLY,
        "2023-02-28 2023-03-29 2023-04-29 2023-05-29 2023-06-29 2023-07-29 2023-08-29 2023-09-29 2023-10-29"
        " 2023-11-29 2023-12-29 2024-01-29 2024-02-29",
    ),
    ("2023-11-30", Interval.QUARTERLY, "2024-02-29 2024-05-30 2024-08-30 2024-11-30 2025-02-28"),
    ("2024-01-31", Interval.QUARTERLY, "2024-04-30 2024-07-31 2024-10-31 2025-01-31"),
    ("2023-08-31", Interval.SEMIANNUAL, "2024-02-29 2024-08-31 2025-02-28 2025-08-31"),
    ("2024-02-29", Interval.YEARLY, "2025-02-28 2026-02-28 2027-02-28 2028-02-29"),
]


@pytest.mark.parametrize(("anchor", "interval", "expected"), ANCHORS)
def test_anchors_29_to_31_are_counted_from_the_anchor(anchor: str, interval: Interval, expected: str) -> None:
    wanted = expected.split()
    assert starts(interval, ANNIVERSARY, anchor, len(wanted)) == wanted


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (Interval.WEEKLY, "2024-02-19 2024-02-26 2024-03-04"),
        (Interval.MONTHLY, "2024-03-01 2024-04-01 2024-05-01"),
        (Interval.QUARTERLY, "2024-04-01 2024-07-01 2024-10-01 2025-01-01"),
        (Interval.SEMIANNUAL, "2024-07-01 2025-01-01 2025-07-01"),
        (Interval.YEARLY, "2025-01-01 2026-01-01"),
    ],
)
def test_calendar_periods_start_with_the_calendar(interval: Interval, expected: str) -> None:
    wanted = expected.split()
    assert starts(interval, CALENDAR, "2024-02-14", len(wanted)) == wanted


def test_weekly_anniversary_keeps_the_weekday_of_the_anchor() -> None:
    assert starts(Interval.WEEKLY, ANNIVERSARY, "2024-02-14", 3) == ["2024-02-21", "2024-02-28", "2024-03-06"]


def test_a_period_holds_its_first_day_and_not_its_end() -> None:
    january = Period(D("2024-01-31"), D("2024-02-29"))
    for on in ("2024-01-31", "2024-02-28"):
        assert period_containing(D(on), Interval.MONTHLY, ANNIVERSARY, D("2024-01-31")) == january
    assert january.days == 29
    assert period_containing(D("2024-02-29"), Interval.MONTHLY, ANNIVERSARY, D("2024-01-31")).days == 31


def test_the_period_before_and_periods_before_the_anchor() -> None:
    anchor = D("2024-01-31")
    first = period_containing(anchor, Interval.MONTHLY, ANNIVERSARY, anchor)
    earlier = previous(first, Interval.MONTHLY, ANNIVERSARY, anchor)
    assert earlier == Period(D("2023-12-31"), anchor)
    assert period_containing(D("2022-02-28"), Interval.MONTHLY, ANNIVERSARY, anchor).start_on == D("2022-02-28")


def schedule(interval: Interval, anchor: str, tz: str = "UTC", **terms: bool) -> Schedule:
    return Schedule(interval, ANNIVERSARY, D(anchor), tz, **terms)


@pytest.mark.parametrize(("usage", "fixed"), [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("interval", [Interval.YEARLY, Interval.SEMIANNUAL])
def test_every_start_of_a_monthly_split_is_a_tick(interval: Interval, usage: bool, fixed: bool) -> None:
    split = schedule(interval, "2024-01-31", bill_charges_monthly=usage, bill_fixed_charges_monthly=fixed)
    assert split.next_tick_on(D("2024-01-31")) == D("2024-02-29")
    assert split.next_tick_on(D("2024-02-29")) == D("2024-03-31")
    assert split.is_tick(D("2024-03-31"))
    assert not split.is_tick(D("2024-03-30"))
    assert not split.is_period_start(D("2024-03-31"))
    assert split.is_period_start(D("2025-01-31"))
    assert split.is_tick(D("2025-01-31"))


@pytest.mark.parametrize("interval", [Interval.WEEKLY, Interval.MONTHLY, Interval.QUARTERLY])
def test_only_yearly_and_semiannual_plans_split(interval: Interval) -> None:
    flags = schedule(interval, "2024-01-31", bill_charges_monthly=True, bill_fixed_charges_monthly=True)
    assert flags.tick_interval is flags.charges_interval is flags.fixed_interval is interval


def test_each_flag_splits_its_own_kind() -> None:
    usage = schedule(Interval.YEARLY, "2024-01-31", bill_charges_monthly=True)
    assert (usage.charges_interval, usage.fixed_interval) == (Interval.MONTHLY, Interval.YEARLY)
    fixed = schedule(Interval.YEARLY, "2024-01-31", bill_fixed_charges_monthly=True)
    assert (fixed.charges_interval, fixed.fixed_interval) == (Interval.YEARLY, Interval.MONTHLY)


@pytest.mark.parametrize(
    ("started", "created", "expected"),
    [
        ("2024-02-14T10:00", "2024-02-14T10:00", "2024-03-14"),
        ("2024-02-14T10:00", "2024-05-20T08:00", "2024-06-14"),  # backdated
        ("2024-02-14T10:00", "2024-05-14T08:00", "2024-05-14"),  # backdated, made on a billing day
    ],
)
def test_first_tick_comes_after_the_start_and_not_before_the_creation(
    started: str, created: str, expected: str
) -> None:
    monthly = schedule(Interval.MONTHLY, "2024-02-14")
    assert monthly.first_tick_on(at(started), at(created)) == D(expected)


@pytest.mark.parametrize(
    ("tz", "on", "expected"),
    [
        ("America/New_York", "2024-04-10", "2024-04-10T04:00"),
        ("America/New_York", "2024-11-10", "2024-11-10T05:00"),
        ("Europe/Paris", "2024-04-01", "2024-03-31T22:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00"),  # clocks jump from 00:00 to 01:00
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00"),  # clocks fell back to 23:00 at midnight
        ("America/Havana", "2024-11-03", "2024-11-03T04:00"),  # midnight twice: the first
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00"),  # a date that was skipped
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00"),
        ("Pacific/Pago_Pago", "2024-03-01", "2024-03-01T11:00"),
        ("Pacific/Tongatapu", "2024-03-01", "2024-02-29T11:00"),
        ("Asia/Kathmandu", "2024-03-01", "2024-02-29T18:15"),
    ],
)
def test_a_tick_begins_at_the_first_instant_of_the_local_date(tz: str, on: str, expected: str) -> None:
    assert schedule(Interval.MONTHLY, on, tz).tick_at(D(on)) == at(expected)


def test_a_midnight_that_does_not_exist_is_the_first_instant_that_does() -> None:
    first = local_midnight(D("2018-11-04"), "America/Sao_Paulo")
    assert local_date(first, "America/Sao_Paulo") == D("2018-11-04")
    assert local_date(first - timedelta(microseconds=1), "America/Sao_Paulo") == D("2018-11-03")


@pytest.mark.parametrize(
    ("tz", "expected"), [("UTC", "2024-01-31"), ("Asia/Tokyo", "2024-02-01"), ("Pacific/Pago_Pago", "2024-01-31")]
)
def test_the_anchor_is_a_local_date(tz: str, expected: str) -> None:
    assert local_date(at("2024-01-31T23:30"), tz) == D(expected)


def test_local_date_reads_any_offset_and_refuses_none() -> None:
    noon = datetime(2024, 1, 31, 20, tzinfo=timezone(timedelta(hours=-9)))
    assert local_date(noon, "UTC") == D("2024-02-01")
    with pytest.raises(ValueError, match="offset"):
        local_date(noon.replace(tzinfo=None), "UTC")
