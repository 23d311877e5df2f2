"""The note for the unused time of a plan paid in advance, when its subscription ends early (credits.md §3.8).

Dates are the customer's. Which fee is meant, and whether a note is wanted at all, is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from tallystick.core.credit_note.amounts import NoteAmounts, NotedInvoice, NoteFee, NoteItem, Parts, cut
from tallystick.core.credit_note.limits import due_cents
from tallystick.core.money import ZERO, cents_of, divide, exact, ratio
from tallystick.core.periods import ONE_DAY


class Mode(StrEnum):
    """What becomes of the unused time: `on_termination_credit_note` of a subscription."""

    CREDIT = "credit"
    REFUND = "refund"
    OFFSET = "offset"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class UnusedTime:
    """A period that a plan fee paid for, `start_on` to `end_on` included, and when it ended early.

    `plan_cents` is the price of a full period of `full_days`; `trial_end_on` the date a trial ended on, if there was
    one. The day of an upgrade belongs to the new plan.
    """

    plan_cents: int
    full_days: int
    start_on: date
    end_on: date
    terminated_on: date
    trial_end_on: date | None = None
    upgraded: bool = False

    @property
    def days(self) -> int:
        """Days that were paid for and are not used."""
        trial_end_on, last_on = self.trial_end_on, self.terminated_on - self.upgraded * ONE_DAY
        if trial_end_on is not None and trial_end_on >= last_on:
            return max((self.end_on - trial_end_on).days + 1, 0)
        return max((self.end_on - last_on).days, 0)

    @property
    def used_days(self) -> int:
        """Days that were paid for and used, the last one included."""
        start_on = max(self.start_on, self.trial_end_on) if self.trial_end_on is not None else self.start_on
        return (min(self.terminated_on, self.end_on) - start_on).days + 1

    def worth_of(self, days: int) -> Decimal:
        """The price of so many days, exact."""
        return divide(self.plan_cents * days, self.full_days)


def unused_item(fee: NoteFee, time: UnusedTime) -> NoteItem | None:
    """What of the plan fee pays for unused days and is not credited yet; None when that is nothing."""
    unused = min(time.worth_of(time.days), Decimal(fee.amount_cents)) - fee.credited_cents
    item = NoteItem(fee, cut(unused)) if unused > 0 else None
    return item if item is not None and item.precise_cents > 0 else None


def divided(invoice: NotedInvoice, fee: NoteFee, time: UnusedTime, amounts: NoteAmounts, mode: Mode) -> Parts:
    """The parts of the note: a refund of what was paid and neither used nor paid back, the rest as the mode says.

    An offset never exceeds what is due; what is left of it is credited.
    """
    total = amounts.worth_cents
    if mode is Mode.CREDIT:
        return Parts(credit_cents=total)
    refund = max(min(total, _paid_unused_cents(invoice, fee, time), invoice.paid_cents - invoice.refunds_cents), 0)
    if mode is Mode.REFUND:
        return Parts(credit_cents=total - refund, refund_cents=refund)
    offset = max(min(total - refund, due_cents(invoice)), 0)
    return Parts(credit_cents=total - refund - offset, refund_cents=refund, offset_cents=offset)


def _paid_unused_cents(invoice: NotedInvoice, fee: NoteFee, time: UnusedTime) -> int:
    """What was paid of the fee less the price of the used days, both with coupons and taxes."""
    rate = sum((tax.rate for tax in fee.taxes), ZERO)
    with exact():
        gross = fee.amount_cents - fee.precise_coupons_cents + fee.taxes_cents
        paid = ratio(invoice.paid_cents * gross, invoice.sub_total_including_cents)
        used = time.worth_of(time.used_days)
        net = used - ratio(fee.precise_coupons_cents * used, fee.amount_cents)
        return cents_of(paid - net * (100 + rate) / 100)
