"""Organizations and billing entities from their making on: settings, keys, taxes, what customers inherit of them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.flows.lifecycle import custom_sections
from tallystick.flows.lifecycle.customers import customer_terms_changed
from tallystick.flows.lifecycle.eu_taxes import management_changed
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid
from tallystick.ground.tables import BillingEntity, Organization
from tallystick.rooms.custom_sections.store import Owner as SectionOwner
from tallystick.rooms.customers import store as customer_store
from tallystick.rooms.invoices import stale
from tallystick.rooms.organizations import keys, settings, store, verbs
from tallystick.rooms.taxes import verbs as taxes
from tallystick.rooms.taxes.store import Owner
from tallystick.rooms.webhooks import verbs as webhooks


async def create(
    tx: Tx, at: dt.datetime, name: str | None, sandbox: bool, fields: Mapping[str, Any]
) -> tuple[Organization, str]:
    """An organization with its default billing entity and the value of its first API key."""
    if name is None:
        raise Invalid.field("name", "value_is_mandatory")
    made = await verbs.create_organization(tx, at, name=name, sandbox=sandbox, fields=fields)
    await verbs.change_own(tx, made, at, fields)
    if fields.get("webhook_url") is not None:
        await webhooks.set_first_endpoint(tx, made.id, fields["webhook_url"], at)
    _, key = await keys.create_key(tx, made.id, at)
    return made, key


async def update(tx: Tx, organization: Organization, at: dt.datetime, fields: Mapping[str, Any]) -> None:
    """Change the settings, which are those of the default billing entity (customers_entitlements.md §4)."""
    if "slug" in fields:
        await verbs.rename_slug(tx, organization, at, fields["slug"])
    await verbs.change_own(tx, organization, at, fields)
    if fields.get("webhook_url") is not None:
        await webhooks.set_first_endpoint(tx, organization.id, fields["webhook_url"], at)
    entity = (await store.default_entities(tx, [organization.id]))[organization.id]
    if await settings.change(tx, entity, at, fields, outside_eu="org_must_be_in_eu"):
        await _terms_changed(tx, entity.id, at)


async def create_entity(
    tx: Tx, organization_id: uuid.UUID, at: dt.datetime, fields: Mapping[str, Any]
) -> BillingEntity:
    """Another billing entity; `fields` as for `verbs.create_entity`."""
    entity = await verbs.create_entity(tx, organization_id, at, fields)
    if entity.eu_tax_management:
        await management_changed(tx, entity, at)
    return entity


async def update_entity(
    tx: Tx, entity: BillingEntity, at: dt.datetime, fields: Mapping[str, Any], tax_codes: Sequence[str] | None
) -> None:
    """Change a billing entity; `tax_codes` replace its taxes, whatever their case, None leaves them.

    `fields` may name the custom sections it selects, too.
    """
    managed = entity.eu_tax_management
    changed = await verbs.update_entity(tx, entity, at, fields)
    if fields.get("eu_tax_management") or managed != entity.eu_tax_management:
        await management_changed(tx, entity, at)
    if tax_codes is not None:
        codes = {entity.id: tax_codes}
        await taxes.attach(tx, entity.organization_id, Owner.BILLING_ENTITY, codes, at, fold_case=True)
        await stale.mark_of_entity(tx, entity.id, at)
    kind = SectionOwner.BILLING_ENTITY
    await custom_sections.choose(tx, entity.organization_id, kind, entity.id, fields, at)
    if changed:
        await _terms_changed(tx, entity.id, at)


async def _terms_changed(tx: Tx, entity_id: uuid.UUID, at: dt.datetime) -> None:
    await customer_terms_changed(tx, await customer_store.ids_of_entity(tx, entity_id), at)
