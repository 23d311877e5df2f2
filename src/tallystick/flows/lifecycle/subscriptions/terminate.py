"""Subscriptions end: by request, with their plan or their customer, or on their date (subscriptions.md §2.8)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from tallystick.core.credit_note import Mode
from tallystick.core.occasion import Occasion, Reason
from tallystick.flows.billing.credit_notes.unused import Ended, credit_unused_time
from tallystick.flows.billing.regroup import regroup
from tallystick.flows.billing.run import bill
from tallystick.flows.lifecycle.subscriptions.hold import hold
from tallystick.flows.lifecycle.subscriptions.schedule import reschedule, reschedule_each
from tallystick.flows.lifecycle.subscriptions.start import message
from tallystick.ground import outbox
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound
from tallystick.ground.outbox import Message
from tallystick.ground.tables import Plan, Subscription
from tallystick.rooms.invoices.standalone import Chain
from tallystick.rooms.subscriptions import store, verbs

OPTIONS = ("on_termination_credit_note", "on_termination_invoice")


async def end(
    tx: Tx, organization_id: uuid.UUID, external_id: str, at: dt.datetime, *, pending: bool, options: Mapping[str, str]
) -> Subscription:
    """Terminate the active row of a chain, or cancel its pending one.

    `options` replace the stored `on_termination_*`. 404 `subscription_not_found`; 422 `next_subscription_incomplete`.
    """
    status = "pending" if pending else "active"
    found = await verbs.find(tx, organization_id, external_id, status)
    (row,) = await hold(tx, [found.id])
    if row.status != status:
        raise NotFound("subscription")
    if pending:
        await cancel(tx, row, at)
        return row
    if await store.successors_of(tx, [row.id], ("incomplete",)):
        raise Invalid.field("base", "next_subscription_incomplete")
    before = [getattr(row, name) for name in OPTIONS]
    verbs.edit(row, await tx.get_one(Plan, row.plan_id), options, at)
    changed = before != [getattr(row, name) for name in OPTIONS]
    await terminate(tx, [(row, at)], first=[message(row, "subscription.updated", at)] if changed else ())
    return row


async def cancel(tx: Tx, row: Subscription, at: dt.datetime) -> None:
    """A pending row will not start; the row it was to replace is told of first (webhooks.md §2.5)."""
    verbs.cancel([(row, at)])
    await tx.flush()
    messages = [message(row, "subscription.terminated", at)]
    if row.previous_subscription_id is not None:
        messages.insert(0, Message(row.organization_id, "subscription.updated", row.previous_subscription_id, at))
    await outbox.emit(tx, messages)
    await reschedule(tx, [row.id], at)


async def terminate(tx: Tx, ends: Sequence[tuple[Subscription, dt.datetime]], *, first: Sequence[Message] = ()) -> None:
    """End active held rows, each with a closing invoice of its own unless it asks for none; emits `first` before.

    Of plans paid in advance the time that is not used any more is credited, as the row asks for it (§4.8).
    Paid fees without invoice are brought together in any case. A change of plan that was to come is cancelled without a
    word (§2.6).
    """
    at_of = {row.id: at for row, at in ends}
    verbs.terminate(ends)
    await drop_successors(tx, at_of)
    await outbox.emit(tx, first)
    modes = {row.id: Mode(row.on_termination_credit_note or Mode.SKIP) for row, _ in ends}
    await credit_unused_time(tx, [Ended(row.id, at, modes[row.id]) for row, at in ends])
    await outbox.emit(tx, [message(row, "subscription.terminated", at) for row, at in ends])
    billed = [row for row, _ in ends if row.on_termination_invoice == "generate"]
    await bill(tx, [Occasion(row.id, Reason.TERMINATING, at_of[row.id], together=row.id) for row in billed])
    await regroup(tx, [Chain(row.id, at, ended_only=False) for row, at in ends])
    await reschedule_each(tx, at_of)


async def drop_successors(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime]) -> None:
    """Cancel the pending rows that were to replace these ones (row -> when)."""
    await tx.flush()
    successors = await store.successors_of(tx, list(at_of))
    verbs.cancel(
        [(row, at_of[row.previous_subscription_id]) for row in successors if row.previous_subscription_id is not None]
    )
    await tx.flush()


async def terminate_all_of_customers(tx: Tx, customer_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    """End what runs and cancel what is to come of these customers (customers_entitlements.md §1.9)."""
    await _end_all(tx, await store.live_ids_of_customers(tx, customer_ids), at)


async def terminate_all_of_plans(tx: Tx, plan_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    """End what runs and cancel what is to come on these very plan rows (subscriptions.md §1.6)."""
    await _end_all(tx, await store.live_ids_of_plans(tx, plan_ids), at)


async def _end_all(tx: Tx, subscription_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    rows = await hold(tx, subscription_ids)
    pending = [row for row in rows if row.status == "pending"]
    verbs.cancel([(row, at) for row in pending])
    await tx.flush()
    await reschedule(tx, [row.id for row in pending], at)
    await terminate(tx, [(row, at) for row in rows if row.status == "active"])
