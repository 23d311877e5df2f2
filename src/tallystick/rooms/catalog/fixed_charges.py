"""Fixed charges of a plan: create, change, replace and delete them as sets (rating.md §16, subscriptions.md §1.2).

What their units mean for subscriptions that run is not decided here: changes of units are handed back.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tallystick.core.money import ZERO
from tallystick.core.rating import DEFAULTS, ChargeModel, normalize, validate
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound, Problems
from tallystick.ground.ids import new_id, parse_id
from tallystick.ground.tables import AddOn, FixedCharge, Plan
from tallystick.rooms.catalog import add_ons, fixed_store, store
from tallystick.rooms.catalog.codes import assign_codes

Fields = Mapping[str, Any]

MODELS = frozenset((ChargeModel.STANDARD, ChargeModel.GRADUATED, ChargeModel.VOLUME))

_ALWAYS = ("invoice_display_name", "properties", "units")
#: fixed once the fixed charge exists (subscriptions.md §1.2)
_AT_CREATION = ("pay_in_advance", "prorated")
_DEFAULTS: Fields = {
    "charge_model": "",
    "invoice_display_name": None,
    "pay_in_advance": False,
    "prorated": False,
    "units": ZERO,
    "properties": {},
}


@dataclass(frozen=True, slots=True)
class NewUnits:
    """A fixed charge whose units are others now: at once, or from the next period on."""

    row: FixedCharge
    immediately: bool


@dataclass(frozen=True, slots=True)
class Written:
    """Fixed charges as stored, the tax codes that they ask for, and those with other units."""

    rows: list[FixedCharge] = field(default_factory=list)
    taxes: dict[uuid.UUID, list[str]] = field(default_factory=dict)
    new_units: list[NewUnits] = field(default_factory=list)


async def find(tx: Tx, plan: Plan, code: str) -> FixedCharge:
    """A live fixed charge of a plan by its code; 404 `fixed_charge_not_found`."""
    row = await fixed_store.by_code(tx, plan.id, code)
    if row is None:
        raise NotFound("fixed_charge")
    return row


async def create(tx: Tx, plan: Plan, at: dt.datetime, fields: Fields) -> Written:
    """One more fixed charge; 404 `add_on_not_found`."""
    others = (await fixed_store.of_plans(tx, [plan.id])).get(plan.id, [])
    return await _write(tx, plan, [(None, fields)], others, at, thing="add_on")


async def update(tx: Tx, plan: Plan, row: FixedCharge, at: dt.datetime, fields: Fields) -> Written:
    """Change one fixed charge, as far as a plan with subscriptions allows it."""
    others = [one for one in (await fixed_store.of_plans(tx, [plan.id])).get(plan.id, []) if one.id != row.id]
    return await _write(tx, plan, [(row, fields)], others, at)


async def replace(tx: Tx, plan: Plan, items: Sequence[Fields], at: dt.datetime) -> Written:
    """The plan has exactly these: those with a known `id` change, others are new, the rest is hidden.

    404 `add_ons_not_found` (subscriptions.md §1.2).
    """
    present = {row.id: row for row in (await fixed_store.of_plans(tx, [plan.id])).get(plan.id, [])}
    pairs = [(present.get(parse_id(str(item.get("id"))) or plan.id), item) for item in items]
    kept = {row.id for row, _ in pairs if row is not None}
    dropped = [row_id for row_id in present if row_id not in kept]
    if dropped:
        await fixed_store.remove(tx, dropped, at)
    return await _write(tx, plan, pairs, [], at)


async def _write(
    tx: Tx,
    plan: Plan,
    pairs: Sequence[tuple[FixedCharge | None, Fields]],
    others: Sequence[FixedCharge],
    at: dt.datetime,
    *,
    thing: str = "add_ons",
) -> Written:
    """Write known and new fixed charges of one plan together; `others` only keep their codes."""
    sold = await _add_ons(tx, plan, [item for row, item in pairs if row is None], thing)
    known = [row for row, _ in pairs if row is not None]
    codes = await fixed_store.add_on_codes(tx, [row.add_on_id for row in known])
    attached = bool(known) and await store.is_attached(tx, plan.id)
    before = {row.id: row.units for row in known}
    new = iter(sold)
    problems = Problems()
    written = Written()
    bases = []
    with tx.no_autoflush:
        for present, item in pairs:
            add_on = next(new) if present is None else None
            row = _new(plan, add_on, item, at) if add_on is not None else present
            assert row is not None
            bases.append(add_on.code if add_on is not None else codes[row.add_on_id])
            _assign(row, item, new=present is None, attached=attached)
            check(row, problems)
            row.updated_at = at
            written.rows.append(row)
        wanted = [item.get("code") if row is None or not attached else None for row, item in pairs]
        assign_codes(written.rows, wanted, bases, [row.code for row in others], problems)
        problems.raise_if_any()
        for row in written.rows:
            settle(row)
    tx.add_all(written.rows)
    await tx.flush()
    for row, (_, item) in zip(written.rows, pairs, strict=True):
        if "tax_codes" in item:
            written.taxes[row.id] = list(item["tax_codes"] or ())
        if before.get(row.id) != row.units:
            written.new_units.append(NewUnits(row, bool(item.get("apply_units_immediately"))))
    return written


async def _add_ons(tx: Tx, plan: Plan, items: Sequence[Fields], thing: str) -> list[AddOn]:
    """The add-on that each new fixed charge names by its id or its code; 404 when one is unknown or not named."""
    ids = [parse_id(str(item.get("add_on_id"))) for item in items]
    by_id = await fixed_store.add_ons_by_ids(tx, plan.organization_id, [one for one in ids if one is not None])
    codes = [item["add_on_code"] for item in items if item.get("add_on_code")]
    by_code = await add_ons.by_codes(tx, plan.organization_id, codes) if codes else {}
    found = []
    for item, add_on_id in zip(items, ids, strict=True):
        named = by_id.get(add_on_id) if add_on_id is not None else by_code.get(item.get("add_on_code") or "")
        if named is None:
            raise NotFound(thing)
        found.append(named)
    return found


def check(row: FixedCharge, problems: Problems) -> None:
    """Add what rating.md §16 refuses, the properties included."""
    if row.charge_model not in MODELS:
        problems.add("charge_model", "value_is_invalid")
        return
    if row.units < 0:
        problems.add("units", "value_is_out_of_range")
    if row.pay_in_advance and row.charge_model == ChargeModel.VOLUME:
        problems.add("pay_in_advance", "invalid_charge_model")
    if row.pay_in_advance and row.prorated and row.charge_model == ChargeModel.GRADUATED:
        problems.add("prorated", "invalid_charge_model")
    asked = row.properties or DEFAULTS[ChargeModel(row.charge_model)]
    if errors := validate(row.charge_model, asked, aggregation_type=""):
        problems.add("properties", *errors)


def settle(row: FixedCharge) -> None:
    """Keep checked properties as they are stored; a fixed charge has no groups."""
    kept = normalize(row.charge_model, row.properties or {})
    row.properties = {key: value for key, value in kept.items() if key in DEFAULTS[ChargeModel(row.charge_model)]}


def _new(plan: Plan, add_on: AddOn, item: Fields, at: dt.datetime) -> FixedCharge:
    return FixedCharge(
        id=new_id(),
        organization_id=plan.organization_id,
        plan_id=plan.id,
        add_on_id=add_on.id,
        code="",
        created_at=at,
        updated_at=at,
        **{**_DEFAULTS, "charge_model": item.get("charge_model") or ""},
    )


def _assign(row: FixedCharge, item: Fields, *, new: bool, attached: bool) -> None:
    """Take over what the caller sent; null means the default. A new model starts from its own defaults."""
    first = _AT_CREATION if new else () if attached else ("charge_model",)
    for name in (*first, *_ALWAYS):
        if name not in item:
            continue
        value = _DEFAULTS[name] if item[name] is None else item[name]
        if name == "charge_model" and value != row.charge_model:
            row.properties = {}
        setattr(row, name, value)
