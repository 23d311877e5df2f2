"""Units of fixed charges over time, and the units a subscription has instead of its plan's (rating.md §16.1).

The only writer of `fixed_charge_units` and `units_overrides`. What units cost is `core/fixed_charges`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from tallystick.core.fixed_charges import UnitRecord
from tallystick.core.windows import Window
from tallystick.ground.db import Tx, load_query
from tallystick.ground.tables import FixedChargeUnits, Subscription, UnitsOverride

_OF_WINDOWS = load_query(__file__, "units_of_windows")
_ACTIVATE = load_query(__file__, "activate_units")
_COPY = load_query(__file__, "copy_units")

#: rows whose units change with their plan's
RUNNING = ("active", "incomplete")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The records of a fixed charge for a window.

    With `seen_before` those are left out that were billed apart at that instant or later.
    """

    subscription_id: uuid.UUID
    fixed_charge_id: uuid.UUID
    window: Window
    seen_before: dt.datetime | None


@dataclass(frozen=True, slots=True)
class NewUnits:
    """A change of units: written at `at`, in force from `effective_at`; `immediate` ones are billed at once."""

    subscription: Subscription
    fixed_charge_id: uuid.UUID
    units: Decimal
    effective_at: dt.datetime
    immediate: bool
    at: dt.datetime


async def records_of(tx: Tx, wanted: Sequence[Wanted]) -> list[list[UnitRecord]]:
    """For each window its records in the order of creation, in one query."""
    rows = await tx.execute(
        _OF_WINDOWS,
        {
            "places": list(range(len(wanted))),
            "subscriptions": [one.subscription_id for one in wanted],
            "fixed_charges": [one.fixed_charge_id for one in wanted],
            "starts": [one.window.start_at for one in wanted],
            "ends": [one.window.end_at for one in wanted],
            "seen_before": [one.seen_before for one in wanted],
        },
    )
    found: dict[int, list[UnitRecord]] = defaultdict(list)
    for row in rows:
        found[row.place].append(UnitRecord(row.effective_at, row.units))
    return [found[place] for place in range(len(wanted))]


async def activate(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime]) -> None:
    """Note the units in force of rows that start: one record for each fixed charge (subscriptions.md §2.4)."""
    await tx.flush()
    await tx.execute(_ACTIVATE, {"ids": list(at_of), "instants": list(at_of.values())})


async def record(tx: Tx, changes: Sequence[NewUnits]) -> None:
    """Note changes of units, in the order given."""
    rows = [
        {
            "organization_id": one.subscription.organization_id,
            "subscription_id": one.subscription.id,
            "fixed_charge_id": one.fixed_charge_id,
            "units": one.units,
            "effective_at": one.effective_at,
            "immediate": one.immediate,
            "created_at": one.at,
        }
        for one in changes
    ]
    if rows:
        await tx.execute(insert(FixedChargeUnits), rows)


async def running_on(tx: Tx, plan_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Subscriptions on these very plan rows whose units follow the plan."""
    statement = select(Subscription.id).where(Subscription.plan_id.in_(plan_ids), Subscription.status.in_(RUNNING))
    return list(await tx.scalars(statement.order_by(Subscription.id)))


async def overrides_of(tx: Tx, subscription_ids: Sequence[uuid.UUID]) -> dict[tuple[uuid.UUID, uuid.UUID], Decimal]:
    """(subscription, fixed charge) -> its own units; others have their plan's."""
    statement = select(UnitsOverride).where(UnitsOverride.subscription_id.in_(subscription_ids))
    return {(row.subscription_id, row.fixed_charge_id): row.units for row in await tx.scalars(statement)}


async def override(tx: Tx, row: Subscription, units_of: Mapping[uuid.UUID, Decimal], at: dt.datetime) -> None:
    """The subscription has these units of these fixed charges from now on."""
    rows = [
        {
            "subscription_id": row.id,
            "fixed_charge_id": fixed_charge_id,
            "organization_id": row.organization_id,
            "units": units,
            "created_at": at,
            "updated_at": at,
        }
        for fixed_charge_id, units in units_of.items()
    ]
    if rows:
        statement = upsert(UnitsOverride).values(rows)
        changed = {"units": statement.excluded.units, "updated_at": at}
        await tx.execute(
            statement.on_conflict_do_update(index_elements=["subscription_id", "fixed_charge_id"], set_=changed)
        )


async def move_to_child(tx: Tx, subscription_id: uuid.UUID, heirs: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> None:
    """Records go on under the fixed charges of an override plan, (parent, child); the child has the units now."""
    pairs = list(heirs)
    parents, children = [parent for parent, _ in pairs], [child for _, child in pairs]
    await tx.execute(_COPY, {"parents": parents, "children": children, "subscription_id": subscription_id})
    await tx.execute(delete(UnitsOverride).where(UnitsOverride.subscription_id == subscription_id))
