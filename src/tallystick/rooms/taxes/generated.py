"""The taxes that the EU VAT automation makes in an organization, at the rates of the day (credits.md §2.7).

Which of them a customer pays is decided in core/eu_vat.py.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import delete, select

from tallystick.core import eu_vat
from tallystick.core.eu_vat import GeneratedTax
from tallystick.ground.db import Tx
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Tax, TaxLink
from tallystick.rooms.taxes import store
from tallystick.rooms.taxes.store import Owner


async def refresh(tx: Tx, organization_id: uuid.UUID, at: dt.datetime) -> list[uuid.UUID]:
    """Make what is missing and give all of them the rates of the day; returns those whose rate is another one now."""
    wanted = {tax.code: tax for tax in eu_vat.generated_taxes(at.date())}
    found = await store.by_codes(tx, organization_id, list(wanted))
    changed = []
    for code, tax in found.items():
        tax.auto_generated = True
        if tax.rate != wanted[code].rate:
            tax.rate, tax.updated_at = wanted[code].rate, at
            changed.append(tax.id)
    _add(tx, organization_id, at, [tax for code, tax in wanted.items() if code not in found])
    await tx.flush()
    return changed


async def ensure(tx: Tx, organization_id: uuid.UUID, codes: Collection[str], at: dt.datetime) -> None:
    """Make those of the taxes again that were deleted meanwhile."""
    found = await store.by_codes(tx, organization_id, list(codes))
    missing = [tax for tax in eu_vat.generated_taxes(at.date()) if tax.code in codes and tax.code not in found]
    _add(tx, organization_id, at, missing)
    await tx.flush()


def _add(tx: Tx, organization_id: uuid.UUID, at: dt.datetime, taxes: Collection[GeneratedTax]) -> None:
    for tax in taxes:
        tx.add(
            Tax(
                id=new_id(),
                organization_id=organization_id,
                code=tax.code,
                name=tax.name,
                rate=tax.rate,
                auto_generated=True,
                created_at=at,
                updated_at=at,
            )
        )


async def has_generated(tx: Tx, customer_id: uuid.UUID) -> bool:
    """Whether the customer has a tax of the automation."""
    taxes = (await store.of_owners(tx, Owner.CUSTOMER, [customer_id])).get(customer_id, [])
    return any(eu_vat.is_generated(tax.code) for tax in taxes)


async def detach(tx: Tx, customer_id: uuid.UUID) -> None:
    """Take the taxes of the automation from the customer; others stay."""
    generated = select(Tax.id).where(Tax.code.startswith(eu_vat.PREFIX, autoescape=True))
    await tx.execute(
        delete(TaxLink).where(
            TaxLink.owner_kind == Owner.CUSTOMER.value, TaxLink.owner_id == customer_id, TaxLink.tax_id.in_(generated)
        )
    )
