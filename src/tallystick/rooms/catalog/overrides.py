"""Override plans: children that one subscription has instead of its plan (subscriptions.md §1.4).

Taxes of the parent are copied by the flow that calls this; which subscription gets the child is not decided here.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.core.rating import DEFAULTS, ChargeModel
from tallystick.ground.db import Tx
from tallystick.ground.errors import Problems
from tallystick.ground.ids import new_id, parse_id
from tallystick.ground.tables import BillableMetric, Charge, ChargeFilter, FixedCharge, MinimumCommitment, Plan
from tallystick.rooms.catalog import (
    charge_rules,
    commitments,
    filters,
    fixed_charges,
    fixed_overrides,
    fixed_store,
    plans,
    pricing_units,
    store,
    thresholds,
)
from tallystick.rooms.catalog.plans import Written

Fields = Mapping[str, Any]

OVERRIDABLE = ("amount_cents", "amount_currency", "description", "name", "invoice_display_name", "trial_period")
_INHERITED = (
    *("code", "interval", "pay_in_advance", "bill_charges_monthly", "bill_fixed_charges_monthly", "metadata_"),
    *OVERRIDABLE,
)
CHARGE_INHERITED = (
    *("billable_metric_id", "code", "invoice_display_name", "charge_model", "pay_in_advance", "prorated"),
    *("invoiceable", "regroup_paid_fees", "min_amount_cents", "accepts_target_wallet", "properties"),
    *("pricing_unit_id", "conversion_rate"),
)


@dataclass(frozen=True, slots=True)
class Clone:
    """A new child, with parent id -> child id of what may have taxes."""

    written: Written
    charges: Mapping[uuid.UUID, uuid.UUID]
    commitments: Mapping[uuid.UUID, uuid.UUID]
    fixed_charges: Mapping[uuid.UUID, uuid.UUID]


@dataclass(frozen=True, slots=True)
class Family:
    """Charges of one child with their filters and metrics, and its fixed charges, stored or about to be."""

    charges: Sequence[Charge]
    fixed_charges: Sequence[FixedCharge]
    filters: dict[uuid.UUID, list[ChargeFilter]]
    metrics: Mapping[uuid.UUID, BillableMetric]


@dataclass(frozen=True, slots=True)
class Changed:
    """The tax codes that overridden charges ask for, and what was written of fixed charges."""

    charge_taxes: Mapping[uuid.UUID, list[str]]
    fixed: fixed_charges.Written


async def clone_plan(
    tx: Tx, plan: Plan, overrides: Fields, at: dt.datetime, own_units: Mapping[uuid.UUID, Decimal]
) -> Clone:
    """A child of `plan` with every charge and filter, changed as `overrides` say; absent and null keys are inherited.

    `own_units` are those that the subscription had of fixed charges instead of the plan's. Usage thresholds are not
    copied: the parent's apply until the child has its own. Raises `Invalid`.
    """
    asked = {key: value for key, value in overrides.items() if value is not None}
    child = Plan(
        id=new_id(),
        organization_id=plan.organization_id,
        parent_id=plan.id,
        pending_deletion=plan.pending_deletion,
        created_at=at,
        updated_at=at,
        **{name: getattr(plan, name) for name in _INHERITED},
    )
    commitment = (await store.commitments_of(tx, [plan.id])).get(plan.id)
    parents = (await store.charges_of(tx, [plan.id])).get(plan.id, [])
    fixed = (await fixed_store.of_plans(tx, [plan.id])).get(plan.id, [])
    family = await _cloned(tx, child, parents, fixed_overrides.clones(fixed, child.id, own_units, at), at)
    taxes = _change(child, family, asked, commitment, at)
    tx.add(child)
    await tx.flush()
    await _store(tx, family)
    if commitment is not None:
        copied = {"amount_cents": commitment.amount_cents, "invoice_display_name": commitment.invoice_display_name}
        if asked.get("minimum_commitment") != {}:
            asked["minimum_commitment"] = {**copied, **asked.get("minimum_commitment", {})}
    written, own = await _write_rest(tx, child, asked, taxes, at)
    same = {charge.parent_id: charge.id for charge in family.charges if charge.parent_id is not None}
    same_fixed = {row.parent_id: row.id for row in family.fixed_charges if row.parent_id is not None}
    committed = {commitment.id: own.id} if commitment is not None and own is not None else {}
    return Clone(written, same, committed, same_fixed)


async def change_child(tx: Tx, child: Plan, overrides: Fields, at: dt.datetime) -> Written:
    """Change a child that exists; its charges are named by their own id or by their parent's."""
    asked = {key: value for key, value in overrides.items() if value is not None}
    charges = (await store.charges_of(tx, [child.id])).get(child.id, [])
    known = await store.filters_of(tx, [charge.id for charge in charges])
    metrics = await store.metrics_by_ids(tx, child.organization_id, [one.billable_metric_id for one in charges])
    fixed = (await fixed_store.of_plans(tx, [child.id])).get(child.id, [])
    family = Family(charges, fixed, known, metrics)
    commitment = (await store.commitments_of(tx, [child.id])).get(child.id)
    with tx.no_autoflush:
        taxes = _change(child, family, asked, commitment, at)
    child.updated_at = at
    await _store(tx, family)
    return (await _write_rest(tx, child, asked, taxes, at))[0]


async def _cloned(
    tx: Tx, child: Plan, parents: Sequence[Charge], fixed: Sequence[FixedCharge], at: dt.datetime
) -> Family:
    known = await store.filters_of(tx, [charge.id for charge in parents])
    metrics = await store.metrics_by_ids(tx, child.organization_id, [one.billable_metric_id for one in parents])
    charges = [
        Charge(
            id=new_id(),
            organization_id=child.organization_id,
            plan_id=child.id,
            parent_id=parent.id,
            created_at=at,
            updated_at=at,
            **{name: getattr(parent, name) for name in CHARGE_INHERITED},
        )
        for parent in parents
    ]
    rows = {
        charge.id: [filters.clone(row, charge.id, at) for row in known.get(parent.id, [])]
        for charge, parent in zip(charges, parents, strict=True)
    }
    return Family(charges, fixed, rows, metrics)


def _change(
    child: Plan, family: Family, asked: Fields, commitment: MinimumCommitment | None, at: dt.datetime
) -> Changed:
    """Put the overrides on a plan, its charges and fixed charges, checked as a whole."""
    problems = Problems()
    for name in OVERRIDABLE:
        if name in asked:
            setattr(child, name, asked[name])
    plans.check(child, {**asked, "metadata": None}, commitment, problems)
    taxes: dict[uuid.UUID, list[str]] = {}
    for item in asked.get("charges", ()):
        charge = _named(family.charges, item.get("id"))
        if charge is None:
            continue
        _change_charge(charge, family, item, at, problems)
        if item.get("tax_codes") is not None:
            taxes[charge.id] = list(item["tax_codes"])
    fixed = fixed_overrides.change(family.fixed_charges, asked.get("fixed_charges", ()), at, problems)
    problems.raise_if_any()
    for charge in family.charges:
        charge.properties = charge_rules.stored_properties(charge.charge_model, charge.properties)
    for row in family.fixed_charges:
        fixed_charges.settle(row)
    return Changed(taxes, fixed)


def _named(charges: Iterable[Charge], written_id: Any) -> Charge | None:
    wanted = parse_id(str(written_id))
    return next((one for one in charges if wanted is not None and wanted in (one.id, one.parent_id)), None)


def _change_charge(charge: Charge, family: Family, item: Fields, at: dt.datetime, problems: Problems) -> None:
    metric = family.metrics[charge.billable_metric_id]
    if item.get("properties") is not None:
        charge.properties = item["properties"] or dict(DEFAULTS[ChargeModel(charge.charge_model)])
    for name in ("min_amount_cents", "invoice_display_name"):
        if item.get(name) is not None:
            setattr(charge, name, item[name])
    charge_rules.check(charge, metric, problems)
    pricing_units.apply(charge, item.get("applied_pricing_unit"), {}, problems)
    if item.get("filters") is not None:
        present = family.filters.get(charge.id, [])
        family.filters[charge.id] = filters.replace(charge, metric, item["filters"], present, at, problems)
    charge.updated_at = at


async def _store(tx: Tx, family: Family) -> None:
    tx.add_all(family.charges)
    tx.add_all(family.fixed_charges)
    await tx.flush()
    tx.add_all([row for rows in family.filters.values() for row in rows])
    await tx.flush()


async def _write_rest(
    tx: Tx, child: Plan, asked: Fields, changed: Changed, at: dt.datetime
) -> tuple[Written, MinimumCommitment | None]:
    commitment_taxes: dict[uuid.UUID, list[str]] = {}
    commitment: MinimumCommitment | None = None
    if "minimum_commitment" in asked:
        commitment = await commitments.write(tx, child, asked["minimum_commitment"], at)
        if commitment is not None and asked["minimum_commitment"].get("tax_codes") is not None:
            commitment_taxes = {commitment.id: list(asked["minimum_commitment"]["tax_codes"])}
    if "usage_thresholds" in asked:
        await thresholds.replace(tx, child, asked["usage_thresholds"], at)
    fixed = changed.fixed
    return Written(child, changed.charge_taxes, commitment_taxes, fixed.taxes, fixed.new_units), commitment
