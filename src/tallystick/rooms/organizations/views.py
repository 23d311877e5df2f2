"""Wire JSON of organizations, billing entities and API keys (api.md §15.5, §15.6). Their taxes come from flows/wire."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from tallystick.ground.db import Tx
from tallystick.ground.tables import ApiKey, BillingEntity, Organization, WebhookEndpoint
from tallystick.ground.wire import dt_, dt_or_none
from tallystick.rooms.organizations import store
from tallystick.rooms.organizations.settings import PER_BILLING_ENTITY, PER_CUSTOMER

#: path under which the logo of an entity is served without a key
LOGO_PATH = "/logos/{id}"
_NUMBERING = {PER_CUSTOMER: PER_CUSTOMER, PER_BILLING_ENTITY: "per_organization"}


async def organizations(tx: Tx, rows: Sequence[Organization]) -> list[dict[str, Any]]:
    """Organization objects in the order given; settings are those of the default billing entity."""
    ids = [row.id for row in rows]
    entities = await store.default_entities(tx, ids)
    urls = await _webhook_urls(tx, ids)
    return [_organization(row, entities[row.id], urls.get(row.id, [])) for row in rows]


async def _webhook_urls(tx: Tx, organization_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    statement = (
        select(WebhookEndpoint.organization_id, WebhookEndpoint.webhook_url)
        .where(WebhookEndpoint.organization_id.in_(organization_ids))
        .order_by(WebhookEndpoint.created_at, WebhookEndpoint.id)
    )
    found: dict[uuid.UUID, list[str]] = {}
    for organization_id, url in await tx.execute(statement):
        found.setdefault(organization_id, []).append(url)
    return found


def _organization(row: Organization, entity: BillingEntity, urls: Sequence[str]) -> dict[str, Any]:
    return {
        "lago_id": row.id,
        "name": row.name,
        "slug": row.slug,
        "default_currency": entity.default_currency,
        "created_at": dt_(row.created_at),
        "webhook_url": urls[0] if urls else "",
        "webhook_urls": list(urls),
        "country": entity.country,
        "address_line1": entity.address_line1,
        "address_line2": entity.address_line2,
        "state": entity.state,
        "zipcode": entity.zipcode,
        "email": entity.email,
        "city": entity.city,
        "legal_name": entity.legal_name,
        "legal_number": entity.legal_number,
        "timezone": entity.timezone,
        "net_payment_term": entity.net_payment_term,
        "email_settings": list(entity.email_settings),
        "document_numbering": _NUMBERING[entity.document_numbering],
        "document_number_prefix": entity.document_number_prefix,
        "tax_identification_number": entity.tax_identification_number,
        "finalize_zero_amount_invoice": entity.finalize_zero_amount_invoice,
        "events_store": "postgres",
        "billing_configuration": {
            "invoice_footer": entity.invoice_footer,
            "invoice_grace_period": entity.invoice_grace_period,
            "document_locale": entity.document_locale,
        },
    }


def billing_entities(rows: Sequence[BillingEntity], public_api_url: str) -> list[dict[str, Any]]:
    """Billing entity objects in the order given; `public_api_url` is where their logos are served."""
    return [_billing_entity(row, public_api_url) for row in rows]


def _billing_entity(row: BillingEntity, public_api_url: str) -> dict[str, Any]:
    return {
        "lago_id": row.id,
        "code": row.code,
        "name": row.name,
        "default_currency": row.default_currency,
        "country": row.country,
        "address_line1": row.address_line1,
        "address_line2": row.address_line2,
        "city": row.city,
        "state": row.state,
        "zipcode": row.zipcode,
        "email": row.email,
        "phone": row.phone,
        "legal_name": row.legal_name,
        "legal_number": row.legal_number,
        "tax_identification_number": row.tax_identification_number,
        "timezone": row.timezone,
        "net_payment_term": row.net_payment_term,
        "email_settings": list(row.email_settings),
        "document_numbering": row.document_numbering,
        "document_number_prefix": row.document_number_prefix,
        "finalize_zero_amount_invoice": row.finalize_zero_amount_invoice,
        "einvoicing": row.einvoicing,
        "eu_tax_management": row.eu_tax_management,
        "is_default": row.is_default,
        "logo_url": f"{public_api_url}{LOGO_PATH.format(id=row.id)}" if row.logo is not None else None,
        "invoice_footer": row.invoice_footer,
        "invoice_grace_period": row.invoice_grace_period,
        "document_locale": row.document_locale,
        "subscription_invoice_issuing_date_anchor": row.subscription_invoice_issuing_date_anchor,
        "subscription_invoice_issuing_date_adjustment": row.subscription_invoice_issuing_date_adjustment,
        "created_at": dt_(row.created_at),
        "updated_at": dt_(row.updated_at),
    }


def api_keys(rows: Sequence[ApiKey]) -> list[dict[str, Any]]:
    """API keys by their last four characters; null `permissions` mean all."""
    return [
        {
            "lago_id": row.id,
            "name": row.name,
            "last_characters": row.last_characters,
            "permissions": row.permissions,
            "expires_at": dt_or_none(row.expires_at),
            "last_used_at": dt_or_none(row.last_used_at),
            "created_at": dt_(row.created_at),
        }
        for row in rows
    ]
