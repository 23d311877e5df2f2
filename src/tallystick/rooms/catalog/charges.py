"""Charges of a plan: create, change, replace and delete them as sets (rating.md §2, subscriptions.md §1.2)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound, Problems
from tallystick.ground.ids import new_id, parse_id
from tallystick.ground.tables import BillableMetric, Charge, ChargeFilter, Plan, PricingUnit
from tallystick.rooms.catalog import charge_rules, filters, pricing_units, store
from tallystick.rooms.catalog.codes import assign_codes

Fields = Mapping[str, Any]
TaxCodes = dict[uuid.UUID, list[str]]

_ALWAYS = ("invoice_display_name", "properties")
#: charges of a plan with subscriptions keep these (subscriptions.md §1.2)
_UNATTACHED_ONLY = (
    *("charge_model", "invoiceable", "min_amount_cents", "pay_in_advance", "prorated"),
    *("regroup_paid_fees", "accepts_target_wallet"),
)
_DEFAULTS: Fields = {
    "charge_model": "",
    "invoice_display_name": None,
    "pay_in_advance": False,
    "prorated": False,
    "invoiceable": True,
    "regroup_paid_fees": None,
    "min_amount_cents": 0,
    "accepts_target_wallet": False,
    "properties": {},
}


@dataclass(frozen=True, slots=True)
class Writing:
    """What a set of charges is written for: their plan, its charges that stay as they are, metrics and units."""

    plan: Plan
    attached: bool
    taken: frozenset[str]
    metrics: Mapping[uuid.UUID, BillableMetric]
    units: Mapping[str, PricingUnit]
    known_filters: Mapping[uuid.UUID, list[ChargeFilter]]
    at: dt.datetime


async def find(tx: Tx, plan: Plan, code: str) -> Charge:
    """A live charge of a plan by its code; 404 `charge_not_found`."""
    charge = await store.charge_by_code(tx, plan.id, code)
    if charge is None:
        raise NotFound("charge")
    return charge


async def create(tx: Tx, plan: Plan, at: dt.datetime, fields: Fields) -> tuple[Charge, TaxCodes]:
    """One more charge, and the tax codes it asks for; 404 `billable_metric_not_found`."""
    others = (await store.charges_of(tx, [plan.id])).get(plan.id, [])
    charges, codes = await _write(tx, plan, [(None, fields)], others, at, metric_thing="billable_metric")
    return charges[0], codes


async def update(tx: Tx, plan: Plan, charge: Charge, at: dt.datetime, fields: Fields) -> TaxCodes:
    """Change one charge; returns the tax codes it asks for."""
    others = [one for one in (await store.charges_of(tx, [plan.id])).get(plan.id, []) if one.id != charge.id]
    return (await _write(tx, plan, [(charge, fields)], others, at))[1]


async def delete(tx: Tx, charge: Charge, at: dt.datetime) -> None:
    """Hide a charge and its filters."""
    await store.remove_charges(tx, [charge.id], at)


async def replace(tx: Tx, plan: Plan, items: Sequence[Fields], at: dt.datetime) -> TaxCodes:
    """The plan has exactly these charges: those with a known `id` change, others are new, the rest is hidden.

    Returns the tax codes asked for, by charge; 404 `billable_metrics_not_found` (subscriptions.md §1.2).
    """
    present = {charge.id: charge for charge in (await store.charges_of(tx, [plan.id])).get(plan.id, [])}
    pairs = [(present.get(parse_id(str(item.get("id"))) or plan.id), item) for item in items]
    kept = {charge.id for charge, _ in pairs if charge is not None}
    dropped = [charge_id for charge_id in present if charge_id not in kept]
    if dropped:
        await store.remove_charges(tx, dropped, at)
    return (await _write(tx, plan, pairs, [], at))[1]


async def _write(
    tx: Tx,
    plan: Plan,
    pairs: Sequence[tuple[Charge | None, Fields]],
    others: Sequence[Charge],
    at: dt.datetime,
    *,
    metric_thing: str = "billable_metrics",
) -> tuple[list[Charge], TaxCodes]:
    """Write known and new charges of one plan together; `others` only keep their codes."""
    ids = [_metric_id(charge, item) for charge, item in pairs]
    metrics = await store.metrics_by_ids(tx, plan.organization_id, [one for one in ids if one is not None])
    if any(one not in metrics for one in ids):
        raise NotFound(metric_thing)
    known = [charge.id for charge, _ in pairs if charge is not None]
    writing = Writing(
        plan=plan,
        attached=bool(known) and await store.is_attached(tx, plan.id),
        taken=frozenset(charge.code for charge in others),
        metrics=metrics,
        units=await pricing_units.asked_for(tx, plan.organization_id, (item for _, item in pairs)),
        known_filters=await store.filters_of(tx, known) if known else {},
        at=at,
    )
    with tx.no_autoflush:
        charges, rows = _composed(writing, pairs)
    tx.add_all(charges)
    await tx.flush()
    tx.add_all(rows)
    await tx.flush()
    codes = {
        charge.id: list(item["tax_codes"] or ())
        for charge, (_, item) in zip(charges, pairs, strict=True)
        if "tax_codes" in item
    }
    return charges, codes


def _composed(
    writing: Writing, pairs: Sequence[tuple[Charge | None, Fields]]
) -> tuple[list[Charge], list[ChargeFilter]]:
    """The charges and filters to store, checked as a whole; raises `Invalid` naming everything wrong."""
    problems = Problems()
    charges: list[Charge] = []
    rows: list[ChargeFilter] = []
    for known, item in pairs:
        charge = known if known is not None else _new(writing, item)
        metric = writing.metrics[charge.billable_metric_id]
        model_before = charge.charge_model
        _assign(charge, item, frozen=known is not None and writing.attached)
        charge_rules.check(charge, metric, problems)
        pricing_units.apply(charge, item.get("applied_pricing_unit"), writing.units, problems, is_new=known is None)
        charges.append(charge)
        if charge.charge_model not in charge_rules.MODELS:
            continue
        present = writing.known_filters.get(charge.id, [])
        if "filters" in item:
            rows += filters.replace(charge, metric, item["filters"] or (), present, writing.at, problems)
        elif charge.charge_model != model_before:
            filters.recheck(charge, metric, present, problems)
        charge.updated_at = writing.at
    fixed = writing.attached
    wanted = [None if known is not None and fixed else item.get("code") for known, item in pairs]
    bases = [writing.metrics[charge.billable_metric_id].code for charge in charges]
    assign_codes(charges, wanted, bases, writing.taken, problems)
    problems.raise_if_any()
    for charge in charges:
        charge.properties = charge_rules.stored_properties(charge.charge_model, charge.properties)
    return charges, rows


def _metric_id(charge: Charge | None, item: Fields) -> uuid.UUID | None:
    """The metric of a known charge stays; that of a new one is named by its id."""
    return charge.billable_metric_id if charge is not None else parse_id(str(item.get("billable_metric_id")))


def _new(writing: Writing, item: Fields) -> Charge:
    return Charge(
        id=new_id(),
        organization_id=writing.plan.organization_id,
        plan_id=writing.plan.id,
        billable_metric_id=_metric_id(None, item),
        code="",
        created_at=writing.at,
        updated_at=writing.at,
        **{**_DEFAULTS, "charge_model": item.get("charge_model") or ""},
    )


def _assign(charge: Charge, item: Fields, *, frozen: bool) -> None:
    """Take over what the caller sent; null means the default. A new model starts from its own defaults."""
    for name in _ALWAYS if frozen else (*_UNATTACHED_ONLY, *_ALWAYS):
        if name not in item:
            continue
        value = _DEFAULTS[name] if item[name] is None else item[name]
        if name == "charge_model" and value != charge.charge_model:
            charge.properties = {}
        setattr(charge, name, value)
