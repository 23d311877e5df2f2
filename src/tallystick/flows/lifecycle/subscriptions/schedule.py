"""Writes what will happen to subscriptions on the agenda, whenever something moved it (subscriptions.md §7).

Nothing is carried out here: `scheduled.py` and `flows/billing` do what falls due.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from sqlalchemy import or_, select

from tallystick.core.periods import local_midnight
from tallystick.ground import agenda
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx
from tallystick.ground.settings import load
from tallystick.ground.tables import BillableMetric, Charge, Subscription
from tallystick.rooms.subscriptions import store
from tallystick.rooms.subscriptions.terms import Terms, terms_of

_DAY = dt.timedelta(days=1)

KINDS = (Kind.START_SUBSCRIPTION, Kind.END_SUBSCRIPTION, Kind.BILL, Kind.END_TRIAL, Kind.TERMINATION_ALERT)


async def reschedule(tx: Tx, subscription_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    """Write, move and remove all entries of these subscriptions, as seen at `at`."""
    await reschedule_each(tx, dict.fromkeys(subscription_ids, at))


async def reschedule_each(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime]) -> None:
    """`reschedule` with an instant of its own for each subscription."""
    if not at_of:
        return
    days = alert_days()
    found = (await terms_of(tx, list(at_of))).values()
    entries = [due for terms in found for due in entries_of(terms, at_of[terms.id], days)]
    entries += await _last_looks(tx, found)
    for kind in KINDS:
        kept = {due.subject_id for due in entries if due.kind is kind}
        await agenda.remove(tx, [kind], [each for each in at_of if each not in kept])
    await agenda.put(tx, entries)


async def reschedule_of_customers(tx: Tx, customer_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    """The customers' midnights are others now: everything about their subscriptions moves (§3.7)."""
    await reschedule(tx, await store.live_ids_of_customers(tx, customer_ids), at)


def entries_of(terms: Terms, at: dt.datetime, days: Sequence[int]) -> Iterator[Due]:
    """What will happen to one subscription.

    What should have happened before `at` happens at `at`; ticks keep their day. `days`: how long before the end alerts
    go out.
    """
    for kind, due_at in (
        (Kind.START_SUBSCRIPTION, _start_at(terms)),
        (Kind.END_SUBSCRIPTION, _end_at(terms)),
        (Kind.END_TRIAL, terms.trial_end_at if _trial_runs(terms) else None),
        (Kind.TERMINATION_ALERT, _alert_at(terms, at, days)),
    ):
        if due_at is not None:
            yield Due(kind, terms.id, terms.organization_id, max(due_at, at))
    tick_on = terms.next_tick_on
    if tick_on is not None:
        tick_at = terms.schedule.tick_at(tick_on)
        # a tick that was missed on an earlier day is billed as of its own midnight ("catch-up", §7)
        due_at = max(tick_at, at) if terms.local(at) == tick_on else tick_at
        yield Due(Kind.BILL, terms.id, terms.organization_id, due_at)


@lru_cache(maxsize=1)
def alert_days() -> tuple[int, ...]:
    """The installation's days of termination alerts; the environment does not change while a process runs."""
    return load().termination_alert_days


def _start_at(terms: Terms) -> dt.datetime | None:
    """The day of a future start begins; a row that replaces another one waits for that one's tick instead."""
    if terms.status != "pending" or terms.previous_subscription_id is not None:
        return None
    return local_midnight(terms.local(terms.subscription_at), terms.schedule.timezone)


def _end_at(terms: Terms) -> dt.datetime | None:
    if terms.status != "active" or terms.ending_at is None:
        return None
    return local_midnight(terms.local(terms.ending_at), terms.schedule.timezone)


async def _last_looks(tx: Tx, found: Iterable[Terms]) -> list[Due]:
    """A last snapshot of the usage of rows that ended, where a shorter period costs less."""
    ended = {terms.id: (terms, due_at) for terms in found if (due_at := _last_look_at(terms)) is not None}
    if not ended:
        return []
    by_time = (
        select(Subscription.id)
        .join(Charge, Charge.plan_id == Subscription.plan_id)
        .join(BillableMetric, BillableMetric.id == Charge.billable_metric_id)
        .where(Subscription.id.in_(ended), Charge.deleted_at.is_(None))
        .where(or_(Charge.prorated, BillableMetric.aggregation_type == "weighted_sum_agg"))
        .distinct()
    )
    rows = [ended[each] for each in await tx.scalars(by_time)]
    return [Due(Kind.DAILY_USAGE, terms.id, terms.organization_id, due_at) for terms, due_at in rows]


def _last_look_at(terms: Terms) -> dt.datetime | None:
    """The end of a row's last day: its closing invoice may cost another amount than the whole period (metering.md §11).

    A row that ends as a period begins was looked at with the days of the period before.
    """
    if terms.status != "terminated" or terms.terminated_at is None:
        return None
    on, tz = terms.local(terms.terminated_at), terms.schedule.timezone
    if terms.schedule.is_tick(on) and terms.terminated_at == local_midnight(on, tz):
        return None
    return local_midnight(on + _DAY, tz)


def _trial_runs(terms: Terms) -> bool:
    return terms.status == "active" and terms.trial_ended_at is None


def _alert_at(terms: Terms, at: dt.datetime, days: Sequence[int]) -> dt.datetime | None:
    """The next UTC midnight a number of days before the end, unless announced that day (webhooks.md §5.1)."""
    if terms.status != "active" or terms.ending_at is None:
        return None
    ending_on, today = terms.ending_at.astimezone(dt.UTC).date(), at.astimezone(dt.UTC).date()
    dates = (ending_on - dt.timedelta(days=before) for before in days if before < ending_on.toordinal())
    coming = min((on for on in dates if on >= today and on != terms.alerted_on), default=None)
    return None if coming is None else dt.datetime.combine(coming, dt.time.min, dt.UTC)
