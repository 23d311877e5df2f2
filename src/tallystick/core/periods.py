"""Billing periods as local dates: where they start, which one holds a day, and which days are billing days (ticks).

Not for instants to be billed (`windows`) nor for money (`proration`): here a period is a pair of calendar dates.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
#: the midnights of one date lie less than this apart, wherever they are (UTC+14 to UTC-12)
TIMEZONE_SHIFT = timedelta(hours=26)

_CALENDAR_ANCHOR = date(2001, 1, 1)  # a Monday and a 1 January: calendar periods are anniversaries of this day


class Interval(StrEnum):
    """How often a plan is billed."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    SEMIANNUAL = "semiannual"
    YEARLY = "yearly"


class BillingTime(StrEnum):
    """Whether periods start with the calendar or on the anniversary of the subscription's first day."""

    CALENDAR = "calendar"
    ANNIVERSARY = "anniversary"


_MONTHS = {Interval.MONTHLY: 1, Interval.QUARTERLY: 3, Interval.SEMIANNUAL: 6, Interval.YEARLY: 12}
_SPLIT_MONTHLY = frozenset({Interval.YEARLY, Interval.SEMIANNUAL})  # the only ones that can be billed monthly


@dataclass(frozen=True, slots=True)
class Period:
    """Local dates from `start_on` to the day before `end_on`."""

    start_on: date
    end_on: date

    @property
    def days(self) -> int:
        """`len(P)` of subscriptions.md §3.1."""
        return (self.end_on - self.start_on).days


@lru_cache(maxsize=65536)
def period_containing(on: date, interval: Interval, billing_time: BillingTime, anchor: date) -> Period:
    """`P(D)` of subscriptions.md §3.1: the period with local date `on`.

    `anchor` is the local date of `subscription_at`; days before it have periods too. Calendar billing ignores it.
    """
    origin = _CALENDAR_ANCHOR if billing_time is BillingTime.CALENDAR else anchor
    if interval is Interval.WEEKLY:
        start_on = on - timedelta(days=(on - origin).days % 7)
        return Period(start_on, start_on + timedelta(days=7))
    months = _MONTHS[interval]
    k = (12 * (on.year - origin.year) + on.month - origin.month) // months
    if _months_after(origin, k * months) > on:
        k -= 1
    return Period(_months_after(origin, k * months), _months_after(origin, (k + 1) * months))


def previous(period: Period, interval: Interval, billing_time: BillingTime, anchor: date) -> Period:
    """`prev(P)` of subscriptions.md §3.1."""
    return period_containing(period.start_on - ONE_DAY, interval, billing_time, anchor)


def next_start(on: date, interval: Interval, billing_time: BillingTime, anchor: date) -> date:
    """The first period start after local date `on`, never `on` itself."""
    return period_containing(on, interval, billing_time, anchor).end_on


@dataclass(frozen=True, slots=True)
class Schedule:
    """What decides the billing days of a subscription: its plan's terms, its anchor and its customer's time zone.

    `anchor_on` is the local date of `subscription_at`; `timezone` an IANA name. Usage and fixed charges of yearly and
    semiannual plans may follow a monthly series of their own (subscriptions.md §3.4); other plans ignore both flags.
    """

    interval: Interval
    billing_time: BillingTime
    anchor_on: date
    timezone: str
    pay_in_advance: bool = False
    bill_charges_monthly: bool = False
    bill_fixed_charges_monthly: bool = False

    @property
    def charges_interval(self) -> Interval:
        """The series the usage windows follow."""
        return self._split_if(self.bill_charges_monthly)

    @property
    def fixed_interval(self) -> Interval:
        """The series the fixed-charge windows follow."""
        return self._split_if(self.bill_fixed_charges_monthly)

    @property
    def tick_interval(self) -> Interval:
        """The finest series: each of its starts is a billing day (subscriptions.md §3.4)."""
        return self._split_if(self.bill_charges_monthly or self.bill_fixed_charges_monthly)

    def containing(self, on: date, interval: Interval | None = None) -> Period:
        """The period with local date `on`, in the plan's series or another one with the same anchor."""
        return period_containing(on, interval or self.interval, self.billing_time, self.anchor_on)

    def before(self, period: Period, interval: Interval | None = None) -> Period:
        """The period before `period` in the same series."""
        return previous(period, interval or self.interval, self.billing_time, self.anchor_on)

    def is_period_start(self, on: date) -> bool:
        """Whether a period of the plan starts on `on`: plan fee, commitment, downgrades (§2.6, §3.4)."""
        return self.containing(on).start_on == on

    def is_tick(self, on: date) -> bool:
        """Whether `on` is a billing day for a subscription that started on an earlier day (§3.1, §3.4)."""
        return self.containing(on, self.tick_interval).start_on == on

    def next_tick_on(self, after: date) -> date:
        """The smallest billing day after a local date, never the date itself."""
        return next_start(after, self.tick_interval, self.billing_time, self.anchor_on)

    def tick_after(self, boundary_at: datetime) -> date:
        """The first billing day after the one that began at `boundary_at`, maybe in another time zone (§3.7)."""
        on = self.next_tick_on(local_date(boundary_at, self.timezone) - ONE_DAY)
        while self.tick_at(on) - boundary_at < TIMEZONE_SHIFT:
            on = self.next_tick_on(on)
        return on

    def first_tick_on(self, started_at: datetime, created_at: datetime) -> date:
        """First billing day of a row: after its first day, not before the day it was created (§2.4, §7)."""
        started_on, created_on = local_date(started_at, self.timezone), local_date(created_at, self.timezone)
        return self.next_tick_on(max(started_on, created_on - ONE_DAY))

    def tick_at(self, on: date) -> datetime:
        """The instant a billing day begins, UTC."""
        return local_midnight(on, self.timezone)

    def _split_if(self, monthly: bool) -> Interval:
        return Interval.MONTHLY if monthly and self.interval in _SPLIT_MONTHLY else self.interval


def local_date(at: datetime, tz: str) -> date:
    """The calendar date of an instant in a time zone. Raises `ValueError` for an instant without offset."""
    if at.tzinfo is None:
        raise ValueError(f"an instant needs an offset: {at.isoformat()}")
    return at.astimezone(ZoneInfo(tz)).date()


@lru_cache(maxsize=8192)
def local_midnight(on: date, tz: str) -> datetime:
    """The first instant of a local date, UTC (subscriptions.md §3.7).

    Where the clocks skip midnight, or the whole day (Apia, 30 December 2011), it is the instant of the change: fold 0
    reads a time that does not exist with the offset before the change. Where midnight comes twice, the first counts.
    """
    return datetime(on.year, on.month, on.day, tzinfo=ZoneInfo(tz), fold=0).astimezone(UTC)


def _months_after(origin: date, months: int) -> date:
    """`b(k)`: always from the origin, so that a short month never moves the later ones (31 Jan, 29 Feb, 31 Mar)."""
    year, month0 = divmod(12 * origin.year + origin.month - 1 + months, 12)
    return date(year, month0 + 1, min(origin.day, calendar.monthrange(year, month0 + 1)[1]))
