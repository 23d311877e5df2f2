"""What requests about wallets refer to: issuers, metrics, custom sections, methods of payment. Stores nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from tallystick.flows.billing.sections import Choice
from tallystick.flows.lifecycle import custom_sections as selecting
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound, Problems
from tallystick.rooms.custom_sections import verbs as custom_sections
from tallystick.rooms.organizations import store as organizations
from tallystick.rooms.wallets import store
from tallystick.rooms.wallets.terms import FEE_TYPES

Fields = Mapping[str, Any]


async def columns(tx: Tx, organization_id: uuid.UUID, fields: Fields, problems: Problems) -> dict[str, Any]:
    """The given fields as columns of a wallet; 404 `billing_entity_not_found`."""
    found = {**fields, **payment_method(fields, problems), **selecting.skipping(fields)}
    if "billing_entity_code" in fields:
        found["billing_entity_id"] = await _issuer(tx, organization_id, fields["billing_entity_code"])
    return found


async def _issuer(tx: Tx, organization_id: uuid.UUID, code: str | None) -> uuid.UUID | None:
    """The billing entity of this code; none means the customer's."""
    if code is None:
        return None
    found = await organizations.entities_by_code(tx, organization_id, [code])
    if code not in found:
        raise NotFound("billing_entity")
    return found[code].id


def payment_method(fields: Fields, problems: Problems) -> dict[str, Any]:
    """The columns that `payment_method` asks for. No payment method is known yet, so an id names none."""
    if "payment_method" not in fields:
        return {}
    asked = fields["payment_method"] or {}
    kind = asked.get("payment_method_type") or "provider"
    if kind not in ("provider", "manual") or asked.get("payment_method_id"):
        problems.add("payment_method", "invalid_payment_method")
        return {}
    return {"payment_method_type": kind, "payment_method_id": None}


def unknown_fee_types(limits: Fields) -> bool:
    """Whether `applies_to` names a fee type that there is not."""
    return not set(limits.get("fee_types") or ()) <= set(FEE_TYPES)


async def metrics(tx: Tx, organization_id: uuid.UUID, limits: Fields) -> list[uuid.UUID] | None:
    """The metrics that `applies_to` names; None when one of them is unknown."""
    codes = list(dict.fromkeys(limits.get("billable_metric_codes") or ()))
    found = await store.metric_ids(tx, organization_id, codes) if codes else {}
    return [found[code] for code in codes] if set(codes) <= set(found) else None


async def choice(tx: Tx, organization_id: uuid.UUID, fields: Fields) -> Choice | None:
    """The custom sections that a request wants on its invoice; 404 `invoice_custom_section_not_found`."""
    given = selecting.selection(fields)
    if not given:
        return None
    codes, ids = given.get(selecting.CODES) or (), given.get(selecting.IDS) or ()
    found = await custom_sections.named(tx, organization_id, codes, ids)
    return Choice(bool(given.get(selecting.SKIP)), tuple(found))


def refuse_rules(fields: Fields) -> None:
    """Top-ups by themselves are not made yet: whoever asks for them is told so."""
    if fields.get("recurring_transaction_rules"):
        raise Invalid.field("recurring_transaction_rules", "invalid_recurring_rule")
