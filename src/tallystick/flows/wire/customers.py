"""Wire JSON of customers with the members that other rooms hold (api.md §15.1, webhooks.md §4.1). Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tallystick.ground.db import Tx
from tallystick.ground.tables import Customer
from tallystick.rooms.customers import views
from tallystick.rooms.taxes import store as tax_store
from tallystick.rooms.taxes import views as tax_views
from tallystick.rooms.taxes.store import Owner

#: what webhooks carry, what lists carry, and what answers about one customer carry
WEBHOOK = frozenset({"integration_customers"})
LISTED = WEBHOOK | {"taxes"}
SINGLE = LISTED | {"applicable_invoice_custom_sections", "error_details"}


async def customers(tx: Tx, rows: Sequence[Customer], *, include: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Customer objects in the order given; `include` names the optional members."""
    bodies = await views.customers(tx, rows)
    if "taxes" in include:
        await _add_taxes(tx, rows, bodies)
    for name in ("integration_customers", "applicable_invoice_custom_sections", "error_details"):
        if name in include:
            for body in bodies:
                body[name] = []
    return bodies


async def _add_taxes(tx: Tx, rows: Sequence[Customer], bodies: Sequence[dict[str, Any]]) -> None:
    by_customer = await tax_store.of_owners(tx, Owner.CUSTOMER, [row.id for row in rows])
    distinct = {tax.id: tax for taxes in by_customer.values() for tax in taxes}
    rendered = dict(zip(distinct, await tax_views.taxes(tx, list(distinct.values())), strict=True))
    for row, body in zip(rows, bodies, strict=True):
        body["taxes"] = [rendered[tax.id] for tax in by_customer.get(row.id, [])]
