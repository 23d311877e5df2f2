"""Another plan for a running subscription: dearer or equal at once, cheaper at the period's end.

subscriptions.md §2.5, §2.6. Either way a new row of the chain takes over from the old one.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tallystick.core.contract import DOWNGRADE, UPGRADE, yearly_value
from tallystick.core.occasion import Occasion, Reason
from tallystick.core.periods import Interval
from tallystick.flows.billing.credit_notes.unused import Ended, credit_unused_time
from tallystick.flows.billing.regroup import regroup
from tallystick.flows.billing.run import bill
from tallystick.flows.lifecycle import custom_sections
from tallystick.flows.lifecycle import units as own_units
from tallystick.flows.lifecycle.subscriptions import thresholds
from tallystick.flows.lifecycle.subscriptions.hold import hold
from tallystick.flows.lifecycle.subscriptions.schedule import reschedule_each
from tallystick.flows.lifecycle.subscriptions.start import Start, activate, first_occasions, message
from tallystick.flows.lifecycle.subscriptions.terminate import drop_successors
from tallystick.ground import outbox
from tallystick.ground.agenda import Due
from tallystick.ground.db import Tx
from tallystick.ground.tables import Plan, Subscription
from tallystick.rooms.custom_sections.store import Owner
from tallystick.rooms.invoices.standalone import Chain
from tallystick.rooms.subscriptions import lifetime, store, verbs
from tallystick.rooms.subscriptions.terms import Terms, terms_of


@dataclass(frozen=True, slots=True)
class Succession:
    """At `at` the active row `old` ends and its successor `new` takes over."""

    old: Subscription
    new: Subscription
    at: dt.datetime


async def change_plan(
    tx: Tx, current: Subscription, plan: Plan, at: dt.datetime, fields: Mapping[str, Any]
) -> Subscription:
    """The row that the request is answered with: the new one of an upgrade, the current one of a downgrade.

    A change that was to come before is cancelled without a word: only the last request counts.
    """
    await drop_successors(tx, {current.id: at})
    new = await verbs.add(
        tx,
        at,
        fields,
        customer_id=current.customer_id,
        plan=plan,
        external_id=current.external_id,
        previous=current,
    )
    await own_units.override(tx, new, fields.get("plan_overrides"), at)
    await thresholds.replace(tx, new, fields, at)
    chosen = custom_sections.selection(fields)
    await custom_sections.choose(tx, new.organization_id, Owner.SUBSCRIPTION, new.id, chosen, at)
    if yearly(plan) >= yearly(await tx.get_one(Plan, current.plan_id)):
        await succeed(tx, [Succession(current, new, at)], UPGRADE)
        return new
    await outbox.emit(tx, [message(current, "subscription.updated", at)])
    return current


async def succeed(tx: Tx, successions: Sequence[Succession], kind: str) -> None:
    """Carry out changes of plan for held rows: closing and first fees share an invoice (§2.5 step 6, §2.6 step 3).

    They are all upgrades or all downgrades.
    """
    verbs.terminate([(each.old, each.at) for each in successions], replaced_by=kind)
    await tx.flush()  # an external id has one active row at a time
    if kind == UPGRADE:
        # a downgrade leaves nothing unused: it waits for the end of what was paid for
        await credit_unused_time(tx, [Ended(each.old.id, each.at, upgraded=True) for each in successions])
    await lifetime.move(tx, [(each.old.id, each.new.id) for each in successions])
    starts = [Start(each.new, each.at, each.at) for each in successions]
    await activate(tx, starts)
    terms = await terms_of(tx, [row.id for each in successions for row in (each.old, each.new)])
    await outbox.emit(
        tx,
        [
            told
            for each in successions
            for told in (
                message(each.old, "subscription.terminated", each.at),
                message(each.new, "subscription.started", each.at),
            )
        ],
    )
    await bill(tx, list(_occasions(successions, starts, terms)))
    await regroup(tx, [Chain(each.new.id, each.at, ended_only=False) for each in successions])
    await reschedule_each(tx, {row.id: each.at for each in successions for row in (each.old, each.new)})


async def execute_downgrades(tx: Tx, dues: Sequence[Due]) -> set[uuid.UUID]:
    """Carry out the changes that wait for these ticks; returns the old rows, which have no other bill for the tick.

    A tick that only splits a longer period executes nothing ([D] §2.6 step 4), nor does one that a change was asked for
    on or after: that waits for the next period, as it was promised.
    """
    at_of = {due.subject_id: due.due_at for due in dues}
    waiting = await store.successors_of(tx, list(at_of))
    if not waiting:
        return set()
    olds = [row.previous_subscription_id for row in waiting if row.previous_subscription_id is not None]
    held = {row.id: row for row in await hold(tx, [*olds, *(row.id for row in waiting)])}
    terms = await terms_of(tx, olds)
    successions = [
        Succession(held[old_id], new, at_of[old_id])
        for old_id, new in ((row.previous_subscription_id, held[row.id]) for row in waiting)
        if old_id is not None and _is_executed(terms[old_id], new, at_of[old_id])
    ]
    if successions:
        await succeed(tx, successions, DOWNGRADE)
    return {each.old.id for each in successions}


def _is_executed(terms: Terms, new: Subscription, tick_at: dt.datetime) -> bool:
    tick_on = terms.local(tick_at)
    return (
        terms.status == "active"
        and new.status == "pending"
        and terms.schedule.is_period_start(tick_on)
        and terms.local(new.created_at) < tick_on
    )


def _occasions(
    successions: Iterable[Succession], starts: Iterable[Start], terms: dict[uuid.UUID, Terms]
) -> Iterator[Occasion]:
    """The old row's closing and the new row's start, on one invoice unless the two cannot share one."""
    first = {occasion.subscription_id: occasion for occasion in first_occasions(starts, terms, succeeding=True)}
    for each in successions:
        yield Occasion(each.old.id, Reason.TERMINATING, each.at, together=each.old.id)
        if each.new.id in first:
            shared = _invoice_key(terms[each.old.id]) == _invoice_key(terms[each.new.id])
            yield replace(first[each.new.id], together=each.old.id if shared else each.new.id)


def _invoice_key(terms: Terms) -> tuple[object, ...]:
    """An invoice has one currency, one issuer and one purchase order (invoicing.md §1)."""
    return terms.currency, terms.issuer_id, terms.purchase_order_number


def yearly(plan: Plan) -> int:
    """What the plan costs in a year (§1.1)."""
    return yearly_value(Interval(plan.interval), plan.amount_cents)
