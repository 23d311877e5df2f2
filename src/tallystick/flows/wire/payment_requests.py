"""Wire JSON of payment requests with their customers and invoices (webhooks.md §4.14). Changes nothing.

A constant number of queries, whatever the number of requests.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.flows.wire.customers import customers
from tallystick.flows.wire.invoices import invoices
from tallystick.ground.db import Tx
from tallystick.ground.tables import Invoice, PaymentRequest
from tallystick.ground.wire import dt_
from tallystick.rooms.customers import store as customer_store
from tallystick.rooms.payments import requests

Wire = dict[str, Any]


async def payment_requests(
    tx: Tx, rows: Sequence[PaymentRequest], *, public_api_url: str, webhook: bool = False
) -> list[Wire]:
    """Payment request objects in the order given; `webhook` keeps a null that REST spells otherwise (R2)."""
    found = await customer_store.by_ids(tx, list({row.customer_id for row in rows}))
    known = {row.id: body for row, body in zip(found, await customers(tx, found), strict=True)}
    asked = await _invoices(tx, rows, public_api_url)
    return [
        {
            "lago_id": row.id,
            "amount_cents": row.amount_cents,
            "amount_currency": row.currency,
            "email": row.email if webhook else row.email or "",
            "payment_status": row.payment_status,
            "created_at": dt_(row.created_at),
            "customer": known[row.customer_id],
            "invoices": asked[row.id],
        }
        for row in rows
    ]


async def _invoices(tx: Tx, rows: Sequence[PaymentRequest], public_api_url: str) -> dict[uuid.UUID, list[Wire]]:
    pairs = await requests.invoices_of(tx, [row.id for row in rows])
    asked: dict[uuid.UUID, list[Wire]] = {row.id: [] for row in rows}
    if not pairs:
        return asked
    distinct: list[Invoice] = list({invoice.id: invoice for _, invoice in pairs}.values())
    # nothing in an invoice without members depends on the instant
    shown = await invoices(tx, distinct, at=rows[0].created_at, public_api_url=public_api_url)
    bodies = {row.id: body for row, body in zip(distinct, shown, strict=True)}
    for request_id, invoice in pairs:
        asked[request_id].append(bodies[invoice.id])
    return asked


async def payment_requests_of_messages(
    tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime], *, public_api_url: str
) -> dict[uuid.UUID, Wire]:
    """request -> its payload in messages."""
    rows = await requests.by_ids(tx, list(at_of))
    bodies = await payment_requests(tx, rows, public_api_url=public_api_url, webhook=True)
    return {row.id: body for row, body in zip(rows, bodies, strict=True)}
