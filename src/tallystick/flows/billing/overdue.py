"""Invoices that nobody paid in time turn overdue (webhooks.md §5.3). Reminding and dunning are another flow's work."""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.ground import outbox
from tallystick.ground.agenda import Due
from tallystick.ground.db import Tx
from tallystick.ground.outbox import Message
from tallystick.rooms.invoices import payment_state


async def overdue_due(tx: Tx, dues: Sequence[Due]) -> None:
    """Mark the invoices that are still unpaid and tell of each."""
    at_of = {due.subject_id: due.due_at for due in dues}
    late = await payment_state.mark_overdue(tx, at_of)
    await outbox.emit(
        tx,
        [
            Message(organization_id, "invoice.payment_overdue", invoice_id, at_of[invoice_id])
            for invoice_id, organization_id in late
        ],
    )
