"""What happens to subscriptions on their dates: start, end, end of trial, alert before the end (subscriptions.md §7).

Each function takes agenda entries of one kind, acts as of their `due_at`, and does nothing to a row that is past it.
Bills are not made here, but by `flows/billing`, which calls `change.execute_downgrades` first.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from tallystick.core.occasion import Occasion, Reason
from tallystick.flows.billing.run import bill
from tallystick.flows.lifecycle.subscriptions.hold import hold
from tallystick.flows.lifecycle.subscriptions.schedule import alert_days, reschedule_each
from tallystick.flows.lifecycle.subscriptions.start import Start, message, start
from tallystick.flows.lifecycle.subscriptions.terminate import terminate
from tallystick.ground import agenda, outbox
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx
from tallystick.ground.tables import Subscription
from tallystick.rooms.invoices.store import awaiting_taxes
from tallystick.rooms.subscriptions import store, verbs
from tallystick.rooms.subscriptions.terms import Terms, terms_of

#: how long a start waits for its external id to be free
RETRY = dt.timedelta(days=1)
#: how long an end waits for taxes
SOON = dt.timedelta(hours=1)


async def start_due(tx: Tx, dues: Sequence[Due]) -> None:
    """Start pending rows whose day has come, at `due_at` whatever their time of day (§2.4).

    Of rows under one external id, and beside one that runs, only one can: the others try again a day later.
    """
    held = await _held(tx, dues)
    ready = [
        (row, at)
        for row, terms, at in held
        if row.status == "pending"
        and row.previous_subscription_id is None
        and terms.local(row.subscription_at) <= terms.local(at)
    ]
    taken = await store.taken(tx, [(row.organization_id, row.external_id) for row, _ in ready])
    starts, waiting = [], []
    for row, at in ready:
        name = (row.organization_id, row.external_id)
        if name in taken:
            waiting.append(Due(Kind.START_SUBSCRIPTION, row.id, row.organization_id, at + RETRY))
        else:
            taken.add(name)
            starts.append(Start(row, at, at))
    await start(tx, starts)
    await agenda.put(tx, waiting)


async def end_due(tx: Tx, dues: Sequence[Due]) -> None:
    """Terminate active rows on the local date of `ending_at`; the time of day is ignored (§2.9).

    What was paid in advance cannot be credited before its taxes are known: such a row ends as soon as they are.
    """
    over = [
        (row, at)
        for row, terms, at in await _held(tx, dues)
        if row.status == "active" and row.ending_at is not None and terms.local(row.ending_at) <= terms.local(at)
    ]
    waiting = await awaiting_taxes(tx, [row.id for row, _ in over])
    await terminate(tx, [(row, at) for row, at in over if row.id not in waiting])
    later = [
        Due(Kind.END_SUBSCRIPTION, row.id, row.organization_id, at + SOON) for row, at in over if row.id in waiting
    ]
    await agenda.put(tx, later)


async def end_trials_due(tx: Tx, dues: Sequence[Due]) -> None:
    """Note the end of trials and bill the rest of the period of plans paid in advance (§4.4)."""
    ended = [
        (row, terms, at, end_at)
        for row, terms, at in await _held(tx, dues)
        if row.status == "active" and row.trial_ended_at is None
        if (end_at := terms.trial_end_at) is not None and end_at <= at
    ]
    verbs.end_trials([(row, end_at) for row, _, _, end_at in ended])
    await tx.flush()
    await outbox.emit(tx, [message(row, "subscription.trial_ended", at) for row, _, at, _ in ended])
    await bill(
        tx,
        [
            Occasion(row.id, Reason.STARTING, at, together=row.id)
            for row, terms, at, end_at in ended
            if _is_billed_after_trial(terms, at, end_at)
        ],
    )
    await reschedule_each(tx, {row.id: at for row, _, at, _ in ended})


async def alert_due(tx: Tx, dues: Sequence[Due]) -> None:
    """Announce ends that lie a configured number of days ahead, in UTC dates, once a day (webhooks.md §5.1)."""
    days = alert_days()
    alerted = []
    for row, terms, at in await _held(tx, dues):
        today = _utc_date(at)
        if row.status != "active" or row.ending_at is None or terms.alerted_on == today:
            continue
        if (_utc_date(row.ending_at) - today).days in days:
            alerted.append((row, at))
    verbs.note_alerts([(row, _utc_date(at)) for row, at in alerted])
    await tx.flush()
    await outbox.emit(tx, [message(row, "subscription.termination_alert", at) for row, at in alerted])
    await reschedule_each(tx, {due.subject_id: due.due_at for due in dues})


async def _held(tx: Tx, dues: Sequence[Due]) -> list[tuple[Subscription, Terms, dt.datetime]]:
    at_of: dict[uuid.UUID, dt.datetime] = {due.subject_id: due.due_at for due in dues}
    rows = await hold(tx, list(at_of))
    terms = await terms_of(tx, list(at_of))
    return [(row, terms[row.id], at_of[row.id]) for row in rows]


def _is_billed_after_trial(terms: Terms, at: dt.datetime, end_at: dt.datetime) -> bool:
    """An advance plan whose fee was not billed at the start nor by today's tick; a backdated one only if the trial ran
    when it was created: the period running at creation is never billed (§2.4, §4.4).
    """
    if not terms.schedule.pay_in_advance or terms.start_is_billed or end_at <= terms.activated_at:
        return False
    return not terms.is_billed_today(at)


def _utc_date(at: dt.datetime) -> dt.date:
    return at.astimezone(dt.UTC).date()
