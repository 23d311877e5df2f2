"""Taxes from their making on, with what follows for drafts that carry them (credits.md §2.1)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from tallystick.ground.db import Tx
from tallystick.ground.tables import Tax
from tallystick.rooms.invoices import stale
from tallystick.rooms.taxes import verbs


async def create(tx: Tx, organization_id: uuid.UUID, at: dt.datetime, fields: Mapping[str, Any]) -> Tax:
    """A new tax, for the default billing entity when it is applied to the organization."""
    tax = await verbs.create(tx, organization_id, at, fields)
    await _mark_heirs(tx, tax, at, fields)
    return tax


async def update(tx: Tx, tax: Tax, at: dt.datetime, fields: Mapping[str, Any]) -> Tax:
    """Change the given fields: for drafts and future invoices."""
    await stale.mark_of_tax(tx, tax.id, at)
    await verbs.update(tx, tax, at, fields)
    await _mark_heirs(tx, tax, at, fields)
    return tax


async def delete(tx: Tx, tax: Tax, at: dt.datetime) -> Tax:
    """Detach the tax from everything and hide it: drafts lose it."""
    await stale.mark_of_tax(tx, tax.id, at)
    return await verbs.delete(tx, tax, at)


async def _mark_heirs(tx: Tx, tax: Tax, at: dt.datetime, fields: Mapping[str, Any]) -> None:
    # the default billing entity has the organization's id (customers_entitlements.md §3)
    if fields.get("applied_to_organization") is not None:
        await stale.mark_of_entity(tx, tax.organization_id, at)
