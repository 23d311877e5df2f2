"""The EU VAT automation of an organization: switched on and off by its issuers, kept at the rates of the day.

What a customer pays is decided when the customer changes (customer_taxes.py), never here (credits.md §2.7).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import select

from tallystick.core import eu_vat
from tallystick.flows.lifecycle.customer_taxes import stop_checks
from tallystick.ground import agenda
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx
from tallystick.ground.tables import BillingEntity
from tallystick.rooms.customers import store as customers
from tallystick.rooms.invoices import stale
from tallystick.rooms.taxes import generated


async def management_changed(tx: Tx, entity: BillingEntity, at: dt.datetime) -> None:
    """An issuer manages EU taxes since `at`, or does so no more: its customers keep the taxes they have."""
    if entity.eu_tax_management:
        await _refresh(tx, entity.organization_id, at)
    else:
        ids = await customers.ids_of_entity(tx, entity.id)
        await customers.lock(tx, ids)
        await stop_checks(tx, ids, at)


async def rates_due(tx: Tx, dues: Sequence[Due]) -> None:
    """A rate of the table begins to hold; organizations that manage no EU taxes any more are left alone."""
    ids = [due.subject_id for due in dues]
    managed = select(BillingEntity.organization_id).where(
        BillingEntity.organization_id.in_(ids), BillingEntity.eu_tax_management, BillingEntity.archived_at.is_(None)
    )
    at_of = {due.subject_id: due.due_at for due in dues}
    for organization_id in sorted(set(await tx.scalars(managed))):
        await _refresh(tx, organization_id, at_of[organization_id])


async def _refresh(tx: Tx, organization_id: uuid.UUID, at: dt.datetime) -> None:
    for tax_id in await generated.refresh(tx, organization_id, at):
        await stale.mark_of_tax(tx, tax_id, at)
    on = eu_vat.next_change(at.date())
    if on is not None:
        due_at = dt.datetime.combine(on, dt.time(), dt.UTC)
        await agenda.put(tx, [Due(Kind.REFRESH_VAT_RATES, organization_id, organization_id, due_at)])
