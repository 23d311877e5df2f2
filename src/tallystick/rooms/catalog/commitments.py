"""The minimum commitment of a plan (subscriptions.md §1.1). What is due because of it is billing's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tallystick.ground.db import Tx
from tallystick.ground.errors import Problems
from tallystick.ground.ids import new_id
from tallystick.ground.tables import MinimumCommitment, Plan
from tallystick.rooms.catalog import store

Asked = Mapping[str, Any]


def check(asked: Asked, present: MinimumCommitment | None, problems: Problems) -> None:
    """Add what is wrong with `{amount_cents, invoice_display_name}`; {} means none and is right."""
    amount = asked.get("amount_cents", present.amount_cents if present else None)
    if asked and amount is None:
        problems.add("amount_cents", "value_is_mandatory")
    elif asked and amount <= 0:
        problems.add("amount_cents", "value_is_out_of_range")


async def write(tx: Tx, plan: Plan, asked: Asked, at: dt.datetime) -> MinimumCommitment | None:
    """Create or change the commitment as checked; {} removes it."""
    row = (await store.commitments_of(tx, [plan.id])).get(plan.id)
    if not asked:
        if row is not None:
            await tx.delete(row)
            await tx.flush()
        return None
    if row is None:
        row = MinimumCommitment(
            id=new_id(), organization_id=plan.organization_id, plan_id=plan.id, amount_cents=0, created_at=at
        )
        tx.add(row)
    row.amount_cents = asked.get("amount_cents", row.amount_cents)
    if "invoice_display_name" in asked:
        row.invoice_display_name = asked["invoice_display_name"]
    row.updated_at = at
    await tx.flush()
    return row
