"""The taxes of a customer: those that callers name, and those that the EU VAT automation finds (credits.md §2.7).

The arithmetic of the decision is core/eu_vat.py's; asking the registry is vat_checks.py's.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tallystick.core import eu_vat
from tallystick.core.eu_vat import Buyer
from tallystick.flows.billing.answered import taxes_known
from tallystick.ground.db import Tx
from tallystick.ground.outbox import Message
from tallystick.ground.tables import BillingEntity, Customer
from tallystick.rooms.invoices import stale
from tallystick.rooms.taxes import generated, vat_checks
from tallystick.rooms.taxes import verbs as taxes
from tallystick.rooms.taxes.store import Owner


@dataclass(frozen=True, slots=True)
class Grounds:
    """What of a customer decides about its VAT."""

    country: str | None
    zipcode: str | None
    number: str | None
    billing_entity_id: uuid.UUID

    @classmethod
    def of(cls, customer: Customer) -> Grounds:
        """Those of a customer as it is now."""
        return cls(customer.country, customer.zipcode, customer.tax_identification_number, customer.billing_entity_id)


def buyer(customer: Customer) -> Buyer:
    """The customer as the decision sees it."""
    return Buyer(customer.country, customer.zipcode, customer.tax_identification_number)


async def settle(
    tx: Tx, customer: Customer, at: dt.datetime, tax_codes: Sequence[str] | None, before: Grounds | None
) -> list[Message]:
    """Give a locked customer its taxes after a change; returns what there is to tell of it.

    `tax_codes` are those named by the caller, None for none; `before` is what decided before the change, None for a new
    customer. 404 `tax_not_found`.
    """
    entity = await tx.get_one(BillingEntity, customer.billing_entity_id)
    verdict = _Verdict()
    if entity.eu_tax_management and await _is_evaluated(tx, customer, before):
        verdict = await _decide(tx, customer, entity, at)
        if verdict.code is not None:
            tax_codes = [*(tax_codes or ()), verdict.code]
    elif not entity.eu_tax_management and before is not None and before.billing_entity_id != entity.id:
        await generated.detach(tx, customer.id)
        await stale.mark_of_customers(tx, [customer.id], at)
        verdict = _Verdict(settled=True)
    if tax_codes is not None:
        await taxes.attach(tx, customer.organization_id, Owner.CUSTOMER, {customer.id: tax_codes}, at)
        await stale.mark_of_customers(tx, [customer.id], at)
    if verdict.settled:
        await stop_checks(tx, [customer.id], at)
    # an edit of a customer without number is nobody's news (webhooks.md §2.2, 42)
    if verdict.unconfirmed and (before is None or customer.tax_identification_number):
        return [outcome(customer, {"valid": False, "valid_format": False}, at)]
    return []


@dataclass(frozen=True, slots=True)
class _Verdict:
    """`code`: the tax found; `settled`: the registry has no say any more; `unconfirmed`: for want of a good number."""

    code: str | None = None
    settled: bool = False
    unconfirmed: bool = False


async def _is_evaluated(tx: Tx, customer: Customer, before: Grounds | None) -> bool:
    if before is None or before != Grounds.of(customer):
        return True
    return not await generated.has_generated(tx, customer.id)


async def _decide(tx: Tx, customer: Customer, entity: BillingEntity, at: dt.datetime) -> _Verdict:
    """The customer's tax, or none when the registry is asked first: then nothing changes now."""
    found = buyer(customer)
    code = eu_vat.territory_tax(found)
    if code is None and found.number is not None:
        number = customer.tax_identification_number or ""
        await vat_checks.start(tx, customer.organization_id, customer.id, number, at)
        return _Verdict()
    verdict = _Verdict(code or eu_vat.unconfirmed_tax(entity.country or "", found), True, unconfirmed=code is None)
    await generated.ensure(tx, customer.organization_id, [verdict.code or ""], at)
    return verdict


def outcome(customer: Customer, check: Mapping[str, Any], at: dt.datetime) -> Message:
    """`customer.vies_check` (webhooks.md §3.17)."""
    return Message(customer.organization_id, "customer.vies_check", customer.id, at, {"vies_check": dict(check)})


async def stop_checks(tx: Tx, customer_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    """The taxes of these locked customers do not depend on the registry any more: what waited for it goes on."""
    await taxes_known(tx, await vat_checks.stop(tx, customer_ids), at)
