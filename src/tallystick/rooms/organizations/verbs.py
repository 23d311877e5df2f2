"""What can be done with organizations and billing entities (customers_entitlements.md §3, §4). Keys are in keys.py."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import unicodedata
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import update

from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound, Problems
from tallystick.ground.ids import new_id
from tallystick.ground.tables import BillingEntity, Organization
from tallystick.rooms.organizations import settings, store


async def create_organization(
    tx: Tx, at: dt.datetime, *, name: str, sandbox: bool, fields: Mapping[str, Any]
) -> Organization:
    """A tenant with its default billing entity, which has the same id; `fields` as for `create_entity`."""
    organization_id = new_id()
    slug = slug_of(name)
    organization = Organization(
        id=organization_id,
        name=name,
        slug=fields.get("slug") or slug,
        sandbox=sandbox,
        hmac_key=secrets.token_urlsafe(24),
        created_at=at,
        updated_at=at,
    )
    tx.add(organization)
    await tx.flush()
    await _add_entity(tx, organization_id, organization_id, at, {**fields, "name": name, "code": slug})
    return organization


async def organization(tx: Tx, organization_id: uuid.UUID) -> Organization:
    """The organization; 404 `organization_not_found`."""
    found = await tx.get(Organization, organization_id)
    if found is None:
        raise NotFound("organization")
    return found


#: plain settings of the organization itself (design §7.9); a null leaves them as they are
OWN_SETTINGS = ("from_email", "remove_branding_watermark")


async def change_own(tx: Tx, organization: Organization, at: dt.datetime, fields: Mapping[str, Any]) -> None:
    """Change the settings that are not those of the default billing entity."""
    given = {name: fields[name] for name in OWN_SETTINGS if fields.get(name) is not None}
    for name, value in given.items():
        setattr(organization, name, value)
    if given:
        organization.updated_at = at
        await tx.flush()


async def rename_slug(tx: Tx, organization: Organization, at: dt.datetime, slug: str | None) -> None:
    """Give the organization another slug; a blank one is refused."""
    if slug is None:
        raise Invalid.field("slug", "value_is_mandatory")
    organization.slug = slug
    organization.updated_at = at
    await tx.flush()


async def draw_customer_number(tx: Tx, organization_id: uuid.UUID) -> int:
    """The next customer number, never drawn before; holds the organization until the transaction ends."""
    statement = (
        update(Organization)
        .where(Organization.id == organization_id)
        .values(customers_count=Organization.customers_count + 1)
        .returning(Organization.customers_count)
    )
    return (await tx.execute(statement)).scalar_one()


async def find_entity(tx: Tx, organization_id: uuid.UUID, code: str) -> BillingEntity:
    """An entity by its code, archived ones too (api.md §10); 404 `billing_entity_not_found`."""
    found = await store.entities_by_code(tx, organization_id, [code], archived=True)
    if code not in found:
        raise NotFound("billing_entity")
    return found[code]


async def create_entity(
    tx: Tx, organization_id: uuid.UUID, at: dt.datetime, fields: Mapping[str, Any]
) -> BillingEntity:
    """Another issuer; `fields`: name, code and any of `settings.OPTIONAL` and `settings.REQUIRED`."""
    problems = Problems()
    for name in ("name", "code"):
        if fields.get(name) is None:
            problems.add(name, "value_is_mandatory")
    code = fields.get("code")
    if code is not None and await store.entities_by_code(tx, organization_id, [code]):
        problems.add("code", "value_already_exist")
    problems.raise_if_any()
    return await _add_entity(tx, organization_id, new_id(), at, fields)


async def update_entity(tx: Tx, entity: BillingEntity, at: dt.datetime, fields: Mapping[str, Any]) -> bool:
    """Change an issuer, never its code; tells whether terms that customers inherit are others now."""
    if "name" in fields:
        if fields["name"] is None:
            raise Invalid.field("name", "value_is_mandatory")
        entity.name = fields["name"]
    return await settings.change(tx, entity, at, fields)


def slug_of(name: str) -> str:
    """The name in lower-case ASCII letters, digits and single hyphens."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-") or "organization"


async def _add_entity(
    tx: Tx, organization_id: uuid.UUID, entity_id: uuid.UUID, at: dt.datetime, fields: Mapping[str, Any]
) -> BillingEntity:
    entity = BillingEntity(
        id=entity_id,
        organization_id=organization_id,
        code=fields["code"],
        name=fields["name"],
        is_default=entity_id == organization_id,
        document_number_prefix=settings.default_prefix(fields["name"], entity_id),
        created_at=at,
        updated_at=at,
    )
    settings.apply(entity, fields)
    tx.add(entity)
    await tx.flush()
    return entity
