"""Wire JSON of taxes (api.md §15.2). Rows of taxes on documents belong to the invoices room."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from tallystick.ground.db import Tx
from tallystick.ground.tables import BillingEntity, Tax, TaxLink
from tallystick.ground.wire import dt_, num
from tallystick.rooms.taxes.store import Owner

COUNTERS = ("add_ons_count", "customers_count", "plans_count", "charges_count", "commitments_count")


async def taxes(tx: Tx, rows: Sequence[Tax], *, nested: bool = True) -> list[dict[str, Any]]:
    """Tax objects in the order given; only top-level ones list the billing entities they apply to."""
    entities = await _entities(tx, [tax.id for tax in rows])
    return [_tax(tax, entities.get(tax.id, []), nested) for tax in rows]


async def _entities(tx: Tx, tax_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[tuple[str, bool]]]:
    statement = (
        select(TaxLink.tax_id, BillingEntity.code, BillingEntity.is_default)
        .join(BillingEntity, BillingEntity.id == TaxLink.owner_id)
        .where(TaxLink.tax_id.in_(tax_ids), TaxLink.owner_kind == Owner.BILLING_ENTITY.value)
        .order_by(BillingEntity.code)
    )
    found: dict[uuid.UUID, list[tuple[str, bool]]] = {}
    for tax_id, code, is_default in await tx.execute(statement):
        found.setdefault(tax_id, []).append((code, is_default))
    return found


def _tax(tax: Tax, entities: Sequence[tuple[str, bool]], nested: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "lago_id": tax.id,
        "name": tax.name,
        "code": tax.code,
        "rate": num(tax.rate),
        "description": tax.description,
        "applied_to_organization": any(is_default for _, is_default in entities),
        **dict.fromkeys(COUNTERS, 0),
        "created_at": dt_(tax.created_at),
    }
    if not nested:
        body["applied_to_billing_entities_codes"] = [code for code, _ in entities]
    return body
