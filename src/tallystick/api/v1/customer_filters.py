"""The filters of `GET /customers` (api.md §6). Unusable values are refused with sentences instead of codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pycountry

from tallystick.api.call import Call
from tallystick.core.money import CURRENCIES
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound
from tallystick.rooms.customers.listing import Filters
from tallystick.rooms.organizations import store as organizations

QUERY = (
    "search_term",
    "external_id",
    "account_type[]",
    "customer_type",
    "has_customer_type",
    "has_tax_identification_number",
    "billing_entity_codes[]",
    "countries[]",
    "states[]",
    "zipcodes[]",
    "currencies[]",
)
_COUNTRIES = tuple(sorted(country.alpha_2 for country in pycountry.countries))
_TYPES = ("company", "individual")


async def read_filters(call: Call, tx: Tx) -> Filters:
    """What the caller asks for; 422 with a text for each unusable filter, 404 `billing_entity_not_found`."""
    reading = _Reading(call)
    filters = Filters(
        external_id=call.text("external_id"),
        search_term=call.text("search_term"),
        customer_type=reading.customer_type(),
        has_customer_type=reading.flag("has_customer_type"),
        has_tax_identification_number=reading.flag("has_tax_identification_number"),
        account_types=reading.choices("account_type", ("customer", "partner")),
        countries=reading.choices("countries", _COUNTRIES),
        currencies=reading.choices("currencies", sorted(CURRENCIES)),
        states=reading.texts("states"),
        zipcodes=reading.texts("zipcodes"),
        metadata=reading.metadata(),
    )
    codes = reading.texts("billing_entity_codes")
    if reading.errors:
        raise Invalid(reading.errors)
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

    def texts(self, name: str) -> list[str]:
        if isinstance(self.call.params.get(name), dict):
            self.errors[name] = ["must be an array"]
        return self.call.texts(name)

    def choices(self, name: str, allowed: Sequence[str]) -> list[str]:
        values = self.texts(name)
        wrong = [place for place, value in enumerate(values) if value not in allowed]
        if wrong:
            self.errors[name] = {str(place): [f"must be one of: {', '.join(allowed)}"] for place in wrong}
        return values

    def flag(self, name: str) -> bool | None:
        value = self.call.text(name)
        if value is None:
            return None
        if value.lower() not in ("true", "false"):
            self.errors[name] = ["must be one of: true, false"]
        return value.lower() == "true"

    def customer_type(self) -> str | None:
        value = self.call.text("customer_type")
        if value is None:
            return None
        if value not in _TYPES:
            self.errors["customer_type"] = [f"must be one of: {', '.join(_TYPES)}"]
        elif self.call.flag("has_customer_type") is False:
            self.errors["customer_type"] = ["must be nil when has_customer_type is false"]
        return value

    def metadata(self) -> dict[str, str]:
        wrong = {key[9:-1] for key in self.call.params if key.startswith("metadata[") and key.endswith("]")}
        found = self.call.mapping("metadata")
        wrong |= {key for key, value in found.items() if not isinstance(value, str)}
        if wrong:
            self.errors["metadata"] = {key: ["must be a string"] for key in sorted(wrong)}
        return found
