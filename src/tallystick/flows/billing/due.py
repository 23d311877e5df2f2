"""What an occasion bills: which windows, whether a plan fee is due, which charges. Pure; no amounts here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from tallystick.core.contract import ChargeTerms, Contract
from tallystick.core.occasion import Occasion, Reason
from tallystick.core.periods import TIMEZONE_SHIFT, local_date
from tallystick.core.windows import (
    Window,
    Windows,
    current_windows,
    is_billed_before,
    joined_after_timezone_change,
    windows_at_start,
    windows_at_termination,
    windows_at_tick,
    windows_at_trial_end,
    windows_of_fixed_in_advance,
    windows_of_old_row_at_downgrade,
)


@dataclass(frozen=True, slots=True)
class Bill:
    """One subscription on one invoice. `billed_on` is the local date of the occasion."""

    contract: Contract
    occasion: Occasion
    windows: Windows
    plan_fee_due: bool

    @property
    def billed_on(self) -> date:
        """The local date of the occasion."""
        return local_date(self.occasion.at, self.contract.customer.timezone)

    @property
    def upgraded_at(self) -> datetime | None:
        """When an upgrade ended the row, if this is the final invoice: drafts of before bill what they did."""
        return self.contract.upgraded_at if self.occasion.reason is Reason.TERMINATING else None

    @property
    def charges_window(self) -> Window | None:
        """The usage window, None when no usage is billed."""
        window = self.windows.charges
        return None if window is None or window.is_empty else window


def bill_of(contract: Contract, occasion: Occasion) -> Bill:
    """What this occasion bills of the contract (subscriptions.md §3.2-3.5, §4.3)."""
    windows = _after_timezone_change(contract, _windows(contract, occasion))
    return Bill(contract, occasion, windows, windows.plan_fee_due and _plan_fee_allowed(contract, occasion))


def running_windows(contract: Contract, at: datetime) -> Windows:
    """The running period as its invoice will cover it (metering.md §7.1): after a move it starts where billing stopped.

    Instants that were billed keep the period of the calendar; those between the billed end and the first midnight of
    the new zone belong to the period that follows.
    """
    windows = _calendar_windows(contract, at)
    billed_to_at = contract.billed.charges_to_at
    if not contract.billed.moved or billed_to_at is None or at < billed_to_at or windows.charges is None:
        return windows
    if windows.charges.end_at - billed_to_at < TIMEZONE_SHIFT:
        windows = _calendar_windows(contract, windows.charges.end_at)
    return _after_timezone_change(contract, windows)


def _calendar_windows(contract: Contract, at: datetime) -> Windows:
    assert contract.started_at is not None, "what never started has no period"
    return current_windows(contract.schedule, contract.started_at, contract.terminated_at, at)


def _windows(contract: Contract, occasion: Occasion) -> Windows:
    assert contract.started_at is not None, "a subscription that never started is never billed"
    schedule, started_at, tz = contract.schedule, contract.started_at, contract.customer.timezone
    match occasion.reason:
        case Reason.STARTING:
            trial_end = contract.trial_end_at
            if trial_end is not None and started_at < trial_end <= occasion.at:
                return windows_at_trial_end(schedule, started_at, trial_end)
            return windows_at_start(schedule, started_at)
        case Reason.PERIODIC:
            windows = windows_at_tick(schedule, started_at, local_date(occasion.at, tz))
            return replace(windows, plan_fee_due=windows.plan_fee_due or _is_first_after_trial(contract, occasion.at))
        case Reason.TERMINATING:
            assert contract.terminated_at is not None, "a running subscription has no final invoice"
            on = local_date(contract.terminated_at, tz)
            if contract.is_downgraded:
                return windows_of_old_row_at_downgrade(schedule, started_at, on)
            already = contract.billed.reaches(schedule.tick_at(on))
            return windows_at_termination(schedule, started_at, contract.terminated_at, already)
        case Reason.IN_ADVANCE_CHARGE:
            return windows_of_fixed_in_advance(_calendar_windows(contract, occasion.at))
        case Reason.IN_ADVANCE_CHARGE_PERIODIC | Reason.PROGRESSIVE:
            return running_windows(contract, occasion.at)


def _is_first_after_trial(contract: Contract, at: datetime) -> bool:
    """A plan paid in advance whose trial ends on the day of a tick has its first fee on that invoice (§4.4).

    Also when the tick only splits a period (§4.3 rule 2); the period that ran at a backdated creation is never billed.
    """
    end_at, tz = contract.trial_end_at, contract.customer.timezone
    if not contract.plan.pay_in_advance or end_at is None or contract.billed.first_plan_fee_at is not None:
        return False
    return local_date(end_at, tz) == local_date(at, tz) and end_at > contract.created_at


def _after_timezone_change(contract: Contract, windows: Windows) -> Windows:
    """Usage and fixed charges go on where they stopped when the customer moved to another time zone (§3.7).

    A period that the former zone ended already is not billed once more.
    """
    billed = contract.billed
    if not billed.moved:
        return windows
    fixed_is_over = windows.fixed is not None and is_billed_before(windows.fixed, billed.fixed_to_at)
    return replace(
        windows,
        charges=_joined(windows.charges, billed.charges_to_at),
        fixed=None if fixed_is_over else _joined(windows.fixed, billed.fixed_to_at),
        plan_fee_due=windows.plan_fee_due
        and windows.plan is not None
        and not is_billed_before(windows.plan, billed.plan_to_at),
    )


def _joined(window: Window | None, billed_to_at: datetime | None) -> Window | None:
    if window is None or billed_to_at is None:
        return window
    return joined_after_timezone_change(window, billed_to_at)


def _plan_fee_allowed(contract: Contract, occasion: Occasion) -> bool:
    """Rules 1 and 3 of subscriptions.md §4.3; the others are in the windows."""
    tz = contract.customer.timezone
    billed_on = local_date(occasion.at, tz)
    fee_at = contract.billed.plan_fee_at
    if contract.plan.pay_in_advance and fee_at is not None and local_date(fee_at, tz) == billed_on:
        return False
    return not _in_trial(contract, occasion.at) or local_date(_end_of_trial(contract), tz) == billed_on


def _in_trial(contract: Contract, at: datetime) -> bool:
    end_at = contract.trial_end_at
    return contract.trial_ended_at is None and end_at is not None and at < end_at


def _end_of_trial(contract: Contract) -> datetime:
    end_at = contract.trial_end_at
    assert end_at is not None
    return end_at


def rated_charges(bill: Bill) -> Iterable[ChargeTerms]:
    """The charges that a periodic or closing invoice rates (rating.md §3.1)."""
    return (charge for charge in billed_charges(bill) if charge.invoiceable)


def billed_charges(bill: Bill) -> Iterable[ChargeTerms]:
    """Those charges, and the ones that get a standalone fee at the same time: renewals that are not invoiceable.

    A charge paid in advance is renewed at the full price of its carried units (metering.md §6.6).
    """
    if bill.charges_window is None:
        return
    contract = bill.contract
    upgraded_to = contract.successor if bill.upgraded_at is not None else None
    carried_on = {charge.metric.id for charge in upgraded_to.charges} if upgraded_to else set()
    for charge in contract.plan.charges:
        goes_on = charge.metric.recurring and not charge.prorated and charge.metric.id in carried_on
        if charge.pay_in_advance:
            if charge.metric.recurring and _is_renewed(bill):
                yield replace(charge, prorated=False)
        elif charge.invoiceable and not goes_on:
            yield charge


def _is_renewed(bill: Bill) -> bool:
    """At a tick, be it the one that executes a downgrade; not when the row ends without or before its time."""
    contract = bill.contract
    if bill.occasion.reason is Reason.TERMINATING:
        return contract.is_downgraded
    return bill.occasion.reason is Reason.PERIODIC


def renewed_window(bill: Bill) -> Window:
    """The new period, which a renewal covers: the one that contains the instant of the bill (rating.md §18)."""
    contract = bill.contract
    assert contract.started_at is not None
    window = current_windows(contract.schedule, contract.started_at, None, bill.occasion.at).charges
    assert window is not None
    return window
