"""Rows become active: their trial, their message, their first invoice, their dates (subscriptions.md §2.4)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tallystick.core.occasion import Occasion, Reason
from tallystick.flows.billing.run import bill
from tallystick.flows.lifecycle.subscriptions.schedule import reschedule_each
from tallystick.flows.usage.marks import mark
from tallystick.ground import outbox
from tallystick.ground.db import Tx
from tallystick.ground.outbox import Message
from tallystick.ground.tables import Subscription
from tallystick.rooms.subscriptions import lifetime, units, verbs
from tallystick.rooms.subscriptions.terms import Terms, terms_of


@dataclass(frozen=True, slots=True)
class Start:
    """A pending row that becomes active at `at` and runs since `started_at`; a backdated one is not billed now."""

    row: Subscription
    started_at: dt.datetime
    at: dt.datetime
    billed: bool = True


async def start(tx: Tx, starts: Sequence[Start], *, then: Sequence[Message] = ()) -> None:
    """Activate held rows; emits `subscription.started`, then the messages `then`, then those of the invoices."""
    terms = await activate(tx, starts)
    await outbox.emit(tx, [*(message(each.row, "subscription.started", each.at) for each in starts), *then])
    await bill(tx, list(first_occasions(starts, terms)))
    await reschedule_each(tx, {each.row.id: each.at for each in starts})


async def activate(tx: Tx, starts: Sequence[Start]) -> dict[uuid.UUID, Terms]:
    """Activate rows and return their terms. A trial of the chain that is over by then does not end once more (§2.9)."""
    verbs.activate([(each.row, each.started_at) for each in starts], {each.row.id: each.at for each in starts})
    terms = await terms_of(tx, [each.row.id for each in starts])
    ended = [
        (each.row, end_at)
        for each in starts
        if (end_at := terms[each.row.id].trial_end_at) is not None and end_at <= each.started_at
    ]
    verbs.end_trials(ended)
    await units.activate(tx, {each.row.id: each.at for each in starts})
    await lifetime.begin(tx, [(each.row, each.at) for each in starts])
    await mark(tx, {each.row.id: each.at for each in starts})
    return terms


def first_occasions(
    starts: Iterable[Start], terms: dict[uuid.UUID, Terms], *, succeeding: bool = False
) -> Iterable[Occasion]:
    """Invoices due at the start, each on its own: plans paid in advance that are not in their trial (§2.4).

    Else of fixed charges paid in advance, whose invoice is no starting one unless the row succeeds another (§2.5); an
    advance plan in its trial has its starting invoice still to come.
    """
    for each in starts:
        own = terms[each.row.id]
        if not each.billed:
            continue
        in_advance = own.schedule.pay_in_advance
        if in_advance and not own.is_in_trial(max(each.at, each.started_at)):
            yield Occasion(each.row.id, Reason.STARTING, each.at, together=each.row.id)
        elif own.has_fixed_in_advance:
            reason = Reason.STARTING if succeeding and not in_advance else Reason.IN_ADVANCE_CHARGE
            yield Occasion(each.row.id, reason, each.at, together=each.row.id)


def message(row: Subscription, webhook_type: str, at: dt.datetime) -> Message:
    """A message about a subscription."""
    return Message(row.organization_id, webhook_type, row.id, at)
