"""A running subscription gets a plan of its own: an override of the plan that it has (subscriptions.md §1.4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tallystick.flows.lifecycle import plans as plan_lifecycle
from tallystick.flows.lifecycle.units import OwnUnits
from tallystick.ground.db import Tx
from tallystick.ground.tables import Plan, Subscription
from tallystick.rooms.subscriptions import units

Fields = Mapping[str, Any]


async def override_plan(
    tx: Tx, row: Subscription, plan: Plan, overrides: Fields, at: dt.datetime
) -> tuple[Plan, list[OwnUnits]]:
    """The held row's new child plan, and the units that change by the overrides, for `units.subscription_changed`.

    What it had of fixed charges so far goes on under the child's; units of its own become the child's.
    """
    own = await units.overrides_of(tx, [row.id])
    own_units = {fixed_charge_id: found for (_, fixed_charge_id), found in own.items()}
    clone = await plan_lifecycle.override(tx, plan, overrides, at, own_units)
    row.plan_id = clone.written.plan.id
    await tx.flush()
    await units.move_to_child(tx, row.id, clone.fixed_charges.items())
    changes = [OwnUnits(one.row.id, one.row.units, one.immediately) for one in clone.written.new_units]
    return clone.written.plan, changes
