"""Changes of a plan's fixed charges followed by its overrides (subscriptions.md §1.5).

As `cascade.py`, but what must be equal includes the units.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.ground.db import Tx
from tallystick.ground.tables import FixedCharge, Plan
from tallystick.rooms.catalog import fixed_overrides, fixed_store
from tallystick.rooms.catalog.cascade import Heirs, used_plans
from tallystick.rooms.catalog.fixed_charges import NewUnits


@dataclass(frozen=True, slots=True)
class FixedState:
    """What a fixed charge of the parent was before the change."""

    charge_model: str
    properties: Mapping[str, Any]
    units: Decimal


Before = Mapping[uuid.UUID, FixedState]


async def state_of(tx: Tx, plan: Plan) -> Before:
    """The plan's fixed charges as they are now."""
    rows = (await fixed_store.of_plans(tx, [plan.id])).get(plan.id, [])
    return {row.id: FixedState(row.charge_model, dict(row.properties), row.units) for row in rows}


async def follow(
    tx: Tx, plan: Plan, before: Before, children: Sequence[Plan], immediately: Collection[uuid.UUID], at: dt.datetime
) -> tuple[Heirs, list[NewUnits]]:
    """Do to the children what was done to the plan since `before`.

    Returns (parent, child) of those that are new, and the children's with other units; the units of `immediately`
    (ids of the parent's) count at once.
    """
    await tx.flush()
    ids = [child.id for child in children]
    now = (await fixed_store.of_plans(tx, [plan.id])).get(plan.id, [])
    of_children = await fixed_store.of_plans(tx, ids)
    heirs: Heirs = []
    new_units: list[NewUnits] = []
    for child in children:
        own = {row.parent_id: row for row in of_children.get(child.id, [])}
        new = [row for row in now if row.id not in before and row.id not in own]
        copies = fixed_overrides.clones(new, child.id, {}, at)
        tx.add_all(copies)
        heirs += [(row.id, copy.id) for row, copy in zip(new, copies, strict=True)]
        new_units += [NewUnits(copy, copy.parent_id in immediately) for copy in copies]
        for row in now:
            copy = own.get(row.id)
            if row.id in before and copy is not None and _change(copy, row, before[row.id], at):
                new_units.append(NewUnits(copy, row.id in immediately))
    gone = before.keys() - {row.id for row in now}
    used = await used_plans(tx, ids) if gone else set()
    lost = [row.id for child_id in used for row in of_children.get(child_id, []) if row.parent_id in gone]
    if lost:
        await fixed_store.remove(tx, lost, at)
    await tx.flush()
    return heirs, new_units


def _change(copy: FixedCharge, row: FixedCharge, before: FixedState, at: dt.datetime) -> bool:
    """Let a copy follow, if it has the same model; whether its units are others now."""
    if copy.charge_model != row.charge_model:
        return False
    copy.code = row.code
    copy.updated_at = at
    same = (copy.charge_model, copy.properties, copy.units) == (before.charge_model, before.properties, before.units)
    if not same:
        return False
    copy.properties, units = row.properties, copy.units
    copy.units = row.units
    return copy.units != units
