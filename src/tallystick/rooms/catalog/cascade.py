"""Changes of a plan's charges followed by its overrides, as far as those did not go their own way.

subscriptions.md §1.5. Taxes of what is new are copied by the flow that calls this; fixed charges have a file of their
own.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from tallystick.ground.db import Tx
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Charge, ChargeFilter, Plan, Subscription
from tallystick.rooms.catalog import filters, store
from tallystick.rooms.catalog.overrides import CHARGE_INHERITED

#: properties that say how usage is shown, not what it costs: they always follow
_SHOWN = ("pricing_group_keys", "grouped_by", "presentation_group_keys")
Heirs = list[tuple[uuid.UUID, uuid.UUID]]


@dataclass(frozen=True, slots=True)
class FilterState:
    """What a filter of the parent was before the change."""

    properties: Mapping[str, Any]
    invoice_display_name: str | None


@dataclass(frozen=True, slots=True)
class ChargeState:
    """What a charge of the parent was before the change."""

    charge_model: str
    properties: Mapping[str, Any]
    conversion_rate: Decimal | None
    filters: Mapping[filters.Identity, FilterState]


Before = Mapping[uuid.UUID, ChargeState]


async def children_of(tx: Tx, plan: Plan) -> list[Plan]:
    """The live overrides of a plan."""
    return [one for one in await store.with_children(tx, [plan.id]) if one.parent_id == plan.id]


async def used_plans(tx: Tx, plan_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these plans that an active or pending subscription has."""
    statement = select(Subscription.plan_id).where(
        Subscription.plan_id.in_(plan_ids), Subscription.status.in_(("active", "pending"))
    )
    return set(await tx.scalars(statement))


async def state_of(tx: Tx, plan: Plan) -> Before:
    """The plan's charges as they are now."""
    charges = (await store.charges_of(tx, [plan.id])).get(plan.id, [])
    known = await store.filters_of(tx, [charge.id for charge in charges])
    return {
        charge.id: ChargeState(
            charge.charge_model,
            dict(charge.properties),
            charge.conversion_rate,
            {
                filters.identity(row.values): FilterState(dict(row.properties), row.invoice_display_name)
                for row in known.get(charge.id, [])
            },
        )
        for charge in charges
    }


async def follow(tx: Tx, plan: Plan, before: Before, children: Sequence[Plan], at: dt.datetime) -> Heirs:
    """Do to the children what was done to the plan since `before`; returns (parent, child) of charges that are new.

    Safe to repeat: what a child has already is not made twice.
    """
    await tx.flush()
    ids = [child.id for child in children]
    now = (await store.charges_of(tx, [plan.id])).get(plan.id, [])
    of_children = await store.charges_of(tx, ids)
    everything = [charge.id for charge in now] + [one.id for found in of_children.values() for one in found]
    known = await store.filters_of(tx, everything)
    heirs: Heirs = []
    for child in children:
        own = {charge.parent_id: charge for charge in of_children.get(child.id, [])}
        for charge in now:
            copy = own.get(charge.id)
            if charge.id not in before and copy is None:
                heirs.append((charge.id, await _copy(tx, charge, known.get(charge.id, []), child, at)))
            elif charge.id in before and copy is not None and copy.charge_model == charge.charge_model:
                _change(copy, charge, before[charge.id], at)
                rows = known.get(copy.id, [])
                tx.add_all(_follow_filters(copy, before[charge.id], known.get(charge.id, []), rows, at))
    gone = before.keys() - {charge.id for charge in now}
    used = await used_plans(tx, ids) if gone else set()
    lost = [one.id for child_id in used for one in of_children.get(child_id, []) if one.parent_id in gone]
    if lost:
        await store.remove_charges(tx, lost, at)
    await tx.flush()
    return heirs


async def _copy(tx: Tx, charge: Charge, rows: Iterable[ChargeFilter], child: Plan, at: dt.datetime) -> uuid.UUID:
    copy = Charge(
        id=new_id(),
        organization_id=child.organization_id,
        plan_id=child.id,
        parent_id=charge.id,
        created_at=at,
        updated_at=at,
        **{name: getattr(charge, name) for name in CHARGE_INHERITED},
    )
    tx.add(copy)
    await tx.flush()
    tx.add_all([filters.clone(row, copy.id, at) for row in rows])
    return copy.id


def _change(copy: Charge, charge: Charge, before: ChargeState, at: dt.datetime) -> None:
    """Groups always follow, prices and the rate of a pricing unit only where the child had the parent's."""
    same = copy.charge_model == before.charge_model and copy.properties == before.properties
    prices = _prices(charge.properties if same else copy.properties)
    shown = {name: charge.properties[name] for name in _SHOWN if name in charge.properties}
    copy.properties = {**prices, **shown}
    if copy.conversion_rate == before.conversion_rate:
        copy.conversion_rate = charge.conversion_rate
    copy.code = charge.code
    copy.updated_at = at


def _prices(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in _SHOWN}


def _follow_filters(
    copy: Charge, before: ChargeState, now: Iterable[ChargeFilter], rows: Iterable[ChargeFilter], at: dt.datetime
) -> list[ChargeFilter]:
    """Filters that the parent got are added, those it changed change where they were the same, those it lost go."""
    own = {filters.identity(row.values): row for row in rows}
    left = set(before.filters)
    added = []
    for row in now:
        key = filters.identity(row.values)
        left.discard(key)
        old, mine = before.filters.get(key), own.get(key)
        if old is None and mine is None:
            added.append(filters.clone(row, copy.id, at))
        elif old is not None and mine is not None and mine.properties == old.properties:
            mine.properties, mine.updated_at = row.properties, at
            if mine.invoice_display_name == old.invoice_display_name:
                mine.invoice_display_name = row.invoice_display_name
    for key in left & own.keys():
        own[key].deleted_at = at
    return added
