"""Add-ons with their taxes: create, change, and both on the wire (invoicing.md §11, api.md §15.7)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from tallystick.ground.db import Tx
from tallystick.ground.tables import AddOn
from tallystick.rooms.catalog import add_ons
from tallystick.rooms.taxes import verbs as taxes
from tallystick.rooms.taxes.store import Owner


async def create(tx: Tx, organization_id: uuid.UUID, at: dt.datetime, fields: Mapping[str, Any]) -> AddOn:
    """A new add-on; 404 `tax_not_found` for an unknown code in `tax_codes`."""
    add_on = await add_ons.create(tx, organization_id, at, fields)
    await _attach_taxes(tx, add_on, at, fields)
    return add_on


async def update(tx: Tx, add_on: AddOn, at: dt.datetime, fields: Mapping[str, Any]) -> AddOn:
    """Change the given fields; `tax_codes` replace its taxes."""
    await add_ons.update(tx, add_on, at, fields)
    await _attach_taxes(tx, add_on, at, fields)
    return add_on


async def _attach_taxes(tx: Tx, add_on: AddOn, at: dt.datetime, fields: Mapping[str, Any]) -> None:
    if fields.get("tax_codes") is not None:
        await taxes.attach(tx, add_on.organization_id, Owner.ADD_ON, {add_on.id: fields["tax_codes"]}, at)
