"""The filters of `GET /invoices` (api.md §6). Unusable values are refused with sentences instead of codes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tallystick.api.call import Call
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound
from tallystick.rooms.invoices.listing import Filters
from tallystick.rooms.invoices.store import VISIBLE
from tallystick.rooms.organizations import store as organizations

QUERY = (
    "external_customer_id",
    "customer_external_id",
    "status",
    "statuses[]",
    "payment_status",
    "payment_statuses[]",
    "payment_overdue",
    "payment_dispute_lost",
    "partially_paid",
    "self_billed",
    "invoice_type",
    "currency",
    "amount_from",
    "amount_to",
    "issuing_date_from",
    "issuing_date_to",
    "purchase_order_number",
    "settlements[]",
    "billing_entity_codes[]",
    "search_term",
)
_PAYMENT_STATUSES = ("pending", "succeeded", "failed")
_SETTLEMENTS = ("payment", "credit_note")
_BOOLEANS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


async def read_filters(call: Call, tx: Tx, customer_id: uuid.UUID | None = None) -> Filters:
    """What the caller asks for; 422 with a text for each unusable filter, 404 `billing_entity_not_found`.

    With `customer_id` the list is that customer's and other names of customers mean nothing.
    """
    reading = _Reading(call)
    external_id = call.text("external_customer_id") or call.text("customer_external_id")
    currency = call.text("currency")
    filters = Filters(
        customer_id=customer_id,
        external_customer_id=external_id if customer_id is None else None,
        statuses=reading.choices("status", "statuses", VISIBLE) or VISIBLE,
        payment_statuses=reading.choices("payment_status", "payment_statuses", _PAYMENT_STATUSES),
        payment_overdue=reading.flag("payment_overdue"),
        payment_dispute_lost=call.flag("payment_dispute_lost"),
        partially_paid=reading.flag("partially_paid"),
        self_billed=reading.flag("self_billed"),
        invoice_type=call.text("invoice_type"),
        currency=currency.upper() if currency else None,
        amount_from=call.whole("amount_from"),
        amount_to=call.whole("amount_to"),
        issuing_date_from=call.date("issuing_date_from"),
        issuing_date_to=call.date("issuing_date_to"),
        purchase_order_number=call.text("purchase_order_number"),
        settlements=reading.choices("settlements", "settlements", _SETTLEMENTS),
        metadata={key: value for key, value in call.mapping("metadata").items() if isinstance(value, str)},
        search_term=call.text("search_term"),
    )
    if reading.errors:
        raise Invalid(reading.errors)
    codes = call.texts("billing_entity_codes")
    if not codes:
        return filters
    entities = await organizations.entities_by_code(tx, call.organization_id, codes, archived=True)
    if not set(codes) <= set(entities):
        raise NotFound("billing_entity")
    return replace(filters, billing_entity_ids=[entity.id for entity in entities.values()])


class _Reading:
    """Reads one request's filters and collects what is wrong with them."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.errors: dict[str, Any] = {}

    def choices(self, name: str, plural: str, allowed: Sequence[str]) -> list[str]:
        """Values out of a closed set, under either name: a scalar or an array."""
        given = self.call.params.get(name)
        given = self.call.params.get(plural) if given in (None, "") else given
        sentence = f"must be one of: {', '.join(allowed)}"
        if isinstance(given, list):
            values = [str(value) for value in given if value not in (None, "")]
            wrong = [place for place, value in enumerate(values) if value not in allowed]
            if wrong:
                self.errors[name] = {str(place): [sentence] for place in wrong}
            return values
        if given in (None, ""):
            return []
        if not isinstance(given, str) or given not in allowed:
            self.errors[name] = [f"{sentence} or must be an array"]
        return [str(given)]

    def flag(self, name: str) -> bool | None:
        """A boolean that is spelled as one."""
        value = self.call.text(name)
        if value is None:
            return None
        if value.lower() not in _BOOLEANS:
            self.errors[name] = ["must be boolean"]
        return _BOOLEANS.get(value.lower())
