"""The filters of `GET /credit_notes` (api.md §6). Unknown values of closed sets are no filters."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from tallystick.api.call import Call
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound
from tallystick.rooms.credit_notes.listing import TYPES, Filters
from tallystick.rooms.credit_notes.verbs import REASONS, REFUND_STATUSES
from tallystick.rooms.organizations import store as organizations

QUERY = (
    "currency",
    "reason",
    "credit_status",
    "refund_status",
    "types[]",
    "invoice_number",
    "purchase_order_number",
    "amount_from",
    "amount_to",
    "issuing_date_from",
    "issuing_date_to",
    "self_billed",
    "billing_entity_codes[]",
    "search_term",
)
_CREDIT_STATUSES = ("available", "consumed", "voided")


async def read_filters(call: Call, tx: Tx, customer_id: uuid.UUID | None = None) -> Filters:
    """What the caller asks for; 404 `billing_entity_not_found`. With `customer_id` the list is that customer's."""
    currency = call.text("currency")
    filters = Filters(
        customer_id=customer_id,
        external_customer_id=call.text("external_customer_id") if customer_id is None else None,
        currency=currency.upper() if currency else None,
        reasons=_known(call, "reason", REASONS),
        credit_statuses=_known(call, "credit_status", _CREDIT_STATUSES),
        refund_statuses=_known(call, "refund_status", REFUND_STATUSES),
        types=_known(call, "types", TYPES),
        invoice_number=call.text("invoice_number"),
        purchase_order_number=call.text("purchase_order_number"),
        amount_from=call.whole("amount_from"),
        amount_to=call.whole("amount_to"),
        issuing_date_from=call.date("issuing_date_from"),
        issuing_date_to=call.date("issuing_date_to"),
        self_billed=call.flag("self_billed"),
        search_term=call.text("search_term"),
    )
    codes = call.texts("billing_entity_codes")
    if not codes:
        return filters
    entities = await organizations.entities_by_code(tx, call.organization_id, codes, archived=True)
    if not set(codes) <= set(entities):
        raise NotFound("billing_entity")
    return replace(filters, billing_entity_ids=[entity.id for entity in entities.values()])


def _known(call: Call, name: str, allowed: Sequence[str]) -> list[str]:
    return [value for value in call.texts(name) if value in allowed]
