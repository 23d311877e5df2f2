"""Wire JSON of customers with the members that other rooms hold (api.md §15.1, webhooks.md §4.1). Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tallystick.flows.wire.taxes import taxes_of
from tallystick.ground.db import Tx
from tallystick.ground.tables import Customer
from tallystick.rooms.customers import views
from tallystick.rooms.taxes.store import Owner

#: what webhooks carry, what lists carry, and what answers about one customer carry
WEBHOOK = frozenset({"integration_customers"})
LISTED = WEBHOOK | {"taxes"}
SINGLE = LISTED | {"applicable_invoice_custom_sections", "error_details"}


async def customers(tx: Tx, rows: Sequence[Customer], *, include: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Customer objects in the order given; `include` names the optional members."""
    bodies = await views.customers(tx, rows)
    if "taxes" in include:
        taxes = await taxes_of(tx, Owner.CUSTOMER, [row.id for row in rows])
        for row, body in zip(rows, bodies, strict=True):
            body["taxes"] = taxes.get(row.id, [])
    for name in ("integration_customers", "applicable_invoice_custom_sections", "error_details"):
        if name in include:
            for body in bodies:
                body[name] = []
    return bodies
