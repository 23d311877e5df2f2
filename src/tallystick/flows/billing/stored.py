"""The bills of invoices that are stored: their subscriptions, reasons and windows, to compute them once more."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select

from tallystick.core.occasion import Occasion, Reason
from tallystick.core.windows import Window, Windows
from tallystick.flows.billing.due import Bill
from tallystick.flows.billing.load import load_contracts
from tallystick.ground.db import Tx
from tallystick.ground.tables import InvoiceSubscription


async def bills_of(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Bill]]:
    """invoice -> its bills, with the windows they were made for and the terms of today."""
    statement = (
        select(InvoiceSubscription)
        .where(InvoiceSubscription.invoice_id.in_(invoice_ids))
        .order_by(InvoiceSubscription.created_at, InvoiceSubscription.id)
    )
    rows = list(await tx.scalars(statement))
    contracts = {item.subscription_id: item for item in await load_contracts(tx, [row.subscription_id for row in rows])}
    found: dict[uuid.UUID, list[Bill]] = defaultdict(list)
    for row in rows:
        occasion = Occasion(row.subscription_id, Reason(row.invoicing_reason), row.billing_at)
        bill = Bill(contracts[row.subscription_id], occasion, _windows(row), row.plan_fee_due)
        found[row.invoice_id].append(bill)
    return found


def _windows(row: InvoiceSubscription) -> Windows:
    return Windows(
        plan=_window(row.plan_from_at, row.plan_to_at),
        charges=_window(row.charges_from_at, row.charges_to_at),
        fixed=_window(row.fixed_charges_from_at, row.fixed_charges_to_at),
        fixed_in_advance=_window(row.fixed_in_advance_from_at, row.fixed_in_advance_to_at),
        plan_fee_due=row.plan_fee_due,
        plan_days_in_full_period=row.plan_full_days,
        charges_duration_days=row.charges_full_days,
        fixed_duration_days=row.fixed_charges_full_days,
        fixed_in_advance_duration_days=row.fixed_in_advance_full_days,
    )


def _window(start_at: dt.datetime | None, end_at: dt.datetime | None) -> Window | None:
    return Window(start_at, end_at) if start_at is not None and end_at is not None else None
