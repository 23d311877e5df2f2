"""What a subscription row must have been billed, worked out day by day from subscriptions.md and nothing else.

Plan fees and fixed charges only. Slow and obvious on purpose: it shares no code with the product, and knows of its data
only what a reader of the specification would write down. Readings of docs/decisions/0008 are named where they count.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

DAY = dt.timedelta(days=1)
#: two midnights of one tick, seen from two time zones, lie less than this apart (§3.7)
SHIFT = dt.timedelta(hours=26)
MONTHS = {"monthly": 1, "quarterly": 3, "semiannual": 6, "yearly": 12}


@dataclass(frozen=True)
class Terms:
    """A plan with a prorated fixed charge in arrears (`a`) and one in advance (`b`), each at 1.00 a unit."""

    interval: str
    cents: int
    advance: bool
    trial_days: int = 0
    split_usage: bool = False
    split_fixed: bool = False
    units: int = 10

    @property
    def splits(self) -> bool:
        """Whether the longer intervals have monthly ticks (§3.4)."""
        return self.interval in ("yearly", "semiannual") and (self.split_usage or self.split_fixed)

    @property
    def tick_interval(self) -> str:
        """The finest series."""
        return "monthly" if self.splits else self.interval

    @property
    def fixed_interval(self) -> str:
        """The series of fixed charges."""
        return "monthly" if self.splits and self.split_fixed else self.interval


@dataclass(frozen=True)
class UnitsChange:
    """At `at` the fixed charge has other units: at once, or from the next period on."""

    charge: str
    units: int
    at: dt.datetime
    at_once: bool


@dataclass(frozen=True)
class Life:
    """The facts of one row; `zones`: (since when, zone) of its customer; `kept_at`: the last instant looked at."""

    terms: Terms
    anniversary: bool
    subscription_at: dt.datetime
    activated_at: dt.datetime
    started_at: dt.datetime
    trial_started_at: dt.datetime
    kept_at: dt.datetime
    zones: Sequence[tuple[dt.datetime, str]]
    terminated_at: dt.datetime | None = None
    replaced_by: str | None = None
    final_invoice: bool = True
    changes: Sequence[UnitsChange] = ()


@dataclass(frozen=True, order=True)
class Line:
    """A fee that is not zero: when it is made, what for, how much."""

    at: dt.datetime
    kind: str
    cents: int


@dataclass
class Ledger:
    """What was billed so far, as later decisions need it."""

    lines: list[Line] = field(default_factory=list)
    boundary_at: dt.datetime | None = None
    plan_to: dt.datetime | None = None
    fixed_to: dt.datetime | None = None
    tick_days: set[dt.date] = field(default_factory=set)
    #: end of a window -> units of `b` billed in it
    units: dict[dt.datetime, int] = field(default_factory=dict)

    def add(self, at: dt.datetime, kind: str, cents: int) -> None:
        """A fee, unless it is nothing."""
        if cents:
            self.lines.append(Line(at, kind, cents))


def cents_of(amount: Decimal) -> int:
    """Halves away from zero (§0)."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


@lru_cache(maxsize=100_000)
def midnight(on: dt.date, zone: str) -> dt.datetime:
    """The first instant of a local date, found hour by hour and then minute by minute from long before it."""
    at = dt.datetime(on.year, on.month, on.day, tzinfo=dt.UTC) - dt.timedelta(hours=15)
    for step in (dt.timedelta(hours=1), dt.timedelta(minutes=1)):
        while local(at, zone) < on:
            at += step
        at -= step
    return at + dt.timedelta(minutes=1)


def local(at: dt.datetime, zone: str) -> dt.date:
    """The date of an instant."""
    return at.astimezone(ZoneInfo(zone)).date()


@lru_cache(maxsize=100_000)
def period(on: dt.date, interval: str, anchor: dt.date | None) -> tuple[dt.date, dt.date]:
    """First day and the day after the last one of the period with `on`, one period after the other (§3.1)."""
    if interval == "weekly":
        start = on
        while start.weekday() != (anchor.weekday() if anchor else 0):
            start -= DAY
        return start, start + 7 * DAY
    origin = anchor or dt.date(2001, 1, 1)
    step = 0
    while later(origin, step) > on:
        step -= MONTHS[interval]
    while later(origin, step + MONTHS[interval]) <= on:
        step += MONTHS[interval]
    return later(origin, step), later(origin, step + MONTHS[interval])


def later(origin: dt.date, months: int) -> dt.date:
    """So many months on, on the same day or the last one of a shorter month."""
    count = origin.year * 12 + origin.month - 1 + months
    year, month = count // 12, count % 12 + 1
    return dt.date(year, month, min(origin.day, calendar.monthrange(year, month)[1]))


def expected(life: Life) -> list[Line]:
    """Everything that the row must have been billed up to `kept_at`, in order."""
    return sorted(_Row(life).bill().lines)


class _Row:
    """One row on its way through the days."""

    def __init__(self, life: Life) -> None:
        self.life, self.terms, self.ledger = life, life.terms, Ledger()
        self.trial_end = life.trial_started_at + dt.timedelta(days=life.terms.trial_days)

    # -- the calendar of the row ------------------------------------------------------------------

    def zone(self, at: dt.datetime) -> str:
        return [zone for since, zone in self.life.zones if since <= at][-1]

    def period(self, on: dt.date, zone: str, interval: str | None = None) -> tuple[dt.date, dt.date]:
        anchor = local(self.life.subscription_at, zone) if self.life.anniversary else None
        return period(on, interval or self.terms.interval, anchor)

    def starts(self, on: dt.date, zone: str, interval: str | None = None) -> bool:
        return self.period(on, zone, interval)[0] == on

    def before(self, on: dt.date, zone: str, interval: str | None = None) -> tuple[dt.date, dt.date]:
        return self.period(self.period(on, zone, interval)[0] - DAY, zone, interval)

    def reached(self, on: dt.date, zone: str) -> bool:
        """Whether the tick of this day was billed, here or in another zone."""
        boundary = self.ledger.boundary_at
        return boundary is not None and midnight(on, zone) - boundary < SHIFT

    # -- the days ------------------------------------------------------------------------------------

    def bill(self) -> Ledger:
        life = self.life
        last_at = life.terminated_at or life.kept_at
        moments: list[tuple[dt.datetime, int, dt.datetime, object]] = [(life.activated_at, 0, life.activated_at, None)]
        moments += [(change.at, 3, change.at, change) for change in life.changes]
        if life.activated_at < self.trial_end <= last_at and self.terms.trial_days:
            moments.append((self.trial_end, 2, self.trial_end, None))
        for seen_at, at, on, zone in self.days():
            moments.append((seen_at, 1, at, (on, zone)))
        for seen_at, kind, at, what in sorted(moments, key=lambda one: one[:3]):
            if seen_at > last_at or (kind == 1 and seen_at == life.terminated_at):
                continue
            if kind == 0:
                self.start()
            elif isinstance(what, UnitsChange):
                self.raise_units(what)
            elif isinstance(what, tuple):
                self.tick(at, *what)
            else:
                self.end_trial()
        if life.terminated_at is not None and (life.final_invoice or life.replaced_by):
            self.end(life.terminated_at)
        return self.ledger

    def days(self) -> Iterator[tuple[dt.datetime, dt.datetime, dt.date, str]]:
        """(when it is seen, as of when its work is done, local date, zone) of every day, each zone in its time.

        Who comes to a zone sees the days that are over there: what was not billed of them yet is billed as of their
        beginning, what is due on the day of the arrival at once.
        """
        last_at = self.life.terminated_at or self.life.kept_at
        zones = [*self.life.zones, (last_at + 400 * DAY, "")]
        for (came_at, zone), (until, _) in pairwise(zones):
            since = max(came_at, self.life.activated_at)
            if since >= until:
                continue
            today, on = local(since, zone), local(self.life.activated_at, zone) - DAY
            while midnight(on, zone) < min(until, last_at + DAY):
                seen_at = max(midnight(on, zone), since)
                yield seen_at, midnight(on, zone) if on < today else seen_at, on, zone
                on += DAY

    def tick(self, at: dt.datetime, on: dt.date, zone: str) -> None:
        life, terms = self.life, self.terms
        is_tick = self.starts(on, zone, terms.tick_interval) and on > local(life.started_at, zone)
        if not is_tick or on < local(life.activated_at, zone) or self.reached(on, zone):
            return
        self.ledger.boundary_at = midnight(on, zone)
        self.ledger.tick_days.add(on)
        if self.starts(on, zone):
            self.plan_fee(at, on, zone, self.period(on, zone) if terms.advance else self.before(on, zone))
        elif terms.advance and self.first_fee_after_trial(on, zone):
            self.plan_fee(at, on, zone, self.period(on, zone))
        if self.starts(on, zone, terms.fixed_interval):
            first, end = self.before(on, zone, terms.fixed_interval)
            self.fixed_in_arrears(at, zone, first, end)
            self.fixed_in_advance(at, on, zone)

    # -- what is billed ------------------------------------------------------------------------------

    def start(self) -> None:
        """§2.4, §2.5: an advance plan pays at once unless in its trial; a start in the past pays nothing."""
        at = self.life.activated_at
        zone = self.zone(at)
        if local(self.life.started_at, zone) < local(at, zone):
            return
        on = local(at, zone)
        if self.terms.advance and not self.in_trial(at):
            self.plan_fee(at, on, zone, self.period(on, zone))
        self.fixed_in_advance(at, on, zone)

    def in_trial(self, at: dt.datetime) -> bool:
        return self.terms.trial_days > 0 and at < self.trial_end

    def first_fee_after_trial(self, on: dt.date, zone: str) -> bool:
        ends_today = self.terms.trial_days > 0 and local(self.trial_end, zone) == on
        return ends_today and self.ledger.plan_to is None and self.trial_end > self.life.activated_at

    def end_trial(self) -> None:
        """§4.4: the rest of the period, unless a tick of the day has it or the start had it."""
        at, zone = self.trial_end, self.zone(self.trial_end)
        on = local(at, zone)
        if self.terms.advance and self.ledger.plan_to is None and on not in self.ledger.tick_days:
            self.plan_fee(at, on, zone, self.period(on, zone))

    def plan_fee(
        self,
        at: dt.datetime,
        on: dt.date,
        zone: str,
        whole: tuple[dt.date, dt.date],
        last: dt.date | None = None,
        less: int = 0,
    ) -> None:
        """§4.2: days of the window over days of the period; `last` day of a row that ends, `less` for an upgrade."""
        if self.in_trial(at) and local(self.trial_end, zone) != on:
            return
        first, end = whole
        if self.ledger.plan_to is not None and self.ledger.plan_to - midnight(first, zone) >= SHIFT:
            return
        start, until = max(first, local(self.life.started_at, zone)), min(last or end, end - DAY)
        window_end = min(self.life.terminated_at or at, midnight(end, zone)) if last else midnight(end, zone)
        if self.terms.trial_days:
            start = until + DAY if self.trial_end >= window_end else max(start, local(self.trial_end, zone))
        days = max((until - start).days + 1 - less, 0)
        self.ledger.plan_to = midnight(end, zone)
        self.ledger.add(at, "plan", cents_of(Decimal(self.terms.cents * days) / (end - first).days))

    def records(self, charge: str, made_before: dt.datetime) -> list[tuple[int, dt.datetime]]:
        """(units, since when), in the order in which they were written (§4.5)."""
        found = [(self.terms.units, self.life.started_at + dt.timedelta(seconds=1))]
        for change in self.life.changes:
            if change.charge == charge and change.at < made_before:
                zone = self.zone(change.at)
                next_on = self.period(local(change.at, zone), zone, self.terms.fixed_interval)[1]
                found.append((change.units, change.at if change.at_once else midnight(next_on, zone)))
        return found

    def counted(
        self, charge: str, at: dt.datetime, from_at: dt.datetime, to_at: dt.datetime
    ) -> list[tuple[int, dt.datetime]]:
        """Those inside a window and the last written of those before it."""
        records = self.records(charge, at)
        before = [place for place, (_, since) in enumerate(records) if since < from_at]
        return [
            record
            for place, record in enumerate(records)
            if from_at <= record[1] < to_at or (before and place == before[-1])
        ]

    def fixed_in_arrears(
        self, at: dt.datetime, zone: str, first: dt.date, end: dt.date, last: dt.date | None = None
    ) -> None:
        """Days of each number of units over the days of the period, each share with six decimals."""
        from_at = max(midnight(first, zone), self.life.started_at)
        ledger = self.ledger
        if ledger.fixed_to is not None and from_at - ledger.fixed_to < SHIFT:
            from_at = ledger.fixed_to  # another zone: it goes on where it stopped (§3.7)
        counted = self.counted("a", at, from_at, at if last else midnight(end, zone))
        kept = [
            record
            for place, record in enumerate(counted)
            if all(record[1] <= later_written[1] for later_written in counted[place + 1 :])
        ]
        dates = [local(max(since, from_at), zone) for _, since in kept] + [(last or end - DAY) + DAY]
        units = Decimal(0)
        for (count, _), start, until in zip(kept, dates, dates[1:], strict=False):
            share = Decimal(count * max((until - start).days, 0)) / (end - first).days
            units += share.quantize(Decimal("0.000001"), ROUND_HALF_UP)
        ledger.fixed_to = midnight(end, zone)
        ledger.add(at, "a", cents_of(units * 100))

    def fixed_in_advance(self, at: dt.datetime, on: dt.date, zone: str) -> None:
        first, end = self.period(on, zone, self.terms.fixed_interval)
        from_at, end_at = max(midnight(first, zone), self.life.started_at), midnight(end, zone)
        if not self.billed_units(end_at):
            units = self.counted("b", at, from_at, end_at)[-1][0]
            self.ledger.units[end_at] = units
            self.ledger.add(at, "b", units * 100)

    def billed_units(self, end_at: dt.datetime) -> int:
        return sum(units for known, units in self.ledger.units.items() if abs(known - end_at) < SHIFT)

    def raise_units(self, change: UnitsChange) -> None:
        """§4.5: what is more than the units billed of the running window is billed at once; nothing is given back."""
        if change.charge != "b" or not change.at_once:
            return
        zone = self.zone(change.at)
        end_at = midnight(self.period(local(change.at, zone), zone, self.terms.fixed_interval)[1], zone)
        more = change.units - self.billed_units(end_at)
        if more > 0:
            self.ledger.units[end_at] = self.ledger.units.get(end_at, 0) + more
            self.ledger.add(change.at, "b", more * 100)

    def end(self, at: dt.datetime) -> None:
        """§3.5: the running periods to the day of the end; on a tick not billed yet the ended ones, and no day more."""
        life, zone = self.life, self.zone(at)
        on = local(at, zone)
        old_enough = on > local(life.started_at, zone) and at - life.started_at >= dt.timedelta(hours=24)
        given_away = life.replaced_by == "downgrade" or (old_enough and not self.reached(on, zone))
        if not self.terms.advance:
            if given_away and self.starts(on, zone):
                self.plan_fee(at, on, zone, self.before(on, zone))
            else:
                less = 1 if life.replaced_by == "upgrade" else 0
                self.plan_fee(at, on, zone, self.period(on, zone), last=on, less=less)
        fixed = self.terms.fixed_interval
        if given_away and self.starts(on, zone, fixed):
            first, end = self.before(on, zone, fixed)
            self.fixed_in_arrears(at, zone, first, end)
        elif not self.reached(self.period(on, zone, fixed)[1], zone):
            first, end = self.period(on, zone, fixed)
            self.fixed_in_arrears(at, zone, first, end, on)
