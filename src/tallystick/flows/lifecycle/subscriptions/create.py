"""A subscription is asked for: a new one, a change of plan, or nothing at all (subscriptions.md §2.3, §2.4)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.core.periods import local_date
from tallystick.flows.lifecycle import custom_sections
from tallystick.flows.lifecycle import customers as customer_lifecycle
from tallystick.flows.lifecycle import plans as plan_lifecycle
from tallystick.flows.lifecycle import units as own_units
from tallystick.flows.lifecycle.subscriptions import thresholds
from tallystick.flows.lifecycle.subscriptions.change import change_plan
from tallystick.flows.lifecycle.subscriptions.schedule import reschedule
from tallystick.flows.lifecycle.subscriptions.start import Start, message, start
from tallystick.ground import outbox
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound
from tallystick.ground.outbox import Message
from tallystick.ground.tables import BillingEntity, Customer, Plan, Subscription
from tallystick.rooms.catalog.fixed_overrides import asks_for_units_only
from tallystick.rooms.custom_sections.store import Owner
from tallystick.rooms.customers import store as customers
from tallystick.rooms.customers import verbs as customer_verbs
from tallystick.rooms.organizations import store as organizations
from tallystick.rooms.subscriptions import activation, store, verbs
from tallystick.rooms.subscriptions.terms import terms_of

Fields = Mapping[str, Any]


async def subscribe(
    tx: Tx, organization_id: uuid.UUID, at: dt.datetime, external_customer_id: str, plan: Plan, fields: Fields
) -> Subscription:
    """The subscription that the request leads to; `fields` as subscriptions.md §2.1 names them, absent ones left out.

    An unknown customer is created. 404 `billing_entity_not_found`; 422 in the order of §2.3.
    """
    customer = await customers.find(tx, organization_id, external_customer_id, lock=True)
    if customer is None:
        customer = await customer_lifecycle.create(tx, organization_id, at, external_customer_id, {})
    subscription_at = fields.get("subscription_at") or at
    verbs.check_ending(fields.get("ending_at"), subscription_at, at)
    columns = {
        **fields,
        **verbs.payment_method(fields),
        **custom_sections.skipping(fields),
        **await issuer(tx, organization_id, fields),
    }
    gated = activation.check_format(fields.get("activation_rules"))
    timezone = customer.timezone or (await tx.get_one(BillingEntity, customer.billing_entity_id)).timezone
    if gated and local_date(subscription_at, timezone) >= local_date(at, timezone):
        activation.check_customer(customer, columns.get("payment_method_type", "provider"))
    thresholds.check(fields)
    return await _decide(tx, customer, plan, at, columns)


async def issuer(tx: Tx, organization_id: uuid.UUID, fields: Fields) -> dict[str, uuid.UUID | None]:
    """The column that `billing_entity_code` asks for; 404 `billing_entity_not_found`."""
    if "billing_entity_code" not in fields:
        return {}
    code = fields["billing_entity_code"]
    if code is None:
        return {"billing_entity_id": None}
    found = await organizations.entities_by_code(tx, organization_id, [code])
    if code not in found:
        raise NotFound("billing_entity")
    return {"billing_entity_id": found[code].id}


async def _overridden(tx: Tx, plan: Plan, overrides: Fields | None, at: dt.datetime) -> Plan:
    """The plan itself, or the child that the overrides ask for (§1.4); units alone make no child."""
    if not overrides or asks_for_units_only(overrides):
        return plan
    return (await plan_lifecycle.override(tx, plan, overrides, at)).written.plan


async def _decide(tx: Tx, customer: Customer, plan: Plan, at: dt.datetime, fields: Fields) -> Subscription:
    """The table of §2.3, with the customer locked."""
    external_id = fields["external_id"]
    if await store.is_incomplete(tx, customer.id, external_id):
        raise Invalid.field("subscription", "subscription_incomplete")
    current = await store.current(tx, customer.id, external_id)
    if current is None and await store.taken(tx, [(customer.organization_id, external_id)]):
        raise Invalid.field("external_id", "value_already_exist")
    if current is not None and current.plan_id == plan.id:
        await thresholds.replace(tx, current, fields, at)
        await _choose_for_current(tx, current, plan, at, fields)
        return current
    if current is not None and current.status == "pending":
        return await _replace_plan(tx, current, plan, at, fields)
    plan = await _overridden(tx, plan, fields.get("plan_overrides"), at)
    await customer_verbs.prefer_currencies(tx, {customer.id: plan.amount_currency}, at)
    if current is not None:
        return await change_plan(tx, current, plan, at, fields)
    return await _begin(tx, customer, plan, at, fields)


async def _choose_for_current(tx: Tx, current: Subscription, plan: Plan, at: dt.datetime, fields: Fields) -> None:
    """A request for the plan that runs may select sections, and change nothing else (§2.3)."""
    verbs.edit(current, plan, custom_sections.skipping(fields), at)
    await choose_sections(tx, current, fields, at)
    await tx.flush()


async def _begin(tx: Tx, customer: Customer, plan: Plan, at: dt.datetime, fields: Fields) -> Subscription:
    """A chain of its own: active and billed today, active since a day in the past, or pending (§2.4)."""
    row = await verbs.add(tx, at, fields, customer_id=customer.id, plan=plan, external_id=fields["external_id"])
    await own_units.override(tx, row, fields.get("plan_overrides"), at)
    await thresholds.replace(tx, row, fields, at)
    await choose_sections(tx, row, fields, at)
    await start_on_its_date(tx, row, at)
    return row


async def choose_sections(tx: Tx, row: Subscription, fields: Fields, at: dt.datetime) -> None:
    """Select the custom sections that the request names (invoicing.md §20)."""
    chosen = custom_sections.selection(fields)
    await custom_sections.choose(tx, row.organization_id, Owner.SUBSCRIPTION, row.id, chosen, at)


async def start_on_its_date(tx: Tx, row: Subscription, at: dt.datetime, *, then: Sequence[Message] = ()) -> None:
    """Start a pending row whose local date has come, and emit `then` after its message; or note it for later.

    422 `external_id` when another customer's row runs under the same name.
    """
    terms = (await terms_of(tx, [row.id]))[row.id]
    today, start_on = terms.local(at), terms.local(row.subscription_at)
    if start_on > today:
        await reschedule(tx, [row.id], at)
        return
    if await store.taken(tx, [(row.organization_id, row.external_id)]):
        raise Invalid.field("external_id", "value_already_exist")
    started_at = row.subscription_at
    if start_on < today:
        ended_at = await store.last_invoiced_end_at(tx, row.customer_id, row.external_id)
        started_at = max(started_at, ended_at) if ended_at is not None else started_at
    await start(tx, [Start(row, started_at, at, billed=start_on == today)], then=then)


async def _replace_plan(tx: Tx, current: Subscription, plan: Plan, at: dt.datetime, fields: Fields) -> Subscription:
    """Another plan before the start: in place, nothing is billed (§2.3)."""
    current.plan_id = plan.id
    named = {"name": fields["name"]} if fields.get("name") else {}
    verbs.edit(current, plan, named, at)
    await thresholds.replace(tx, current, fields, at)
    await tx.flush()
    await outbox.emit(tx, [message(current, "subscription.updated", at)])
    await reschedule(tx, [current.id], at)
    return current
