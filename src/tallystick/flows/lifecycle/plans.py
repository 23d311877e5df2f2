"""Plans with their taxes: create, change, override, delete, and the messages about it (subscriptions.md §1).

What plans and charges are is the catalog's, what taxes are is the taxes room's; subscriptions join at deletion.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from tallystick.flows.billing.draft_terms import finalize_of_plans
from tallystick.flows.lifecycle import units
from tallystick.flows.lifecycle.cascade import Cascade
from tallystick.flows.lifecycle.subscriptions.reprice import reprice
from tallystick.flows.lifecycle.subscriptions.terminate import terminate_all_of_plans
from tallystick.flows.usage.marks import mark_of_plan
from tallystick.ground.db import Tx
from tallystick.ground.outbox import Message, emit
from tallystick.ground.tables import Plan, Subscription
from tallystick.rooms.catalog import metadata, overrides, plans, store
from tallystick.rooms.catalog.overrides import Clone
from tallystick.rooms.catalog.plans import Written
from tallystick.rooms.invoices import stale
from tallystick.rooms.taxes import verbs as taxes
from tallystick.rooms.taxes.store import Owner

Fields = Mapping[str, Any]
#: subscriptions that keep a plan from disappearing
LIVING = ("active", "pending", "incomplete")


async def create(tx: Tx, organization_id: uuid.UUID, at: dt.datetime, fields: Fields) -> Plan:
    """A new plan with charges, commitment, thresholds and taxes; emits `plan.created`."""
    written = await plans.create(tx, organization_id, at, fields)
    await _attach_taxes(tx, written, fields, at)
    await _tell(tx, written.plan, "plan.created", at)
    return written.plan


async def update(tx: Tx, plan: Plan, at: dt.datetime, fields: Fields) -> Plan:
    """Change the given fields; emits `plan.updated` even when nothing differs."""
    cascading = await Cascade.begin(tx, plan) if fields.get("cascade_updates") else None
    price = plan.amount_cents
    written = await plans.update(tx, plan, at, fields)
    await _attach_taxes(tx, written, fields, at)
    await stale.mark_of_plans(tx, [plan.id], at)
    await _tell(tx, plan, "plan.updated", at)
    if fields.get("usage_thresholds") is not None:
        await mark_of_plan(tx, plan.id, at)
    if plan.amount_cents != price:
        await reprice(tx, plan, at)
    await units.plan_changed(tx, [plan.id], written.new_units, at)
    if cascading is not None:
        await cascading.finish(tx, at, fields)
    return plan


async def override(
    tx: Tx, plan: Plan, asked: Fields, at: dt.datetime, own_units: Mapping[uuid.UUID, Decimal] | None = None
) -> Clone:
    """The child of `plan` that `plan_overrides` ask for; taxes are inherited unless overridden, nothing is emitted.

    `own_units` become the child's (subscriptions.md §1.4). Raises `Invalid`; 403 `cannot_override_charge_model`;
    404 `tax_not_found`.
    """
    clone = await overrides.clone_plan(tx, plan, asked, at, own_units or {})
    child = clone.written.plan
    for kind, heirs in (
        (Owner.PLAN, {plan.id: child.id}),
        (Owner.CHARGE, clone.charges),
        (Owner.FIXED_CHARGE, clone.fixed_charges),
        (Owner.COMMITMENT, clone.commitments),
    ):
        await taxes.inherit(tx, child.organization_id, kind, list(heirs.items()), at)
    await _attach_taxes(tx, clone.written, {key: value for key, value in asked.items() if value is not None}, at)
    return clone


async def change_override(tx: Tx, child: Plan, asked: Fields, at: dt.datetime) -> Plan:
    """Change an override plan that exists; emits `plan.updated` about the child (webhooks.md §2.2, 63)."""
    price = child.amount_cents
    written = await overrides.change_child(tx, child, asked, at)
    await _attach_taxes(tx, written, {key: value for key, value in asked.items() if value is not None}, at)
    await stale.mark_of_plans(tx, [child.id], at)
    await _tell(tx, child, "plan.updated", at)
    if child.amount_cents != price:
        await reprice(tx, child, at)
    await units.plan_changed(tx, [child.id], written.new_units, at)
    return child


async def request_deletion(tx: Tx, plan: Plan, at: dt.datetime) -> Plan:
    """Mark the plan and its overrides; emits `plan.deleted`. `complete_deletion` follows (subscriptions.md §1.6)."""
    await plans.mark_for_deletion(tx, plan, at)
    await _tell(tx, plan, "plan.deleted", at)
    return plan


async def complete_deletion(tx: Tx, plan_ids: Sequence[uuid.UUID], at: dt.datetime) -> list[uuid.UUID]:
    """End the subscriptions of plans and their overrides, then delete those that nobody waits for any more.

    Returns the ids of the deleted: an incomplete subscription keeps its plan (subscriptions.md §1.6).
    """
    family = await store.with_children(tx, plan_ids)
    await terminate_all_of_plans(tx, [plan.id for plan in family], at)
    await finalize_of_plans(tx, [plan.id for plan in family], at)
    statement = select(Subscription.plan_id).where(
        Subscription.plan_id.in_([plan.id for plan in family]), Subscription.status.in_(LIVING)
    )
    used = set(await tx.scalars(statement))
    busy = {plan.parent_id or plan.id for plan in family if plan.id in used}
    done = [plan for plan in family if (plan.parent_id or plan.id) not in busy]
    await plans.delete(tx, done, at)
    return [plan.id for plan in done]


async def replace_metadata(tx: Tx, plan: Plan, entries: Fields, at: dt.datetime) -> None:
    """Replace the metadata; emits `plan.updated`, as the next three do."""
    await metadata.replace(tx, plan, entries, at)
    await _tell(tx, plan, "plan.updated", at)


async def merge_metadata(tx: Tx, plan: Plan, entries: Fields, at: dt.datetime) -> None:
    """Merge entries into the metadata."""
    await metadata.merge(tx, plan, entries, at)
    await _tell(tx, plan, "plan.updated", at)


async def remove_metadata(tx: Tx, plan: Plan, at: dt.datetime) -> None:
    """Remove all metadata."""
    await metadata.remove(tx, plan, at)
    await _tell(tx, plan, "plan.updated", at)


async def remove_metadata_key(tx: Tx, plan: Plan, key: str, at: dt.datetime) -> None:
    """Remove one entry of the metadata; 404 `metadata_not_found` when there is none at all."""
    await metadata.remove_key(tx, plan, key, at)
    await _tell(tx, plan, "plan.updated", at)


async def _attach_taxes(tx: Tx, written: Written, fields: Fields, at: dt.datetime) -> None:
    plan = written.plan
    own = {plan.id: list(fields["tax_codes"] or ())} if "tax_codes" in fields else {}
    for kind, codes in (
        (Owner.PLAN, own),
        (Owner.CHARGE, written.charge_taxes),
        (Owner.FIXED_CHARGE, written.fixed_charge_taxes),
        (Owner.COMMITMENT, written.commitment_taxes),
    ):
        if codes:
            await taxes.attach(tx, plan.organization_id, kind, codes, at)


async def _tell(tx: Tx, plan: Plan, webhook_type: str, at: dt.datetime) -> None:
    await emit(tx, [Message(plan.organization_id, webhook_type, plan.id, at)])
