"""Counting days, and the share of a plan's price they pay for.

Not for usage amounts (`rating`) nor for choosing windows (`windows`). Days are days of the customer's calendar: the
hours a clock change adds or takes do not count.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tallystick.core.money import cents_of, divide
from tallystick.core.periods import ONE_DAY, local_date
from tallystick.core.windows import Window

_MIDNIGHT_NUDGE = timedelta(seconds=1)
_MICROSECONDS_PER_DAY = 86_400_000_000


def days_between(from_at: datetime, to_at: datetime, tz: str) -> int:
    """`days(a, b)` of metering.md §0 and subscriptions.md §4.1: days begun on the wall clock, for charges.

    `to_at` is inclusive (`Window.last_at`, never `end_at`): at local midnight it counts the day it begins.
    """
    to_wall = _wall_clock(to_at, tz)
    if to_wall.time() == time.min:
        to_wall += _MIDNIGHT_NUDGE
    return -((_wall_clock(from_at, tz) - to_wall) // ONE_DAY)


def date_days(from_at: datetime, to_at: datetime, tz: str) -> int:
    """`date_days(x, y)` of metering.md §0: whole calendar days from one instant's local date to another's."""
    return (local_date(to_at, tz) - local_date(from_at, tz)).days


def sub_days(window: Window, tz: str, upgraded_at: datetime | None = None) -> int:
    """`sub_days` of metering.md §0: days of a usage or fixed window; an upgrade's day belongs to the new plan.

    `upgraded_at` is the row's `terminated_at` if an upgrade ended it. A window over before that day loses nothing.
    """
    days = days_between(window.start_at, window.last_at, tz)
    return max(days - _upgrade_day(window, upgraded_at), 0)


def plan_fee_days(
    window: Window, tz: str, trial_end_at: datetime | None = None, upgraded_at: datetime | None = None
) -> int:
    """`n` of subscriptions.md §4.2: local dates of a plan-fee window, both ends included.

    The trial is free up to the local date it ends on, which is billed (§4.4). `upgraded_at` as in `sub_days`.
    """
    start_at = window.start_at
    if trial_end_at is not None:
        if trial_end_at >= window.last_at:
            return 0
        start_at = max(start_at, trial_end_at)
    days = date_days(start_at, window.last_at, tz) + 1
    return max(days - _upgrade_day(window, upgraded_at), 0)


def plan_fee(amount_cents: int, days: int, full_days: int) -> tuple[Decimal, int]:
    """The exact and the payable share of a plan's price, in minor units (subscriptions.md §4.2).

    `full_days` is the unclamped length of the period. Multiplied before divided; halves go away from zero.
    """
    precise = divide(amount_cents * days, full_days)
    return precise, cents_of(precise)


def trial_end_at(trial_started_at: datetime, trial_days: Decimal | None) -> datetime | None:
    """The instant a free trial ends (subscriptions.md §4.4). Days may be fractional; none, zero or less is no trial."""
    if trial_days is None or trial_days <= 0:
        return None
    return trial_started_at + timedelta(microseconds=int(trial_days * _MICROSECONDS_PER_DAY))


def _upgrade_day(window: Window, upgraded_at: datetime | None) -> int:
    """1 if the window reaches the day of the upgrade."""
    return int(upgraded_at is not None and upgraded_at < window.end_at)


def _wall_clock(at: datetime, tz: str) -> datetime:
    """What a clock on the wall shows, freed of its zone so that differences ignore clock changes."""
    return at.astimezone(ZoneInfo(tz)).replace(tzinfo=UTC)
