"""`cascade_updates`: what changes on a plan changes on its overrides too, as far as they agree (subscriptions.md §1.5).

Names, taxes, commitments, thresholds, trials and metadata never follow.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tallystick.flows.lifecycle import units
from tallystick.flows.lifecycle.subscriptions.reprice import execute_upgrades
from tallystick.ground.db import Tx
from tallystick.ground.ids import parse_id
from tallystick.ground.tables import Plan
from tallystick.rooms.catalog import cascade, fixed_cascade
from tallystick.rooms.invoices import stale
from tallystick.rooms.taxes import verbs as taxes
from tallystick.rooms.taxes.store import Owner

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cascade:
    """A plan, its price and its parts before a change, with its overrides held: `begin`, change, `finish`."""

    plan: Plan
    children: Sequence[Plan]
    amount_cents: int
    charges: cascade.Before
    fixed_charges: fixed_cascade.Before

    @classmethod
    async def begin(cls, tx: Tx, plan: Plan) -> Cascade:
        """Remember what the overrides are compared with."""
        return cls(
            plan,
            await cascade.children_of(tx, plan),
            plan.amount_cents,
            await cascade.state_of(tx, plan),
            await fixed_cascade.state_of(tx, plan),
        )

    async def finish(self, tx: Tx, at: dt.datetime, fields: Fields) -> None:
        """Let the overrides follow; `fields` say which units count at once."""
        if not self.children:
            return
        organization_id = self.plan.organization_id
        heirs = await cascade.follow(tx, self.plan, self.charges, self.children, at)
        await taxes.inherit(tx, organization_id, Owner.CHARGE, heirs, at)
        at_once = await self._immediately(tx, fields)
        fixed_heirs, new_units = await fixed_cascade.follow(
            tx, self.plan, self.fixed_charges, self.children, at_once, at
        )
        await taxes.inherit(tx, organization_id, Owner.FIXED_CHARGE, fixed_heirs, at)
        await units.plan_changed(tx, [child.id for child in self.children], new_units, at)
        await self._reprice(tx, at)
        await stale.mark_of_plans(tx, [child.id for child in self.children], at)

    async def _immediately(self, tx: Tx, fields: Fields) -> set[uuid.UUID]:
        """The parent's fixed charges whose units count at once: named ones, and new ones in their order."""
        items = [item for item in fields.get("fixed_charges") or () if item.get("apply_units_immediately")]
        named = {found for item in items if (found := parse_id(str(item.get("id")))) is not None}
        new = (await fixed_cascade.state_of(tx, self.plan)).keys() - self.fixed_charges.keys()
        return named | (set(new) if any(not item.get("id") for item in items) else set())

    async def _reprice(self, tx: Tx, at: dt.datetime) -> None:
        if self.plan.amount_cents == self.amount_cents:
            return
        for child in self.children:
            if child.amount_cents == self.amount_cents:
                child.amount_cents, child.updated_at = self.plan.amount_cents, at
                await tx.flush()
                await execute_upgrades(tx, child, at)
