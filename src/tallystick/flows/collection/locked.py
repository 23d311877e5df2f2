"""Taking an invoice in hand to change what is paid of it. Everything that moves money locks in this order."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from tallystick.flows.billing.run import lock_customers
from tallystick.ground.db import Tx
from tallystick.ground.tables import Invoice
from tallystick.rooms.invoices import store, verbs


async def locked_invoice(
    tx: Tx, organization_id: uuid.UUID, invoice_id: str, statuses: Sequence[str] = store.VISIBLE
) -> Invoice:
    """An invoice in one of the statuses, locked after its customer; 404 `invoice_not_found`."""
    found = await verbs.find(tx, organization_id, invoice_id, statuses)
    await lock_customers(tx, [found.customer_id])
    return await verbs.find(tx, organization_id, invoice_id, statuses, lock=True)
