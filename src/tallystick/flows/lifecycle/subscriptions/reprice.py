"""A plan's price changed: what that means for changes of plan that were still to come (subscriptions.md §1.3).

Running subscriptions simply pay the new amount from their next fee on.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import select

from tallystick.core.contract import UPGRADE
from tallystick.flows.lifecycle.subscriptions.change import Succession, succeed, yearly
from tallystick.flows.lifecycle.subscriptions.hold import hold
from tallystick.ground.db import Tx
from tallystick.ground.tables import Plan, Subscription
from tallystick.rooms.subscriptions import store, verbs


async def reprice(tx: Tx, plan: Plan, at: dt.datetime) -> None:
    """Cancel downgrades from the plan that no longer are any; execute those to it that became upgrades.

    The first compares raw amounts, as the reference does, the second yearly values.
    """
    await tx.flush()
    rows = await hold(tx, await store.live_ids_of_plans(tx, [plan.id]))
    waiting = await store.successors_of(tx, [row.id for row in rows])
    plans = await _plans(tx, [row.plan_id for row in waiting])
    verbs.cancel([(row, at) for row in waiting if plan.amount_cents < plans[row.plan_id].amount_cents])
    await tx.flush()
    await _execute(tx, plan, {row.previous_subscription_id: row for row in rows if row.status == "pending"}, at)


async def execute_upgrades(tx: Tx, plan: Plan, at: dt.datetime) -> None:
    """Only execute the changes of plan to this one that became upgrades (rule 2 of subscriptions.md §1.3)."""
    rows = await hold(tx, await store.live_ids_of_plans(tx, [plan.id]))
    await _execute(tx, plan, {row.previous_subscription_id: row for row in rows if row.status == "pending"}, at)


async def _execute(tx: Tx, plan: Plan, coming: Mapping[uuid.UUID | None, Subscription], at: dt.datetime) -> None:
    """`coming`: the row to be replaced -> its successor on the plan."""
    olds = await store.by_ids(tx, [old_id for old_id in coming if old_id is not None])
    plans = await _plans(tx, [row.plan_id for row in olds])
    upgrades = [
        Succession(old, coming[old.id], at)
        for old in olds
        if old.status == "active" and yearly(plan) >= yearly(plans[old.plan_id])
    ]
    if upgrades:
        await succeed(tx, upgrades, UPGRADE)


async def _plans(tx: Tx, plan_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Plan]:
    return {plan.id: plan for plan in await tx.scalars(select(Plan).where(Plan.id.in_(plan_ids)))}
