"""Wire JSON of plans and charges with the members that other rooms hold (api.md §15.9, §15.10). Changes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from tallystick.flows.wire.taxes import taxes_of
from tallystick.ground.db import Tx
from tallystick.ground.tables import BillableMetric, Charge, FixedCharge, Plan, PricingUnit
from tallystick.rooms.catalog import fixed_store, store, views
from tallystick.rooms.taxes.store import Owner

#: what `plan.deleted` carries, what the other plan messages carry, what a subscription's plan and what REST shows
DELETED = frozenset({"charges", "usage_thresholds", "taxes", "minimum_commitment"})
WEBHOOK = DELETED | {"entitlements"}
OF_SUBSCRIPTION = DELETED | {"applicable_usage_thresholds"}
REST = WEBHOOK | {"applicable_usage_thresholds", "fixed_charges"}

Bodies = dict[uuid.UUID, list[dict[str, Any]]]


async def plans(tx: Tx, rows: Sequence[Plan], *, include: frozenset[str] = REST) -> list[dict[str, Any]]:
    """Plan objects in the order given; `include` names the optional members. `metadata` is there when it is set."""
    ids = [row.id for row in rows]
    charge_bodies = await _charges_of(tx, ids, taxes="taxes" in include) if "charges" in include else {}
    fixed_bodies = await _fixed_charges_of(tx, ids) if "fixed_charges" in include else {}
    thresholds = await store.thresholds_of(tx, [*ids, *(row.parent_id for row in rows if row.parent_id is not None)])
    plan_taxes = await taxes_of(tx, Owner.PLAN, ids) if "taxes" in include else {}
    commitments = await _commitments(tx, rows) if "minimum_commitment" in include else {}
    bodies = []
    for row in rows:
        own = thresholds.get(row.id, [])
        applicable = own or (thresholds.get(row.parent_id, []) if row.parent_id is not None else [])
        members: dict[str, Any] = {
            "charges": charge_bodies.get(row.id, []),
            "fixed_charges": fixed_bodies.get(row.id, []),
            "entitlements": [],
            "usage_thresholds": [views.threshold(one) for one in own],
            "applicable_usage_thresholds": [views.applicable_threshold(one) for one in applicable],
            "taxes": plan_taxes.get(row.id, []),
        }
        body = views.plan(row) | {name: value for name, value in members.items() if name in include}
        if row.id in commitments:
            body["minimum_commitment"] = commitments[row.id]
        if row.metadata_ is not None:
            body["metadata"] = row.metadata_
        bodies.append(body)
    return bodies


async def charges(tx: Tx, rows: Sequence[Charge], *, taxes: bool = True) -> list[dict[str, Any]]:
    """Charge objects in the order given, with their taxes unless told otherwise."""
    ids = [row.id for row in rows]
    filters = await store.filters_of(tx, ids)
    codes = await _metric_codes(tx, [row.billable_metric_id for row in rows])
    units = await _unit_codes(tx, {row.pricing_unit_id for row in rows if row.pricing_unit_id is not None})
    owned = await taxes_of(tx, Owner.CHARGE, ids) if taxes else {}
    bodies = [
        views.charge(
            row,
            codes[row.billable_metric_id],
            units[row.pricing_unit_id] if row.pricing_unit_id else None,
            filters.get(row.id, []),
        )
        for row in rows
    ]
    if taxes:
        for row, body in zip(rows, bodies, strict=True):
            body["taxes"] = owned.get(row.id, [])
    return bodies


async def _charges_of(tx: Tx, plan_ids: Sequence[uuid.UUID], *, taxes: bool) -> Bodies:
    rows = [row for found in (await store.charges_of(tx, plan_ids)).values() for row in found]
    found: Bodies = {}
    for row, body in zip(rows, await charges(tx, rows, taxes=taxes), strict=True):
        found.setdefault(row.plan_id, []).append(body)
    return found


async def fixed_charges(
    tx: Tx, rows: Sequence[FixedCharge], *, own_units: Mapping[uuid.UUID, Decimal] | None = None
) -> list[dict[str, Any]]:
    """Fixed charge objects with their taxes, in the order given; `own_units` are those of a subscription."""
    codes = await fixed_store.add_on_codes(tx, [row.add_on_id for row in rows])
    owned = await taxes_of(tx, Owner.FIXED_CHARGE, [row.id for row in rows])
    own = own_units or {}
    return [
        {
            **views.fixed_charge(row, codes[row.add_on_id], own.get(row.id, row.units)),
            "taxes": owned.get(row.id, []),
        }
        for row in rows
    ]


async def _fixed_charges_of(tx: Tx, plan_ids: Sequence[uuid.UUID]) -> Bodies:
    rows = [row for found in (await fixed_store.of_plans(tx, plan_ids)).values() for row in found]
    found: Bodies = {}
    for row, body in zip(rows, await fixed_charges(tx, rows), strict=True):
        found.setdefault(row.plan_id, []).append(body)
    return found


async def _metric_codes(tx: Tx, metric_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """metric -> code, deleted metrics too: nested objects keep showing them (api.md §10)."""
    statement = select(BillableMetric.id, BillableMetric.code).where(BillableMetric.id.in_(metric_ids))
    return {row.id: row.code for row in await tx.execute(statement)}


async def _unit_codes(tx: Tx, ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    if not ids:
        return {}
    statement = select(PricingUnit.id, PricingUnit.code).where(PricingUnit.id.in_(ids))
    return {row.id: row.code for row in await tx.execute(statement)}


async def _commitments(tx: Tx, rows: Sequence[Plan]) -> Mapping[uuid.UUID, dict[str, Any]]:
    found = await store.commitments_of(tx, [row.id for row in rows])
    taxes = await taxes_of(tx, Owner.COMMITMENT, [row.id for row in found.values()])
    return {
        row.id: views.commitment(found[row.id], row, taxes.get(found[row.id].id, [])) for row in rows if row.id in found
    }
