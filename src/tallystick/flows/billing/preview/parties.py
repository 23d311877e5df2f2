"""Whom a previewed invoice is for and who issues it: a known customer with other settings, or nobody yet."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tallystick.core.contract import CustomerTerms
from tallystick.flows.billing.load import customer_terms, load_taxes
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound
from tallystick.ground.ids import new_id
from tallystick.ground.tables import BillingEntity, Customer
from tallystick.rooms.customers import verbs as customers
from tallystick.rooms.organizations import store as organizations

#: columns that a preview may give other values
OVERRIDES = (
    "name",
    "tax_identification_number",
    "currency",
    "timezone",
    "country",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "zipcode",
    "shipping_country",
    "shipping_address_line1",
    "shipping_address_line2",
    "shipping_city",
    "shipping_state",
    "shipping_zipcode",
)


@dataclass(frozen=True, slots=True)
class Party:
    """A customer with the terms that apply to it. `row` is a copy that is never stored, `known` tells of whom."""

    row: Customer
    terms: CustomerTerms
    known: bool


async def party(tx: Tx, organization_id: uuid.UUID, given: Mapping[str, Any], at: dt.datetime) -> Party:
    """The customer that a preview is for; 404 `customer_not_found` for an external id that names none."""
    external_id = given.get("external_id")
    known = external_id is not None
    if known:
        row = _copy(await customers.find(tx, organization_id, str(external_id)))
    else:
        row = await _nobody(tx, organization_id, at)
    for name in OVERRIDES:
        if given.get(name) is not None:
            setattr(row, name, given[name])
    entity = await tx.get_one(BillingEntity, row.billing_entity_id)
    taxes = await load_taxes(tx, {row.id, entity.id})
    return Party(row, customer_terms(row, entity, taxes), known)


def _copy(row: Customer) -> Customer:
    """A row of its own: what is changed of it stays out of the session."""
    return Customer(**{column.key: getattr(row, column.key) for column in Customer.__table__.columns})


async def _nobody(tx: Tx, organization_id: uuid.UUID, at: dt.datetime) -> Customer:
    """A new customer of the default billing entity, with an id that resolves to nothing (sdk-compat.md R6)."""
    defaults = await organizations.default_entities(tx, [organization_id])
    return Customer(
        id=new_id(),
        organization_id=organization_id,
        billing_entity_id=defaults[organization_id].id,
        external_id="",
        sequential_id=0,
        slug="",
        account_type="customer",
        finalize_zero_amount_invoice="inherit",
        skip_invoice_custom_sections=False,
        created_at=at,
        updated_at=at,
    )


async def issuer_id(tx: Tx, payer: Party, code: str | None) -> uuid.UUID:
    """The billing entity asked for, else the customer's; 404 `billing_entity_not_found`."""
    if code is None:
        return payer.row.billing_entity_id
    found = await organizations.entities_by_code(tx, payer.row.organization_id, [code])
    if code not in found:
        raise NotFound("billing_entity")
    return found[code].id
