"""What can be done with customers: find, create, change, delete (customers_entitlements.md §1)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound
from tallystick.ground.ids import new_id, parse_id
from tallystick.ground.tables import Customer, CustomerMetadata
from tallystick.rooms.customers import provider, store

#: columns that callers may set and clear
FIELDS = (
    "name",
    "firstname",
    "lastname",
    "legal_name",
    "legal_number",
    "email",
    "phone",
    "url",
    "logo_url",
    "external_salesforce_id",
    "customer_type",
    "tax_identification_number",
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
    "currency",
    "timezone",
    "net_payment_term",
    "invoice_grace_period",
    "document_locale",
    "subscription_invoice_issuing_date_anchor",
    "subscription_invoice_issuing_date_adjustment",
)
#: columns that are never null: a null gives them their default back
DEFAULTS = {"finalize_zero_amount_invoice": "inherit", "skip_invoice_custom_sections": False}
#: what moves drafts and billing dates when it changes
TERMS = (
    "billing_entity_id",
    "timezone",
    "net_payment_term",
    "invoice_grace_period",
    "subscription_invoice_issuing_date_anchor",
    "subscription_invoice_issuing_date_adjustment",
)


async def find(tx: Tx, organization_id: uuid.UUID, external_id: str) -> Customer:
    """A customer by the caller's id; 404 `customer_not_found`."""
    customer = await store.find(tx, organization_id, external_id)
    if customer is None:
        raise NotFound("customer")
    return customer


async def create(
    tx: Tx,
    organization_id: uuid.UUID,
    at: dt.datetime,
    *,
    external_id: str,
    billing_entity_id: uuid.UUID,
    sequential_id: int,
    prefix: str,
    fields: Mapping[str, Any],
) -> Customer:
    """A new customer; `fields`: `FIELDS`, `DEFAULTS`, account_type and the settings of the payment provider."""
    customer = Customer(
        id=new_id(),
        organization_id=organization_id,
        external_id=external_id,
        billing_entity_id=billing_entity_id,
        sequential_id=sequential_id,
        slug=f"{prefix}-{sequential_id:03d}",
        account_type=fields.get("account_type") or "customer",
        created_at=at,
        updated_at=at,
    )
    _assign(customer, fields, new=True)
    tx.add(customer)
    await tx.flush()
    return customer


async def update(
    tx: Tx, customer: Customer, at: dt.datetime, fields: Mapping[str, Any], *, billing_entity_id: uuid.UUID | None
) -> bool:
    """Change the given fields of a locked customer; tells whether its terms of payment and billing are others now."""
    terms = [getattr(customer, name) for name in TERMS]
    account_type = fields.get("account_type")
    if account_type not in (None, customer.account_type) and await store.is_editable(tx, customer.id):
        customer.account_type = account_type
    _assign(customer, fields, new=False)
    if billing_entity_id is not None:
        customer.billing_entity_id = billing_entity_id
    customer.updated_at = at
    await tx.flush()
    return terms != [getattr(customer, name) for name in TERMS]


def _assign(customer: Customer, fields: Mapping[str, Any], *, new: bool) -> None:
    for name in FIELDS:
        if name in fields:
            setattr(customer, name, fields[name])
    for name, default in DEFAULTS.items():
        if name in fields:
            setattr(customer, name, default if fields[name] is None else fields[name])
    provider.apply(customer, fields, new=new)


async def replace_metadata(tx: Tx, customer: Customer, at: dt.datetime, items: Sequence[Mapping[str, Any]]) -> None:
    """The customer has exactly these pairs from now on; an item with a known `id` keeps its row (§1.8)."""
    known = {row.id: row for row in (await store.metadata_of(tx, [customer.id])).get(customer.id, [])}
    for item in items:
        row_id = parse_id(item.get("id") or "")
        row = known.pop(row_id, None) if row_id else None
        if row is None:
            row = CustomerMetadata(
                id=new_id(), organization_id=customer.organization_id, customer_id=customer.id, created_at=at
            )
            tx.add(row)
        row.key = item["key"]
        row.value = item["value"]
        row.display_in_invoice = bool(item.get("display_in_invoice"))
        row.updated_at = at
    for row in known.values():
        await tx.delete(row)
    await tx.flush()


async def prefer_currencies(tx: Tx, currencies: Mapping[uuid.UUID, str], at: dt.datetime) -> None:
    """customer -> currency of its first billing object; a preference that exists stays (§1.4)."""
    for currency in sorted(set(currencies.values())):
        ids = [customer_id for customer_id, preferred in currencies.items() if preferred == currency]
        await store.fill_currency(tx, ids, currency, at)


async def delete(tx: Tx, customer: Customer, at: dt.datetime) -> None:
    """Hide the customer: its documents stay readable, its external id is free again (§1.9)."""
    customer.deleted_at = at
    await tx.flush()
