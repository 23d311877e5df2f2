"""Units of fixed charges change: noted for every subscription concerned, and billed when they count at once.

rating.md §16.1, §16.4. Called by whoever changes plans, overrides or a subscription's own units.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.flows.billing.unit_changes import UnitsChange, bill_unit_changes
from tallystick.flows.lifecycle.subscriptions.hold import hold
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid
from tallystick.ground.ids import parse_id
from tallystick.ground.tables import Subscription
from tallystick.rooms.catalog import fixed_store
from tallystick.rooms.catalog.fixed_charges import NewUnits
from tallystick.rooms.catalog.fixed_overrides import asks_for_units_only
from tallystick.rooms.subscriptions import units
from tallystick.rooms.subscriptions.terms import Terms, terms_of

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OwnUnits:
    """A subscription has other units of a fixed charge: at once, or from the next period on."""

    fixed_charge_id: uuid.UUID
    units: Decimal
    immediately: bool


async def plan_changed(tx: Tx, plan_ids: Sequence[uuid.UUID], changes: Sequence[NewUnits], at: dt.datetime) -> None:
    """Fixed charges of these plans have other units: so have the subscriptions without units of their own."""
    if not changes:
        return
    await tx.flush()
    rows = await hold(tx, await units.running_on(tx, plan_ids))
    own = await units.overrides_of(tx, [row.id for row in rows])
    by_plan: dict[uuid.UUID, list[NewUnits]] = defaultdict(list)
    for change in changes:
        by_plan[change.row.plan_id].append(change)
    await _apply(
        tx,
        {
            row.id: (
                row,
                [
                    OwnUnits(change.row.id, change.row.units, change.immediately)
                    for change in by_plan[row.plan_id]
                    if (row.id, change.row.id) not in own
                ],
            )
            for row in rows
        },
        at,
    )


async def subscription_changed(tx: Tx, row: Subscription, changes: Iterable[OwnUnits], at: dt.datetime) -> None:
    """One held subscription has other units."""
    if row.status in units.RUNNING:
        await _apply(tx, {row.id: (row, list(changes))}, at)


async def _apply(tx: Tx, changes_of: Mapping[uuid.UUID, tuple[Subscription, list[OwnUnits]]], at: dt.datetime) -> None:
    changes_of = {key: found for key, found in changes_of.items() if found[1]}
    terms = await terms_of(tx, list(changes_of)) if changes_of else {}
    await units.record(
        tx,
        [_record(row, terms[row.id], change, at) for row, changes in changes_of.values() for change in changes],
    )
    at_once = {
        row.id: {change.fixed_charge_id: change.units for change in changes if change.immediately}
        for row, changes in changes_of.values()
        if row.status == "active"
    }
    await bill_unit_changes(tx, [UnitsChange(key, units_of, at) for key, units_of in at_once.items() if units_of])


def _record(row: Subscription, terms: Terms, change: OwnUnits, at: dt.datetime) -> units.NewUnits:
    # units of a start that waits for its payment change with the next period (subscriptions.md §2.10)
    immediate = change.immediately and row.status == "active"
    schedule = terms.schedule
    next_on = schedule.containing(terms.local(at), schedule.fixed_interval).end_on
    effective_at = at if immediate else schedule.tick_at(next_on)
    return units.NewUnits(row, change.fixed_charge_id, change.units, effective_at, immediate, at)


async def override(tx: Tx, row: Subscription, overrides: Fields | None, at: dt.datetime) -> list[OwnUnits]:
    """Give a held row units of its own, when `plan_overrides` ask for them and nothing else (subscriptions.md §1.4).

    Returns those that are others now, for `subscription_changed`; 422 `units`.
    """
    if not asks_for_units_only(overrides):
        return []
    assert overrides is not None
    fixed = {one.id: one for one in (await fixed_store.of_plans(tx, [row.plan_id])).get(row.plan_id, [])}
    before = await units.overrides_of(tx, [row.id])
    changes = []
    for item in overrides["fixed_charges"]:
        charge, asked = fixed.get(parse_id(str(item.get("id"))) or row.id), item.get("units")
        if charge is None or asked is None:
            continue
        if asked < 0:
            raise Invalid.field("units", "value_is_out_of_range")
        if asked != before.get((row.id, charge.id), charge.units):
            changes.append(OwnUnits(charge.id, asked, bool(item.get("apply_units_immediately"))))
    await units.override(tx, row, {change.fixed_charge_id: change.units for change in changes}, at)
    return changes
