"""The instants each invoice of a subscription covers: plan fee, usage and fixed charges, at every moment of its life.

Not for deciding when an invoice is due (`Schedule` knows the billing days) nor for amounts (`proration`).

Instants named as an end by the specification are inclusive ("an event exactly at `terminated_at` counts"), windows are
half-open: such an end is stored one microsecond later. The last instant of any window is therefore `last_at`, and what
APIs show as `to` is `last_at` cut to the second (23:59:59 before a midnight, the very second of a termination).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from tallystick.core.periods import TIMEZONE_SHIFT, Interval, Period, Schedule, local_date, local_midnight

_RESOLUTION = timedelta(microseconds=1)
_DAY_OF_HOURS = timedelta(hours=24)


class NotABillingDay(ValueError):
    """Windows of a billing day were asked for a date that is none for this row."""


@dataclass(frozen=True, slots=True)
class Window:
    """The instants from `start_at` up to, not including, `end_at`; both UTC."""

    start_at: datetime
    end_at: datetime

    def __post_init__(self) -> None:
        if self.end_at < self.start_at:
            raise ValueError(f"a window ends before it starts: {self.start_at.isoformat()} {self.end_at.isoformat()}")

    @property
    def is_empty(self) -> bool:
        return self.start_at == self.end_at

    @property
    def last_at(self) -> datetime:
        """The last instant inside: the inclusive end that day counts and views need."""
        return self.end_at - _RESOLUTION


@dataclass(frozen=True, slots=True)
class Windows:
    """What one invoice covers of one subscription; None where it bills nothing of the kind.

    `plan` is also the window reported when no plan fee is due. Each duration is the full number of days of the period
    or monthly split its window lies in, however short the window is (`duration` of metering.md §0); 0 without window.
    """

    plan: Window | None
    charges: Window | None
    fixed: Window | None
    fixed_in_advance: Window | None
    plan_fee_due: bool
    plan_days_in_full_period: int
    charges_duration_days: int
    fixed_duration_days: int
    fixed_in_advance_duration_days: int


def windows_at_start(schedule: Schedule, started_at: datetime) -> Windows:
    """Windows of the invoice at a start: a new row, an upgrade's new row, a downgrade's new row.

    An advance plan is billed from its first day to the end of the period (subscriptions.md §2.4, §3.3, §3.5);
    pay-in-advance fixed charges from the exact start, whatever the plan (§4.5).
    """
    on = local_date(started_at, schedule.timezone)
    return _Life(schedule, started_at).windows(
        plan=schedule.containing(on) if schedule.pay_in_advance else None,
        fixed_in_advance=schedule.containing(on, schedule.fixed_interval),
        plan_fee_due=schedule.pay_in_advance,
    )


def windows_at_tick(schedule: Schedule, started_at: datetime, tick_on: date) -> Windows:
    """Windows of the periodic invoice of a billing day (subscriptions.md §3.2, §3.4).

    A series bills on its own starts only: with a monthly split, what is not split waits for the period start. Between
    period starts the plan window is reported without fee; an arrears plan then shows the period one interval earlier.
    Raises `NotABillingDay`.
    """
    if not schedule.is_tick(tick_on) or tick_on <= local_date(started_at, schedule.timezone):
        raise NotABillingDay(f"{tick_on} is no billing day of a row started at {started_at.isoformat()}")
    period = schedule.containing(tick_on)
    return _Life(schedule, started_at).windows(
        plan=period if schedule.pay_in_advance else schedule.before(period),
        charges=_just_ended(schedule, tick_on, schedule.charges_interval),
        fixed=_just_ended(schedule, tick_on, schedule.fixed_interval),
        fixed_in_advance=_just_started(schedule, tick_on, schedule.fixed_interval),
        plan_fee_due=period.start_on == tick_on,
    )


def windows_of_old_row_at_downgrade(schedule: Schedule, started_at: datetime, tick_on: date) -> Windows:
    """Windows of the row a downgrade ends: its ended period, and nothing in advance (subscriptions.md §2.6, §3.5).

    Raises `NotABillingDay` unless a period of the row's plan starts on `tick_on`.
    """
    if not schedule.is_period_start(tick_on):
        raise NotABillingDay(f"no period starts on {tick_on}: a downgrade waits for one")
    windows = replace(
        windows_at_tick(schedule, started_at, tick_on), fixed_in_advance=None, fixed_in_advance_duration_days=0
    )
    if schedule.pay_in_advance:
        return replace(windows, plan=None, plan_fee_due=False, plan_days_in_full_period=0)
    return windows


def windows_at_termination(
    schedule: Schedule, started_at: datetime, terminated_at: datetime, tick_already_billed: bool
) -> Windows:
    """Windows of the final invoice of a row ended by termination or upgrade (subscriptions.md §3.5).

    Every series is billed from the start of its running period or split to `terminated_at`. On a billing day not yet
    billed, of a row at least 24 h old, the series that start that day bill their ended period instead and give the day
    away. `tick_already_billed` says whether a recurring invoice of that local date exists. An advance plan has no fee
    here: its window is the running period, for the record.
    """
    on = local_date(terminated_at, schedule.timezone)
    tick_is_due = gives_day_away(schedule, started_at, terminated_at, tick_already_billed)

    def unbilled(interval: Interval) -> Period:
        running = schedule.containing(on, interval)
        return schedule.before(running, interval) if tick_is_due and running.start_on == on else running

    return _Life(schedule, started_at, terminated_at).windows(
        plan=schedule.containing(on) if schedule.pay_in_advance else unbilled(schedule.interval),
        charges=unbilled(schedule.charges_interval),
        fixed=unbilled(schedule.fixed_interval),
        plan_fee_due=not schedule.pay_in_advance and terminated_at >= started_at,
    )


def gives_day_away(
    schedule: Schedule, started_at: datetime, terminated_at: datetime, tick_already_billed: bool
) -> bool:
    """Whether a series that starts on the day of the end bills the period before and not the day (§3.5)."""
    on, started_on = local_date(terminated_at, schedule.timezone), local_date(started_at, schedule.timezone)
    return not tick_already_billed and on > started_on and terminated_at - started_at >= _DAY_OF_HOURS


def windows_at_trial_end(schedule: Schedule, started_at: datetime, trial_end_at: datetime) -> Windows:
    """Windows of an advance plan's first plan fee, due when its trial ends: the running period (subscriptions.md §4.4).

    `proration.plan_fee_days` clips the trial off.
    """
    on = local_date(trial_end_at, schedule.timezone)
    return _Life(schedule, started_at).windows(plan=schedule.containing(on), plan_fee_due=True)


def current_windows(schedule: Schedule, started_at: datetime, terminated_at: datetime | None, at: datetime) -> Windows:
    """The running period of each series, for usage queries and events paid in advance (subscriptions.md §3.6).

    Before the start it is the first period, after the termination the last one. `charges` gives the API's
    `current_billing_period_*`. A pending row has no `started_at`, hence no current period.
    """
    seen_at = max(at if terminated_at is None else min(at, terminated_at), started_at)
    on = local_date(seen_at, schedule.timezone)
    fixed = schedule.containing(on, schedule.fixed_interval)
    return _Life(schedule, started_at, terminated_at).windows(
        plan=schedule.containing(on),
        charges=schedule.containing(on, schedule.charges_interval),
        fixed=fixed,
        fixed_in_advance=fixed,
        plan_fee_due=False,
    )


def windows_of_fixed_in_advance(running: Windows) -> Windows:
    """What is left of the running period when only fixed charges paid in advance are billed (subscriptions.md §4.5)."""
    return Windows(
        plan=None,
        charges=None,
        fixed=None,
        fixed_in_advance=running.fixed_in_advance,
        plan_fee_due=False,
        plan_days_in_full_period=0,
        charges_duration_days=0,
        fixed_duration_days=0,
        fixed_in_advance_duration_days=running.fixed_in_advance_duration_days,
    )


def joined_after_timezone_change(window: Window, previous_end_at: datetime) -> Window:
    """A usage or fixed window made to start where the previous one ended (subscriptions.md §3.7).

    For use when the customer's time zone differs from the one of the subscription's earlier invoices. A gap of 26 h or
    more is no matter of time zones and stays. The plan-fee window is never adjusted.
    """
    if window.start_at - previous_end_at >= TIMEZONE_SHIFT:
        return window
    return Window(previous_end_at, max(window.end_at, previous_end_at))


def is_billed_before(window: Window, billed_to_at: datetime | None) -> bool:
    """Whether a period was billed under another time zone already: to an end that no shift of its start explains."""
    return billed_to_at is not None and billed_to_at - window.start_at >= TIMEZONE_SHIFT


def _just_ended(schedule: Schedule, on: date, interval: Interval) -> Period | None:
    """The period of a series that ends as `on` begins, None within a period."""
    started = _just_started(schedule, on, interval)
    return None if started is None else schedule.before(started, interval)


def _just_started(schedule: Schedule, on: date, interval: Interval) -> Period | None:
    """The period of a series that starts on `on`, None within a period."""
    period = schedule.containing(on, interval)
    return period if period.start_on == on else None


@dataclass(frozen=True, slots=True)
class _Life:
    """Cuts periods to the instants a row lived: the clamps of subscriptions.md §3.2 and §3.5."""

    schedule: Schedule
    started_at: datetime
    terminated_at: datetime | None = None

    def windows(
        self,
        *,
        plan: Period | None,
        plan_fee_due: bool,
        charges: Period | None = None,
        fixed: Period | None = None,
        fixed_in_advance: Period | None = None,
    ) -> Windows:
        return Windows(
            plan=self._plan(plan) if plan else None,
            charges=self._usage(charges) if charges else None,
            fixed=self._usage(fixed) if fixed else None,
            fixed_in_advance=self._usage(fixed_in_advance) if fixed_in_advance else None,
            plan_fee_due=plan_fee_due,
            plan_days_in_full_period=plan.days if plan else 0,
            charges_duration_days=charges.days if charges else 0,
            fixed_duration_days=fixed.days if fixed else 0,
            fixed_in_advance_duration_days=fixed_in_advance.days if fixed_in_advance else 0,
        )

    def _plan(self, period: Period) -> Window:
        """From the midnight of the first day at the earliest; a period over before the start ends at the start."""
        tz = self.schedule.timezone
        first_midnight = local_midnight(local_date(self.started_at, tz), tz)
        start_at = max(local_midnight(period.start_on, tz), first_midnight)
        return Window(start_at, max(self._end_at(period), self.started_at + _RESOLUTION))

    def _usage(self, period: Period) -> Window:
        """From the exact start at the earliest; a period over before the start is empty."""
        start_at = max(local_midnight(period.start_on, self.schedule.timezone), self.started_at)
        return Window(start_at, max(self._end_at(period), start_at))

    def _end_at(self, period: Period) -> datetime:
        end_at = local_midnight(period.end_on, self.schedule.timezone)
        return end_at if self.terminated_at is None else min(end_at, self.terminated_at + _RESOLUTION)
