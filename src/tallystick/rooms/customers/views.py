"""Wire JSON of customers in the field order of webhooks.md §4.1. Members of other rooms are added by flows/wire."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from tallystick.ground.db import Tx
from tallystick.ground.tables import BillingEntity, Customer, CustomerMetadata
from tallystick.ground.wire import dt_
from tallystick.rooms.customers import store


async def customers(tx: Tx, rows: Sequence[Customer]) -> list[dict[str, Any]]:
    """Customer objects in the order given, without optional members (api.md §15.1)."""
    entities = await _entities(tx, {row.billing_entity_id for row in rows})
    metadata = await store.metadata_of(tx, [row.id for row in rows])
    return [_customer(row, *entities[row.billing_entity_id], metadata.get(row.id, [])) for row in rows]


async def _entities(tx: Tx, entity_ids: set[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str]]:
    statement = select(BillingEntity.id, BillingEntity.code, BillingEntity.timezone).where(
        BillingEntity.id.in_(entity_ids)
    )
    return {entity_id: (code, zone) for entity_id, code, zone in await tx.execute(statement)}


def _customer(
    row: Customer, entity_code: str, entity_timezone: str, metadata: Sequence[CustomerMetadata]
) -> dict[str, Any]:
    return {
        "lago_id": row.id,
        "billing_entity_code": entity_code,
        "external_id": row.external_id,
        "account_type": row.account_type,
        "name": row.name,
        "firstname": row.firstname,
        "lastname": row.lastname,
        "customer_type": row.customer_type,
        "sequential_id": row.sequential_id,
        "slug": row.slug,
        "created_at": dt_(row.created_at),
        "updated_at": dt_(row.updated_at),
        "country": row.country,
        "address_line1": row.address_line1,
        "address_line2": row.address_line2,
        "state": row.state,
        "zipcode": row.zipcode,
        "email": row.email,
        "city": row.city,
        "url": row.url,
        "phone": row.phone,
        "logo_url": row.logo_url,
        "legal_name": row.legal_name,
        "legal_number": row.legal_number,
        "currency": row.currency,
        "tax_identification_number": row.tax_identification_number,
        "timezone": row.timezone,
        "applicable_timezone": row.timezone or entity_timezone,
        "net_payment_term": row.net_payment_term,
        "external_salesforce_id": row.external_salesforce_id,
        "finalize_zero_amount_invoice": row.finalize_zero_amount_invoice,
        "billing_configuration": _billing_configuration(row),
        "shipping_address": {
            "address_line1": row.shipping_address_line1,
            "address_line2": row.shipping_address_line2,
            "city": row.shipping_city,
            "zipcode": row.shipping_zipcode,
            "state": row.shipping_state,
            "country": row.shipping_country,
        },
        "skip_invoice_custom_sections": row.skip_invoice_custom_sections,
        "metadata": [_pair(pair) for pair in metadata],
    }


def _billing_configuration(row: Customer) -> dict[str, Any]:
    body: dict[str, Any] = {
        "invoice_grace_period": row.invoice_grace_period,
        "payment_provider": row.payment_provider,
        "payment_provider_code": row.payment_provider_code,
        "document_locale": row.document_locale,
        "subscription_invoice_issuing_date_anchor": row.subscription_invoice_issuing_date_anchor,
        "subscription_invoice_issuing_date_adjustment": row.subscription_invoice_issuing_date_adjustment,
    }
    if row.payment_provider is not None:
        stored = row.payment_provider_settings or {}
        if row.payment_provider != "flutterwave":
            body["provider_customer_id"] = stored.get("provider_customer_id")
        body.update({name: value for name, value in stored.items() if name != "provider_customer_id"})
    return body


def _pair(pair: CustomerMetadata) -> dict[str, Any]:
    return {
        "lago_id": pair.id,
        "key": pair.key,
        "value": pair.value,
        "display_in_invoice": pair.display_in_invoice,
        "created_at": dt_(pair.created_at),
    }
