"""Plans with their taxes: create, change, override, delete, and the messages about it (subscriptions.md §1).

What plans and charges are is the catalog's, what taxes are is the taxes room's; subscriptions join at deletion.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from tallystick.flows.billing.draft_terms import finalize_of_plans
from tallystick.flows.lifecycle.subscriptions.reprice import reprice
from tallystick.flows.lifecycle.subscriptions.terminate import terminate_all_of_plans
from tallystick.ground.db import Tx
from tallystick.ground.outbox import Message, emit
from tallystick.ground.tables import Charge, Plan, Subscription
from tallystick.rooms.catalog import charges, metadata, overrides, plans, store
from tallystick.rooms.catalog.plans import Written
from tallystick.rooms.invoices import stale
from tallystick.rooms.taxes import store as tax_store
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
    price = plan.amount_cents
    written = await plans.update(tx, plan, at, fields)
    await _attach_taxes(tx, written, fields, at)
    await stale.mark_of_plans(tx, [plan.id], at)
    await _tell(tx, plan, "plan.updated", at)
    if plan.amount_cents != price:
        await reprice(tx, plan, at)
    return plan


async def override(tx: Tx, plan: Plan, asked: Fields, at: dt.datetime) -> Plan:
    """The child of `plan` that `plan_overrides` ask for; taxes are inherited unless overridden, nothing is emitted.

    subscriptions.md §1.4. Raises `Invalid`; 404 `tax_not_found`.
    """
    clone = await overrides.clone_plan(tx, plan, asked, at)
    child = clone.written.plan
    await _inherit_taxes(tx, child, Owner.PLAN, {plan.id: child.id}, at)
    await _inherit_taxes(tx, child, Owner.CHARGE, clone.charges, at)
    await _inherit_taxes(tx, child, Owner.COMMITMENT, clone.commitments, at)
    await _attach_taxes(tx, clone.written, {key: value for key, value in asked.items() if value is not None}, at)
    return child


async def change_override(tx: Tx, child: Plan, asked: Fields, at: dt.datetime) -> Plan:
    """Change an override plan that exists; emits `plan.updated` about the child (webhooks.md §2.2, 63)."""
    written = await overrides.change_child(tx, child, asked, at)
    await _attach_taxes(tx, written, {key: value for key, value in asked.items() if value is not None}, at)
    await _tell(tx, child, "plan.updated", at)
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


async def add_charge(tx: Tx, plan: Plan, at: dt.datetime, fields: Fields) -> Charge:
    """One more charge with its taxes; the plan's own messages stay silent (webhooks.md §2.2, 63)."""
    charge, codes = await charges.create(tx, plan, at, fields)
    await taxes.attach(tx, plan.organization_id, Owner.CHARGE, codes, at)
    return charge


async def change_charge(tx: Tx, plan: Plan, charge: Charge, at: dt.datetime, fields: Fields) -> Charge:
    """Change one charge and its taxes."""
    codes = await charges.update(tx, plan, charge, at, fields)
    await taxes.attach(tx, plan.organization_id, Owner.CHARGE, codes, at)
    return charge


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
        (Owner.COMMITMENT, written.commitment_taxes),
    ):
        if codes:
            await taxes.attach(tx, plan.organization_id, kind, codes, at)


async def _inherit_taxes(
    tx: Tx, child: Plan, kind: Owner, heirs: Mapping[uuid.UUID, uuid.UUID], at: dt.datetime
) -> None:
    owned = await tax_store.of_owners(tx, kind, list(heirs))
    pairs = [(heirs[owner], tax.id) for owner, found in owned.items() for tax in found]
    await tax_store.add_links(tx, child.organization_id, kind, pairs, at)


async def _tell(tx: Tx, plan: Plan, webhook_type: str, at: dt.datetime) -> None:
    await emit(tx, [Message(plan.organization_id, webhook_type, plan.id, at)])
