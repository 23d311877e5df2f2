"""Wire JSON of customers with the members that other rooms hold (api.md §15.1, webhooks.md §4.1). Changes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.core.custom_sections import CustomerVoice, applicable
from tallystick.flows.wire.taxes import taxes_of
from tallystick.ground.db import Tx
from tallystick.ground.tables import Customer
from tallystick.rooms.custom_sections import store as section_store
from tallystick.rooms.custom_sections import views as section_views
from tallystick.rooms.custom_sections.store import Selected
from tallystick.rooms.customers import views
from tallystick.rooms.taxes.store import Owner

#: what webhooks carry, what lists carry, and what answers about one customer carry
WEBHOOK = frozenset({"integration_customers"})
LISTED = WEBHOOK | {"taxes"}
SECTIONS = "applicable_invoice_custom_sections"
SINGLE = LISTED | {SECTIONS, "error_details"}


async def customers(tx: Tx, rows: Sequence[Customer], *, include: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Customer objects in the order given; `include` names the optional members."""
    bodies = await views.customers(tx, rows)
    if "taxes" in include:
        taxes = await taxes_of(tx, Owner.CUSTOMER, [row.id for row in rows])
        for row, body in zip(rows, bodies, strict=True):
            body["taxes"] = taxes.get(row.id, [])
    sections = await _sections(tx, rows) if SECTIONS in include else {}
    for name in ("integration_customers", SECTIONS, "error_details"):
        if name in include:
            for row, body in zip(rows, bodies, strict=True):
                body[name] = sections.get(row.id, []) if name == SECTIONS else []
    return bodies


async def _sections(tx: Tx, rows: Sequence[Customer]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    """customer -> the sections that its invoices carry when nothing else is said (invoicing.md §20)."""
    own = await section_store.of_owners(tx, section_store.Owner.CUSTOMER, [row.id for row in rows])
    entities = {row.billing_entity_id for row in rows}
    theirs = await section_store.of_owners(tx, section_store.Owner.BILLING_ENTITY, list(entities))
    known = {one.section.id: one.section for found in (*own.values(), *theirs.values()) for one in found}
    return {
        row.id: section_views.sections(
            [known[key] for key in applicable((), _voice(row, own.get(row.id, ())), _ids(theirs, row))]
        )
        for row in rows
    }


def _voice(row: Customer, selected: Sequence[Selected]) -> CustomerVoice:
    kinds = {one.section.id: one.section.section_type for one in selected}
    manual = tuple(key for key, kind in kinds.items() if kind == "manual")
    return CustomerVoice(row.skip_invoice_custom_sections, manual, tuple(key for key in kinds if key not in manual))


def _ids(theirs: Mapping[uuid.UUID, Sequence[Selected]], row: Customer) -> list[uuid.UUID]:
    return [one.section.id for one in theirs.get(row.billing_entity_id, ())]
