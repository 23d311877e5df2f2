"""Minimum commitments: the tables of rating.md §17 and subscriptions.md §4.7, to the cent."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tallystick.core.commitments import Reconciled, reconciled_at_end, reconciled_at_tick, shortfall
from tallystick.core.explain import commitment_trace, in_words
from tallystick.core.periods import BillingTime, Interval, Schedule, local_date
from tallystick.core.windows import Window

ANY = Window(datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC))
CALENDAR = BillingTime.CALENDAR


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def schedule(interval: Interval, started: str, tz: str = "UTC", *, advance: bool = False) -> Schedule:
    return Schedule(interval, CALENDAR, local_date(at(started), tz), tz, pay_in_advance=advance)


# commitment, days, of, its share, fees, what is missing (None: no fee)
AMOUNTS = [
    (100_000, 31, 31, 100_000, 65_000, 35_000),
    (100_000, 17, 31, 54_839, 20_000, 34_839),
    (100_000, 366, 366, 100_000, 100_000, None),
    (50_000, 10, 30, 16_667, 16_666, 1),
    (50_000, 10, 30, 16_667, 16_667, None),
]


@pytest.mark.parametrize(("commitment", "days", "full_days", "committed", "billed", "missing"), AMOUNTS)
def test_shortfall(
    commitment: int, days: int, full_days: int, committed: int, billed: int, missing: int | None
) -> None:
    found = shortfall(commitment, Reconciled(ANY, days, full_days), billed, Decimal(billed))
    assert (found and found.amount_cents) == missing
    if found is not None:
        assert (found.committed_cents, int(found.precise_amount_cents)) == (committed, missing)


def test_precise_amounts_follow_the_unrounded_fees() -> None:
    found = shortfall(50_000, Reconciled(ANY, 10, 30), 16_666, Decimal("16665.75"))
    assert found is not None
    assert (found.amount_cents, found.precise_amount_cents) == (1, Decimal("1.25"))
    found = shortfall(50_000, Reconciled(ANY, 10, 30), 16_666, Decimal("16668"))
    assert found is not None
    assert found.precise_amount_cents == 0


# interval, start, tick, days / full days, commitment's share, fees of the period, fee
TICKS = [
    (Interval.WEEKLY, "2024-02-14T10:00", "2024-02-19", 5, 7, 714_286, 71_429, 642_857),
    (Interval.MONTHLY, "2023-02-04T10:00", "2023-03-01", 25, 28, 892_857, 89_286, 803_571),
    (Interval.YEARLY, "2022-02-01T10:00", "2023-01-01", 334, 365, 915_068, 91_507, 823_561),
    (Interval.MONTHLY, "2024-02-28T10:00", "2024-03-01", 2, 29, 68_966, 690 + 7_000, 61_276),
    (Interval.MONTHLY, "2024-01-17T10:00", "2024-06-01", 31, 31, 1_000_000, 10_000, 990_000),
]


@pytest.mark.parametrize(("interval", "started", "tick", "days", "full_days", "committed", "billed", "fee"), TICKS)
def test_periods_that_end_at_a_tick(
    interval: Interval, started: str, tick: str, days: int, full_days: int, committed: int, billed: int, fee: int
) -> None:
    plan = schedule(interval, started)
    period = reconciled_at_tick(plan, at(started), date.fromisoformat(tick))
    assert period is not None
    assert (period.days, period.full_days) == (days, full_days)
    found = shortfall(1_000_000, period, billed, Decimal(billed))
    assert found is not None
    assert (found.committed_cents, found.amount_cents) == (committed, fee)


def test_a_split_tick_reconciles_nothing() -> None:
    assert reconciled_at_tick(schedule(Interval.YEARLY, "2024-01-01"), at("2024-01-01"), date(2024, 6, 1)) is None


def test_termination_reconciles_the_running_period() -> None:
    plan = schedule(Interval.MONTHLY, "2024-01-17T10:00")
    period = reconciled_at_end(plan, at("2024-01-17T10:00"), at("2024-06-09T15:30"), False)
    assert period is not None
    assert (period.days, period.full_days) == (9, 30)
    found = shortfall(1_000_000, period, 3_000, Decimal(3_000))
    assert found is not None
    assert (found.committed_cents, found.amount_cents) == (300_000, 297_000)


def test_termination_on_a_billing_day() -> None:
    plan = schedule(Interval.MONTHLY, "2024-01-17T10:00")
    given_away = reconciled_at_end(plan, at("2024-01-17T10:00"), at("2024-06-01T08:00"), False)
    assert given_away is not None
    assert (given_away.window.start_at, given_away.days) == (at("2024-05-01"), 31)
    billed = reconciled_at_end(plan, at("2024-01-17T10:00"), at("2024-06-01T08:00"), True)
    assert billed is not None
    assert (billed.window.start_at, billed.days) == (at("2024-06-01"), 1)


def test_a_period_before_the_start_is_not_reconciled() -> None:
    plan = schedule(Interval.MONTHLY, "2024-06-10")
    assert reconciled_at_tick(plan, at("2024-06-10"), date(2024, 6, 1)) is None


def test_trace_in_words() -> None:
    period = Reconciled(ANY, 17, 31)
    found = shortfall(100_000, period, 20_000, Decimal(20_000))
    assert found is not None
    assert in_words(commitment_trace(100_000, period, 20_000, found))["sentences"] == [
        "the commitment of 100000 cents is 54839 cents for 17 of 31 days; the fees of the period amount to 20000 cents",
        "34839.0 cents rounded half away from zero = 34839 cents",
    ]
