"""Minimum commitments: the period that is reconciled, and what it lacks (rating.md §17, subscriptions.md §4.7).

Not the spending minimum of one charge (`rating/true_up`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from tallystick.core.money import EXACT, ZERO, cents_of, divide, precise
from tallystick.core.periods import Period, Schedule, local_date, local_midnight
from tallystick.core.proration import date_days
from tallystick.core.windows import Window, gives_day_away

#: what a fee is called whose commitment has no name
DEFAULT_NAME = "Minimum commitment"

_RESOLUTION = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A period whose fees are held against the commitment: what the row lived of it, `days` of its `full_days`."""

    window: Window
    days: int
    full_days: int


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What the fees of a period left open of the commitment that falls to it, in minor units."""

    committed_cents: int
    amount_cents: int
    precise_amount_cents: Decimal


def reconciled_at_tick(schedule: Schedule, started_at: datetime, tick_on: date) -> Reconciled | None:
    """The period that ends as a billing day begins, also at a downgrade; None within a period."""
    if not schedule.is_period_start(tick_on):
        return None
    return _lived(schedule.before(schedule.containing(tick_on)), schedule.timezone, started_at)


def reconciled_at_end(
    schedule: Schedule, started_at: datetime, terminated_at: datetime, tick_already_billed: bool
) -> Reconciled | None:
    """The running period of a row that a termination or an upgrade ends; the day of an upgrade counts.

    The period before on a billing day that is given away (subscriptions.md §3.5).
    """
    on = local_date(terminated_at, schedule.timezone)
    period = schedule.containing(on)
    if period.start_on == on and gives_day_away(schedule, started_at, terminated_at, tick_already_billed):
        period = schedule.before(period)
    return _lived(period, schedule.timezone, started_at, terminated_at)


def _lived(period: Period, tz: str, started_at: datetime, terminated_at: datetime | None = None) -> Reconciled | None:
    """The days of a period on which the row lived: whole local days, its first and its last one included."""
    start_at = max(local_midnight(period.start_on, tz), local_midnight(local_date(started_at, tz), tz))
    end_at = local_midnight(period.end_on, tz)
    if terminated_at is not None:
        end_at = min(end_at, terminated_at + _RESOLUTION)
    if end_at <= start_at:
        return None
    window = Window(start_at, end_at)
    return Reconciled(window, date_days(start_at, window.last_at, tz) + 1, period.days)


def shortfall(
    amount_cents: int, period: Reconciled, billed_cents: int, billed_precise_cents: Decimal
) -> Shortfall | None:
    """What the commitment lacks after the gross fees of the period; None when they reach it (rating.md §17)."""
    committed = cents_of(divide(amount_cents * period.days, period.full_days))
    if committed <= billed_cents:
        return None
    exact = max(EXACT.subtract(Decimal(committed), billed_precise_cents), ZERO)
    return Shortfall(committed, committed - billed_cents, precise(exact))
