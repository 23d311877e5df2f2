"""Wire JSON of credit notes with the members of all rooms: one renderer for REST answers and messages. Changes nothing.

A constant number of queries, whatever the number of notes (api.md §15.21, webhooks.md §4.16).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.flows.wire.customers import customers
from tallystick.ground.db import Tx
from tallystick.ground.tables import CreditNote
from tallystick.ground.wire import dec
from tallystick.rooms.credit_notes import store, views
from tallystick.rooms.customers import store as customer_store
from tallystick.rooms.invoices import store as invoice_store
from tallystick.rooms.invoices.fees import fees

#: what answers and lists carry
SHOWN = frozenset({"customer", "integration_customers", "items", "applied_taxes", "error_details"})
#: what messages carry (webhooks.md §4.16)
MESSAGES: Mapping[str, frozenset[str]] = {
    "credit_note.created": frozenset({"customer", "items", "applied_taxes"}),
    "credit_note.generated": frozenset({"customer"}),
}

Wire = dict[str, Any]


async def credit_notes(
    tx: Tx,
    rows: Sequence[CreditNote],
    *,
    public_api_url: str,
    include: frozenset[str] = SHOWN,
    webhook: bool = False,
) -> list[Wire]:
    """Credit note objects in the order given; `include` names the optional members. `webhook` keeps nulls (R3).

    `fee_taxes` of `include` gives the fees of items their taxes.
    """
    bodies = await views.credit_notes(tx, rows, public_api_url)
    ids = [row.id for row in rows]
    if "customer" in include:
        found = await customer_store.by_ids(tx, list({row.customer_id for row in rows}))
        shown = await customers(tx, found, include=include & {"integration_customers"})
        known = {row.id: body for row, body in zip(found, shown, strict=True)}
        for row, body in zip(rows, bodies, strict=True):
            body["customer"] = known[row.customer_id]
    members: dict[str, Mapping[uuid.UUID, list[Wire]]] = {}
    if "items" in include:
        members["items"] = await _items(tx, ids, webhook, "fee_taxes" in include)
    if "applied_taxes" in include:
        members["applied_taxes"] = await views.applied_taxes(tx, ids)
    if "error_details" in include:
        members["error_details"] = {}
    for row, body in zip(rows, bodies, strict=True):
        body.update((name, found_of.get(row.id, [])) for name, found_of in members.items())
        if row.metadata_ is not None:
            body["metadata"] = row.metadata_
    return bodies


async def _items(tx: Tx, note_ids: Sequence[uuid.UUID], webhook: bool, with_taxes: bool) -> dict[uuid.UUID, list[Wire]]:
    found = await store.items_of(tx, note_ids)
    rows = list((await invoice_store.fees_by_ids(tx, [item.fee_id for own in found.values() for item in own])).values())
    shown = await fees(tx, rows, webhook=webhook, with_taxes=with_taxes)
    bodies = {row.id: body for row, body in zip(rows, shown, strict=True)}
    return {
        note_id: [
            {
                "lago_id": item.id,
                "amount_cents": item.amount_cents,
                "precise_amount_cents": dec(item.precise_amount_cents),
                "amount_currency": item.currency,
                "fee": bodies[item.fee_id],
            }
            for item in own
        ]
        for note_id, own in found.items()
    }


async def credit_notes_of_messages(
    tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime], *, webhook_type: str, public_api_url: str
) -> dict[uuid.UUID, Wire]:
    """note -> its payload in messages of one type; those that are gone are absent."""
    found = await store.by_ids(tx, list(at_of))
    bodies = await credit_notes(
        tx, list(found.values()), public_api_url=public_api_url, include=MESSAGES[webhook_type], webhook=True
    )
    return dict(zip(found, bodies, strict=True))
