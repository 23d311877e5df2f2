"""Customers from their first call to their deletion: what the upsert joins, and what follows from a change.

Provider calls and documents are other flows' work; here they only find out that something changed.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.flows.billing.draft_terms import finalize_after_deletion, move_drafts
from tallystick.flows.lifecycle import custom_sections
from tallystick.flows.lifecycle.customer_taxes import Grounds, settle, stop_checks
from tallystick.flows.lifecycle.subscriptions.schedule import reschedule_of_customers
from tallystick.flows.lifecycle.subscriptions.terminate import terminate_all_of_customers
from tallystick.ground import outbox
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound
from tallystick.ground.outbox import Message
from tallystick.ground.tables import BillingEntity, Customer
from tallystick.rooms.coupons import applied as applied_coupons
from tallystick.rooms.custom_sections.store import Owner as SectionOwner
from tallystick.rooms.customers import store, verbs
from tallystick.rooms.organizations import store as organization_store
from tallystick.rooms.organizations import verbs as organizations
from tallystick.rooms.wallets import store as wallet_store
from tallystick.rooms.wallets import verbs as wallets


async def upsert(
    tx: Tx, organization_id: uuid.UUID, at: dt.datetime, external_id: str, fields: Mapping[str, Any]
) -> Customer:
    """Create the customer or change what was given of it (customers_entitlements.md §1.3).

    `fields` are those of `verbs.create` and `billing_entity_code`, `tax_codes`, `invoice_custom_section_codes` or
    `…_ids`, `metadata`; an absent key changes nothing. 404 `billing_entity_not_found`, `tax_not_found`,
    `invoice_custom_section_not_found`; 422 `external_id` when another call created it meanwhile.
    """
    customer = await store.find(tx, organization_id, external_id, lock=True)
    message = "customer.created" if customer is None else "customer.updated"
    before = None if customer is None else Grounds.of(customer)
    if customer is None:
        customer = await _create(tx, organization_id, at, external_id, fields)
    else:
        entity = await _entity(tx, organization_id, fields) if "billing_entity_code" in fields else None
        changed = await verbs.update(tx, customer, at, fields, billing_entity_id=entity.id if entity else None)
        if changed:
            await customer_terms_changed(tx, [customer.id], at)
    told = await settle(tx, customer, at, fields.get("tax_codes"), before)
    await custom_sections.choose(tx, organization_id, SectionOwner.CUSTOMER, customer.id, fields, at)
    if fields.get("metadata") is not None:
        await verbs.replace_metadata(tx, customer, at, fields["metadata"])
    await outbox.emit(tx, [Message(organization_id, message, customer.id, at), *told])
    return customer


async def create(
    tx: Tx, organization_id: uuid.UUID, at: dt.datetime, external_id: str, fields: Mapping[str, Any]
) -> Customer:
    """A new customer without any message, as other calls create one on the fly (webhooks.md §2.2)."""
    customer = await _create(tx, organization_id, at, external_id, fields)
    await settle(tx, customer, at, None, None)
    return customer


async def _create(
    tx: Tx, organization_id: uuid.UUID, at: dt.datetime, external_id: str, fields: Mapping[str, Any]
) -> Customer:
    entity = await _entity(tx, organization_id, fields)
    # from here on creations of this organization wait for each other
    sequential_id = await organizations.draw_customer_number(tx, organization_id)
    if await store.find(tx, organization_id, external_id) is not None:
        raise Invalid.field("external_id", "value_already_exist")
    defaults = await organization_store.default_entities(tx, [organization_id])
    return await verbs.create(
        tx,
        organization_id,
        at,
        external_id=external_id,
        billing_entity_id=entity.id,
        sequential_id=sequential_id,
        prefix=defaults[organization_id].document_number_prefix,
        fields=fields,
    )


async def delete(tx: Tx, customer: Customer, at: dt.datetime) -> None:
    """End its subscriptions, coupons and wallets and hide the customer from now on (customers_entitlements.md §1.9)."""
    await store.lock(tx, [customer.id])
    # a number that is still being checked matters no more: what waits for it is issued with the taxes there are
    await stop_checks(tx, [customer.id], at)
    await terminate_all_of_customers(tx, [customer.id], at)
    await applied_coupons.terminate_all(tx, at, customer_ids=[customer.id])
    await wallets.terminate(tx, await wallet_store.active(tx, [customer.id]), at)
    await finalize_after_deletion(tx, [customer.id], at)
    await verbs.delete(tx, customer, at)


async def customer_terms_changed(tx: Tx, customer_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    """Customers have another time zone, payment term, grace period, issuing rule or billing entity since `at`.

    Called in the transaction of the change, with the customers locked in id order, for what is derived from these
    terms: dates of drafts, instants on the agenda (customers_entitlements.md §1.6, subscriptions.md §7).
    """
    await store.lock(tx, customer_ids)
    await reschedule_of_customers(tx, customer_ids, at)
    await move_drafts(tx, customer_ids, at)


async def _entity(tx: Tx, organization_id: uuid.UUID, fields: Mapping[str, Any]) -> BillingEntity:
    code = fields.get("billing_entity_code")
    if code is None:
        return (await organization_store.default_entities(tx, [organization_id]))[organization_id]
    found = await organization_store.entities_by_code(tx, organization_id, [code])
    if code not in found:
        raise NotFound("billing_entity")
    return found[code]
