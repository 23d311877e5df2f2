"""The settings of an issuer of invoices: which there are, how they change (customers_entitlements.md §3).

Organizations have none of their own: they show those of their default billing entity. Doors read the bodies.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from tallystick.core import eu_vat
from tallystick.ground.db import Tx
from tallystick.ground.errors import Problems
from tallystick.ground.tables import BillingEntity
from tallystick.rooms.organizations import store

#: a null clears these
OPTIONAL = (
    "country",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "zipcode",
    "email",
    "phone",
    "legal_name",
    "legal_number",
    "tax_identification_number",
    "invoice_footer",
    "logo",
    "logo_content_type",
)
#: these always have a value: a null leaves them as they are
REQUIRED = (
    "default_currency",
    "timezone",
    "document_numbering",
    "document_number_prefix",
    "finalize_zero_amount_invoice",
    "net_payment_term",
    "email_settings",
    "eu_tax_management",
    "einvoicing",
    "invoice_grace_period",
    "document_locale",
    "subscription_invoice_issuing_date_anchor",
    "subscription_invoice_issuing_date_adjustment",
)
#: what customers inherit and what moves their drafts and billing dates when it changes
TERMS = (
    "timezone",
    "net_payment_term",
    "invoice_grace_period",
    "subscription_invoice_issuing_date_anchor",
    "subscription_invoice_issuing_date_adjustment",
)
PER_CUSTOMER = "per_customer"
OUTSIDE_EU = "billing_entity_must_be_in_eu"
PER_BILLING_ENTITY = "per_billing_entity"
EINVOICING_COUNTRIES = frozenset({"DE", "FR"})


def default_prefix(name: str, entity_id: uuid.UUID) -> str:
    """The first prefix of document numbers: "ACM-1f2e" upper-cased (invoicing.md §5)."""
    return f"{name[:3]}-{str(entity_id)[-4:]}".upper()


def apply(entity: BillingEntity, fields: Mapping[str, Any], *, outside_eu: str = OUTSIDE_EU) -> None:
    """Set what was given; raises `Invalid` when the settings contradict each other."""
    for name in OPTIONAL:
        if name in fields:
            setattr(entity, name, fields[name])
    for name in REQUIRED:
        if fields.get(name) is not None:
            setattr(entity, name, fields[name])
    _check_country(entity, outside_eu)


async def change(
    tx: Tx, entity: BillingEntity, at: dt.datetime, fields: Mapping[str, Any], *, outside_eu: str = OUTSIDE_EU
) -> bool:
    """Apply to an existing entity; tells whether terms that customers inherit are others now.

    `outside_eu` is the code for management of EU taxes in another country (api.md §3.2).
    """
    await store.lock_entity(tx, entity.id)
    terms = [getattr(entity, name) for name in TERMS]
    numbering = entity.document_numbering
    with tx.no_autoflush:
        apply(entity, fields, outside_eu=outside_eu)
        if numbering != PER_BILLING_ENTITY and entity.document_numbering == PER_BILLING_ENTITY:
            # numbering continues after all invoices numbered so far (invoicing.md §5)
            entity.document_sequence = await store.numbered_invoices(tx, entity.id)
    entity.updated_at = at
    await tx.flush()
    return terms != [getattr(entity, name) for name in TERMS]


def _check_country(entity: BillingEntity, outside_eu: str) -> None:
    problems = Problems()
    if entity.einvoicing and entity.country is None:
        problems.add("einvoicing", "country_must_be_present")
    elif entity.einvoicing and entity.country not in EINVOICING_COUNTRIES:
        problems.add("einvoicing", "country_not_supported")
    if entity.eu_tax_management and entity.country not in eu_vat.COUNTRIES:
        problems.add("eu_tax_management", outside_eu)
    problems.raise_if_any()
