"""What decides the dates of a subscription: its schedule, its trial and what was billed of it, read for sets.

Not the contract that billing rates by (`core/contract.py`): prices, charges and taxes are not looked at here.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from tallystick.core.periods import BillingTime, Interval, Schedule, local_date, local_midnight
from tallystick.core.proration import trial_end_at
from tallystick.ground.db import Tx, load_query

_TERMS = load_query(__file__, "terms")


@dataclass(frozen=True, slots=True)
class Terms:
    """One row with its schedule. `trial_started_at` is the chain's first start.

    `last_tick_at` is when the last tick began that was billed, where the customer was then.
    """

    id: uuid.UUID
    organization_id: uuid.UUID
    status: str
    previous_subscription_id: uuid.UUID | None
    schedule: Schedule
    currency: str
    issuer_id: uuid.UUID
    purchase_order_number: str | None
    subscription_at: dt.datetime
    started_at: dt.datetime | None
    activated_at: dt.datetime
    ending_at: dt.datetime | None
    terminated_at: dt.datetime | None
    trial_started_at: dt.datetime | None
    trial_days: Decimal | None
    trial_ended_at: dt.datetime | None
    last_tick_at: dt.datetime | None
    start_is_billed: bool
    has_fixed_in_advance: bool
    alerted_on: dt.date | None

    def local(self, at: dt.datetime) -> dt.date:
        """The date of an instant where the customer is."""
        return local_date(at, self.schedule.timezone)

    @property
    def trial_end_at(self) -> dt.datetime | None:
        """When the trial of the current plan ends, past or future; None without trial (subscriptions.md §4.4)."""
        return trial_end_at(self.trial_started_at, self.trial_days) if self.trial_started_at else None

    def is_in_trial(self, at: dt.datetime) -> bool:
        """Whether the plan fee is free at `at` (subscriptions.md §4.4)."""
        end_at = self.trial_end_at
        return self.trial_ended_at is None and end_at is not None and at < end_at

    @property
    def next_tick_on(self) -> dt.date | None:
        """The first billing day not billed yet (subscriptions.md §7); None unless the row is active."""
        if self.status != "active" or self.started_at is None:
            return None
        first_on = self.schedule.first_tick_on(self.started_at, self.activated_at)
        return first_on if self.last_tick_at is None else max(first_on, self.schedule.tick_after(self.last_tick_at))

    def is_billed_today(self, at: dt.datetime) -> bool:
        """Whether the local date of `at` is a tick that was billed."""
        return self.last_tick_at is not None and self.local(self.last_tick_at) == self.local(at)

    def next_period_on(self, at: dt.datetime) -> dt.date:
        """When the plan's next period starts: the day a downgrade asked for at `at` takes effect (§2.6)."""
        return self.schedule.containing(self.local(at)).end_on


async def terms_of(tx: Tx, subscription_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Terms]:
    """subscription -> its terms, in the order of ids."""
    await tx.flush()
    rows = await tx.execute(_TERMS, {"ids": list(subscription_ids)})
    return {row.id: _terms(row) for row in rows}


def _terms(row: Row[Any]) -> Terms:
    return Terms(
        id=row.id,
        organization_id=row.organization_id,
        status=row.status,
        previous_subscription_id=row.previous_subscription_id,
        schedule=_schedule(row),
        currency=row.amount_currency,
        issuer_id=row.issuer_id,
        purchase_order_number=row.purchase_order_number,
        subscription_at=row.subscription_at,
        started_at=row.started_at,
        activated_at=row.activated_at or row.created_at,
        ending_at=row.ending_at,
        terminated_at=row.terminated_at,
        trial_started_at=row.trial_started_at,
        trial_days=row.trial_period,
        trial_ended_at=row.trial_ended_at,
        last_tick_at=local_midnight(row.last_tick_on, row.last_timezone) if row.last_tick_on else None,
        start_is_billed=row.start_is_billed,
        has_fixed_in_advance=row.has_fixed_in_advance,
        alerted_on=row.termination_alerted_on,
    )


def _schedule(row: Row[Any]) -> Schedule:
    return Schedule(
        interval=Interval(row.interval),
        billing_time=BillingTime(row.billing_time),
        anchor_on=local_date(row.subscription_at, row.timezone),
        timezone=row.timezone,
        pay_in_advance=row.pay_in_advance,
        bill_charges_monthly=bool(row.bill_charges_monthly),
        bill_fixed_charges_monthly=bool(row.bill_fixed_charges_monthly),
    )
