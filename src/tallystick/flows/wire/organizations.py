"""Wire JSON of organizations and billing entities with their taxes (api.md §15.5, §15.6). Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tallystick.ground.db import Tx
from tallystick.ground.tables import BillingEntity, Organization
from tallystick.rooms.custom_sections import store as section_store
from tallystick.rooms.custom_sections import views as section_views
from tallystick.rooms.organizations import views
from tallystick.rooms.taxes import store as tax_store
from tallystick.rooms.taxes import views as tax_views
from tallystick.rooms.taxes.store import Owner


async def organizations_with_taxes(tx: Tx, rows: Sequence[Organization]) -> list[dict[str, Any]]:
    """Organization objects with the taxes applied to them: those of the default billing entity, which has their id."""
    bodies = await views.organizations(tx, rows)
    taxes = await tax_store.of_owners(tx, Owner.BILLING_ENTITY, [row.id for row in rows])
    for row, body in zip(rows, bodies, strict=True):
        body["taxes"] = await tax_views.taxes(tx, taxes.get(row.id, []))
    return bodies


async def billing_entity(tx: Tx, row: BillingEntity, public_api_url: str) -> dict[str, Any]:
    """One billing entity with its taxes and selected sections, as show and update answer it."""
    taxes = (await tax_store.of_owners(tx, Owner.BILLING_ENTITY, [row.id])).get(row.id, [])
    chosen = await section_store.of_owners(tx, section_store.Owner.BILLING_ENTITY, [row.id])
    sections = chosen.get(row.id, [])
    return {
        **views.billing_entities([row], public_api_url)[0],
        "taxes": await tax_views.taxes(tx, taxes),
        "selected_invoice_custom_sections": section_views.sections([one.section for one in sections]),
    }
