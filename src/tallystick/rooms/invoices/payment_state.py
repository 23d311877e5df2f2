"""Whether invoices are paid in time: overdue marks. Payments themselves are another room's."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping

from sqlalchemy import func, update

from tallystick.ground.db import Tx
from tallystick.ground.tables import Invoice


async def mark_overdue(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Mark issued, unpaid, undisputed invoices whose due date has passed; (invoice, organization) of those marked."""
    latest = max(at_of.values()).astimezone(dt.UTC)
    statement = (
        update(Invoice)
        .where(
            Invoice.id.in_(list(at_of)),
            Invoice.status == "finalized",
            Invoice.payment_status != "succeeded",
            Invoice.payment_overdue.is_(False),
            Invoice.payment_dispute_lost_at.is_(None),
            Invoice.payment_due_date < latest.date(),
        )
        .values(payment_overdue=True, updated_at=func.greatest(Invoice.updated_at, latest))
        .returning(Invoice.id, Invoice.organization_id)
        .execution_options(synchronize_session=False)
    )
    marked = {row.id: row.organization_id for row in await tx.execute(statement)}
    return [(invoice_id, marked[invoice_id]) for invoice_id in at_of if invoice_id in marked]
