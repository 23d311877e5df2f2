"""Usage thresholds of a plan (subscriptions.md §5.1). What happens when usage reaches one is progressive billing's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.ground.db import Tx
from tallystick.ground.errors import Problems
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Plan, UsageThreshold
from tallystick.rooms.catalog import store


def check(items: Sequence[Mapping[str, Any]], problems: Problems) -> None:
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


async def replace(tx: Tx, plan: Plan, items: Sequence[Mapping[str, Any]], at: dt.datetime) -> None:
    """The plan has exactly these checked thresholds; one with the same amount and rhythm stays the same row."""
    present = (await store.thresholds_of(tx, [plan.id])).get(plan.id, [])
    left = {(row.amount_cents, row.recurring): row for row in present}
    for item in items:
        key = (item["amount_cents"], bool(item.get("recurring")))
        row = left.pop(key, None)
        if row is None:
            row = UsageThreshold(
                id=new_id(),
                organization_id=plan.organization_id,
                plan_id=plan.id,
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
