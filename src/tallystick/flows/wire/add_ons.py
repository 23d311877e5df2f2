"""Wire JSON of add-ons with their taxes (api.md §15.7). Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tallystick.flows.wire.taxes import taxes_of
from tallystick.ground.db import Tx
from tallystick.ground.tables import AddOn
from tallystick.rooms.catalog import views
from tallystick.rooms.taxes.store import Owner


async def add_ons(tx: Tx, rows: Sequence[AddOn]) -> list[dict[str, Any]]:
    """Add-on objects in the order given."""
    taxes = await taxes_of(tx, Owner.ADD_ON, [row.id for row in rows])
    return [{**views.add_on(row), "taxes": taxes.get(row.id, [])} for row in rows]
