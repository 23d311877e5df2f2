"""Usage thresholds of plans and subscriptions (subscriptions.md §5.1). What reaching one leads to is billing's."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select

from tallystick.ground.db import Tx
from tallystick.ground.errors import Problems
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Plan, Subscription, UsageThreshold

Items = Sequence[Mapping[str, Any]]


def check(items: Items, problems: Problems) -> None:
    """Add what is wrong with `[{amount_cents, recurring, threshold_display_name}]`, under `usage_thresholds`."""
    keys = [(item.get("amount_cents"), bool(item.get("recurring"))) for item in items]
    rules = (
        (any(amount is None for amount, _ in keys), "missing_amount_cents"),
        (any(amount is not None and amount <= 0 for amount, _ in keys), "value_is_out_of_range"),
        (len(set(keys)) < len(keys), "duplicated_values"),
        (sum(recurring for _, recurring in keys) > 1, "multiple_recurring_thresholds"),
    )
    for wrong, code in rules:
        if wrong:
            problems.add("usage_thresholds", code)


async def replace(tx: Tx, owner: Plan | Subscription, items: Items, at: dt.datetime) -> None:
    """The plan or subscription has exactly these checked thresholds; one with the same amount and rhythm stays."""
    column = UsageThreshold.plan_id if isinstance(owner, Plan) else UsageThreshold.subscription_id
    present = await tx.scalars(select(UsageThreshold).where(column == owner.id, UsageThreshold.deleted_at.is_(None)))
    left = {(row.amount_cents, row.recurring): row for row in present}
    for item in items:
        key = (item["amount_cents"], bool(item.get("recurring")))
        row = left.pop(key, None)
        if row is None:
            row = UsageThreshold(
                id=new_id(),
                organization_id=owner.organization_id,
                plan_id=owner.id if isinstance(owner, Plan) else None,
                subscription_id=owner.id if isinstance(owner, Subscription) else None,
                amount_cents=key[0],
                recurring=key[1],
                created_at=at,
            )
            tx.add(row)
        row.threshold_display_name = item.get("threshold_display_name")
        row.updated_at = at
    for row in left.values():
        row.deleted_at = at
    await tx.flush()


async def applicable(tx: Tx, rows: Sequence[Subscription]) -> dict[uuid.UUID, list[UsageThreshold]]:
    """subscription -> the thresholds that count for it, in the order of amounts, a recurring one last.

    Its own, else its plan's, else those of the plan that this one overrides; none when progressive billing is disabled.
    """
    rows = [row for row in rows if not row.progressive_billing_disabled]
    family = select(Plan.id, Plan.parent_id).where(Plan.id.in_({row.plan_id for row in rows}))
    parents = dict((await tx.execute(family)).all())
    of: dict[uuid.UUID | None, list[UsageThreshold]] = {}
    statement = select(UsageThreshold).where(
        or_(
            UsageThreshold.subscription_id.in_([row.id for row in rows]),
            UsageThreshold.plan_id.in_({*parents, *(parent for parent in parents.values() if parent)}),
        ),
        UsageThreshold.deleted_at.is_(None),
    )
    for one in await tx.scalars(statement.order_by(UsageThreshold.recurring, UsageThreshold.amount_cents)):
        of.setdefault(one.subscription_id or one.plan_id, []).append(one)
    found = {}
    for row in rows:
        own = of.get(row.id) or of.get(row.plan_id) or of.get(parents.get(row.plan_id))
        if own:
            found[row.id] = own
    return found
