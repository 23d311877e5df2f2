"""What can be done with plans: create, change, mark for deletion, delete (subscriptions.md §1).

Charges, commitments and thresholds have files of their own; taxes are attached by the flow that calls this.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tallystick.core.metadata import metadata_errors
from tallystick.core.money import CURRENCIES, ZERO
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound, Problems
from tallystick.ground.ids import new_id
from tallystick.ground.tables import MinimumCommitment, Plan
from tallystick.rooms.catalog import charges, commitments, fixed_charges, store, thresholds
from tallystick.rooms.catalog.codes import check_code
from tallystick.rooms.catalog.fixed_charges import NewUnits

Fields = Mapping[str, Any]
INTERVALS = frozenset(("weekly", "monthly", "quarterly", "semiannual", "yearly"))
#: only these can bill usage or fixed charges monthly (subscriptions.md §1.1)
SPLIT_INTERVALS = frozenset(("yearly", "semiannual"))
#: days; far above any trial, and every trial ends within the calendar
MOST_TRIAL_DAYS = 10**5

_ALWAYS = ("name", "invoice_display_name", "description", "amount_cents")
#: plans with subscriptions keep these (subscriptions.md §1.2)
_UNATTACHED_ONLY = (
    *("code", "interval", "pay_in_advance", "amount_currency", "trial_period"),
    *("bill_charges_monthly", "bill_fixed_charges_monthly"),
)


@dataclass(frozen=True, slots=True)
class Written:
    """A plan as stored, the tax codes that its parts ask for, and its fixed charges with other units.

    Parts without an entry keep their taxes.
    """

    plan: Plan
    charge_taxes: Mapping[uuid.UUID, list[str]] = field(default_factory=dict)
    commitment_taxes: Mapping[uuid.UUID, list[str]] = field(default_factory=dict)
    fixed_charge_taxes: Mapping[uuid.UUID, list[str]] = field(default_factory=dict)
    new_units: Sequence[NewUnits] = ()


async def find(tx: Tx, organization_id: uuid.UUID, code: str, *, lock: bool = False) -> Plan:
    """A live plan that is no override, by its code; 404 `plan_not_found`."""
    plan = await store.plan_by_code(tx, organization_id, code, lock=lock)
    if plan is None:
        raise NotFound("plan")
    return plan


async def create(tx: Tx, organization_id: uuid.UUID, at: dt.datetime, fields: Fields) -> Written:
    """A new plan with its charges, commitment and thresholds; `fields` as subscriptions.md §1.1 names them."""
    plan = Plan(
        id=new_id(), organization_id=organization_id, pay_in_advance=False, pending_deletion=False, created_at=at
    )
    problems = Problems()
    _assign(plan, fields, frozen=False)
    check(plan, fields, None, problems)
    if plan.code and await store.plan_by_code(tx, organization_id, plan.code):
        problems.add("code", "value_already_exist")
    problems.raise_if_any()
    plan.updated_at = at
    tx.add(plan)
    await tx.flush()
    return await write_parts(tx, plan, fields, at)


async def update(tx: Tx, plan: Plan, at: dt.datetime, fields: Fields) -> Written:
    """Change the given fields, as far as a plan with subscriptions allows it (subscriptions.md §1.2)."""
    attached = await store.is_attached(tx, plan.id)
    problems = Problems()
    code = fields.get("code")
    if not attached and code and code != plan.code and await store.plan_by_code(tx, plan.organization_id, code):
        problems.add("code", "value_already_exist")
    present = (await store.commitments_of(tx, [plan.id])).get(plan.id)
    with tx.no_autoflush:
        _assign(plan, fields, frozen=attached)
        check(plan, fields, present, problems)
        problems.raise_if_any()
    plan.updated_at = at
    await tx.flush()
    return await write_parts(tx, plan, fields, at)


async def write_parts(tx: Tx, plan: Plan, fields: Fields, at: dt.datetime) -> Written:
    """Store the charges, commitment and thresholds that were sent; null or absent ones stay as they are."""
    charge_taxes: charges.TaxCodes = {}
    commitment_taxes: charges.TaxCodes = {}
    fixed = fixed_charges.Written()
    if fields.get("charges") is not None:
        charge_taxes = await charges.replace(tx, plan, fields["charges"], at)
    if fields.get("fixed_charges") is not None:
        fixed = await fixed_charges.replace(tx, plan, fields["fixed_charges"], at)
    if "minimum_commitment" in fields:
        asked = fields["minimum_commitment"] or {}
        commitment = await commitments.write(tx, plan, asked, at)
        if commitment is not None and "tax_codes" in asked:
            commitment_taxes = {commitment.id: list(asked["tax_codes"] or ())}
    if fields.get("usage_thresholds") is not None:
        await thresholds.replace(tx, plan, fields["usage_thresholds"], at)
    return Written(plan, charge_taxes, commitment_taxes, fixed.taxes, fixed.new_units)


async def mark_for_deletion(tx: Tx, plan: Plan, at: dt.datetime) -> Plan:
    """The plan and its overrides are to be deleted once their subscriptions ended; 404 when asked for twice."""
    if plan.pending_deletion:
        raise NotFound("plan")
    for one in await store.with_children(tx, [plan.id]):
        one.pending_deletion = True
        one.updated_at = at
    await tx.flush()
    return plan


async def delete(tx: Tx, plans: Iterable[Plan], at: dt.datetime) -> None:
    """Hide plans; their charges stay for the documents that show them."""
    for plan in plans:
        plan.deleted_at = at
    await tx.flush()


def check(plan: Plan, fields: Fields, present: MinimumCommitment | None, problems: Problems) -> None:
    """Add what subscriptions.md §1.1 refuses; `present` is the commitment that the plan has."""
    amount: int | None = plan.amount_cents
    rules = (
        (not plan.name, "name", "value_is_mandatory"),
        (not plan.code, "code", "value_is_mandatory"),
        (plan.interval not in INTERVALS, "interval", "value_is_invalid"),
        (amount is None, "amount_cents", "value_is_mandatory"),
        (amount is not None and amount < 0, "amount_cents", "value_is_out_of_range"),
        (plan.amount_currency not in CURRENCIES, "amount_currency", "value_is_invalid"),
        (plan.pay_in_advance is None, "pay_in_advance", "value_is_invalid"),
        (abs(plan.trial_period or ZERO) >= MOST_TRIAL_DAYS, "trial_period", "value_is_out_of_range"),
    )
    for wrong, name, code in rules:
        if wrong:
            problems.add(name, code)
    check_code(plan.code, problems)
    if errors := metadata_errors(fields.get("metadata") or {}):
        problems.add("value", *errors)
    thresholds.check(fields.get("usage_thresholds") or (), problems)
    commitments.check(fields.get("minimum_commitment") or {}, present, problems)


def _assign(plan: Plan, fields: Fields, *, frozen: bool) -> None:
    for name in _ALWAYS if frozen else (*_ALWAYS, *_UNATTACHED_ONLY):
        if name in fields:
            setattr(plan, name, fields[name])
    if "metadata" in fields:
        plan.metadata_ = fields["metadata"]
    splits = plan.interval in SPLIT_INTERVALS
    plan.bill_charges_monthly = bool(plan.bill_charges_monthly) if splits else None
    plan.bill_fixed_charges_monthly = bool(plan.bill_fixed_charges_monthly) if splits else None
