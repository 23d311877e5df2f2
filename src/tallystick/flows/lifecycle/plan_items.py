"""Charges, filters and fixed charges of a plan, one by one: with taxes, units and overrides that follow.

The plan's own messages stay silent (webhooks.md §2.2, 63).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tallystick.flows.lifecycle import units
from tallystick.flows.lifecycle.cascade import Cascade
from tallystick.ground.db import Tx
from tallystick.ground.tables import Charge, ChargeFilter, FixedCharge, Plan
from tallystick.rooms.catalog import charges, filters, fixed_charges, fixed_store, metrics
from tallystick.rooms.catalog.fixed_charges import Written
from tallystick.rooms.invoices import stale
from tallystick.rooms.taxes import verbs as taxes
from tallystick.rooms.taxes.store import Owner

Fields = Mapping[str, Any]


async def add_charge(tx: Tx, plan: Plan, at: dt.datetime, fields: Fields) -> Charge:
    """One more charge with its taxes."""
    cascading = await _begin(tx, plan, fields)
    charge, codes = await charges.create(tx, plan, at, fields)
    await taxes.attach(tx, plan.organization_id, Owner.CHARGE, codes, at)
    await _finish(tx, plan, cascading, at, {})
    return charge


async def change_charge(tx: Tx, plan: Plan, charge: Charge, at: dt.datetime, fields: Fields) -> Charge:
    """Change one charge and its taxes."""
    cascading = await _begin(tx, plan, fields)
    codes = await charges.update(tx, plan, charge, at, fields)
    await taxes.attach(tx, plan.organization_id, Owner.CHARGE, codes, at)
    await _finish(tx, plan, cascading, at, {})
    return charge


async def remove_charge(tx: Tx, plan: Plan, charge: Charge, at: dt.datetime, fields: Fields) -> None:
    """Hide one charge."""
    cascading = await _begin(tx, plan, fields)
    await charges.delete(tx, charge, at)
    await _finish(tx, plan, cascading, at, {})


async def add_filter(tx: Tx, plan: Plan, charge: Charge, at: dt.datetime, fields: Fields) -> ChargeFilter:
    """One more filter of a charge."""
    cascading = await _begin(tx, plan, fields)
    row = await filters.create(tx, charge, await metrics.of_charge(tx, charge), at, fields)
    await _finish(tx, plan, cascading, at, {})
    return row


async def change_filter(
    tx: Tx, plan: Plan, charge: Charge, row: ChargeFilter, at: dt.datetime, fields: Fields
) -> ChargeFilter:
    """Change one filter of a charge."""
    cascading = await _begin(tx, plan, fields)
    await filters.update(tx, row, charge, await metrics.of_charge(tx, charge), at, fields)
    await _finish(tx, plan, cascading, at, {})
    return row


async def remove_filter(tx: Tx, plan: Plan, row: ChargeFilter, at: dt.datetime, fields: Fields) -> None:
    """Hide one filter of a charge."""
    cascading = await _begin(tx, plan, fields)
    await filters.delete(tx, row, at)
    await _finish(tx, plan, cascading, at, {})


async def add_fixed_charge(tx: Tx, plan: Plan, at: dt.datetime, fields: Fields) -> FixedCharge:
    """One more fixed charge with its taxes; subscriptions get its units."""
    cascading = await _begin(tx, plan, fields)
    written = await fixed_charges.create(tx, plan, at, fields)
    await _settle(tx, plan, written, at)
    await _finish(tx, plan, cascading, at, {"fixed_charges": [{**fields, "id": None}]})
    return written.rows[0]


async def change_fixed_charge(tx: Tx, plan: Plan, row: FixedCharge, at: dt.datetime, fields: Fields) -> FixedCharge:
    """Change one fixed charge, its taxes and the units of subscriptions."""
    cascading = await _begin(tx, plan, fields)
    written = await fixed_charges.update(tx, plan, row, at, fields)
    await _settle(tx, plan, written, at)
    await _finish(tx, plan, cascading, at, {"fixed_charges": [{**fields, "id": str(row.id)}]})
    return row


async def remove_fixed_charge(tx: Tx, plan: Plan, row: FixedCharge, at: dt.datetime, fields: Fields) -> None:
    """Hide one fixed charge."""
    cascading = await _begin(tx, plan, fields)
    await fixed_store.remove(tx, [row.id], at)
    await _finish(tx, plan, cascading, at, {})


async def _settle(tx: Tx, plan: Plan, written: Written, at: dt.datetime) -> None:
    await taxes.attach(tx, plan.organization_id, Owner.FIXED_CHARGE, written.taxes, at)
    await units.plan_changed(tx, [plan.id], written.new_units, at)


async def _begin(tx: Tx, plan: Plan, fields: Fields) -> Cascade | None:
    return await Cascade.begin(tx, plan) if fields.get("cascade_updates") else None


async def _finish(tx: Tx, plan: Plan, cascading: Cascade | None, at: dt.datetime, fields: Fields) -> None:
    await stale.mark_of_plans(tx, [plan.id], at)
    if cascading is not None:
        await cascading.finish(tx, at, fields)
