"""Wire JSON of invoices with the members of all rooms: one renderer for REST answers and messages. Changes nothing.

A constant number of queries, whatever the number of invoices (api.md §15.18, webhooks.md §2.4, §4.2).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from tallystick.flows.wire.customers import customers
from tallystick.flows.wire.subscriptions import subscriptions
from tallystick.ground.db import Tx
from tallystick.ground.domain_time import now_of
from tallystick.ground.tables import Invoice, Subscription
from tallystick.rooms.customers import store as customer_store
from tallystick.rooms.invoices import periods, store, views
from tallystick.rooms.invoices.fees import fees

#: what answers about one invoice carry, and what lists carry (api.md §15.18)
SINGLE = frozenset(
    {
        "customer",
        "integration_customers",
        "subscriptions",
        "billing_periods",
        "fees",
        "credits",
        "metadata",
        "applied_taxes",
        "error_details",
        "applied_invoice_custom_sections",
    }
)
LISTED = frozenset({"customer", "integration_customers", "metadata", "applied_taxes"})

_ISSUED = frozenset({"customer", "subscriptions", "billing_periods", "fees", "credits", "applied_taxes"})
_DRAFTED = _ISSUED | {"error_details"}
_BOUGHT = frozenset({"customer", "fees", "applied_taxes", "applied_invoice_custom_sections"})
#: what messages carry (webhooks.md §2.4)
MESSAGES: Mapping[str, frozenset[str]] = {
    "invoice.created": _ISSUED | {"applied_invoice_custom_sections"},
    "invoice.drafted": _DRAFTED,
    "invoice.ready_to_finalize": _DRAFTED,
    "invoice.voided": _ISSUED,
    "invoice.deleted": _ISSUED,
    "invoice.resynced": _ISSUED | {"integration_customers"},
    "invoice.one_off_created": _BOUGHT,
    "invoice.paid_credit_added": _BOUGHT,
    "invoice.payment_overdue": frozenset({"customer", "fees", "applied_taxes"}),
    "invoice.payment_status_updated": frozenset({"customer", "fees"}),
    "invoice.generated": frozenset({"customer"}),
}

Wire = dict[str, Any]
ByInvoice = Callable[[Invoice], Any]


async def invoices(
    tx: Tx,
    rows: Sequence[Invoice],
    *,
    at: dt.datetime,
    public_api_url: str,
    include: frozenset[str] = frozenset(),
    webhook: bool = False,
) -> list[Wire]:
    """Invoice objects in the order given; `include` names the optional members, `at` is the organization's now.

    `webhook` keeps the nulls that REST spells otherwise (sdk-compat.md R3, R4).
    """
    bodies = await views.invoices(tx, rows, public_api_url)
    members = await _members(tx, rows, at, include, webhook)
    for row, body in zip(rows, bodies, strict=True):
        body.update((name, member(row)) for name, member in members.items())
        if row.invoice_type == "progressive_billing":
            body["applied_usage_thresholds"] = []
    return bodies


async def invoices_of_messages(
    tx: Tx, invoice_ids: Sequence[uuid.UUID], *, webhook_type: str, public_api_url: str
) -> dict[uuid.UUID, Wire]:
    """invoice -> its payload in messages of one type; all of one organization, those that are gone are absent."""
    found = await store.by_ids(tx, invoice_ids)
    rows = list(found.values())
    if not rows:
        return {}
    now = await now_of(tx, {row.organization_id for row in rows})
    bodies = await invoices(
        tx,
        rows,
        at=max(now.values()),
        public_api_url=public_api_url,
        include=MESSAGES[webhook_type],
        webhook=True,
    )
    return dict(zip(found, bodies, strict=True))


async def _members(
    tx: Tx, rows: Sequence[Invoice], at: dt.datetime, include: frozenset[str], webhook: bool
) -> dict[str, ByInvoice]:
    """How each member is found for an invoice, in the order in which they are shown."""
    ids = [row.id for row in rows]
    members: dict[str, ByInvoice] = {}
    if "customer" in include:
        known = await _customers(tx, rows, include & {"integration_customers"})
        members["customer"] = lambda row: known[row.customer_id]
    if include & {"subscriptions", "billing_periods"}:
        members.update(await _subscribed(tx, ids, at, webhook))
    if "fees" in include:
        members["fees"] = _listed(await _fees(tx, ids, webhook))
    if "credits" in include:
        members["credits"] = _listed({})
    if "metadata" in include:
        members["metadata"] = _listed(await views.metadata(tx, ids))
    if "applied_taxes" in include:
        members["applied_taxes"] = _listed(await views.applied_taxes(tx, ids))
    members.update((name, _listed({})) for name in ("error_details", "applied_invoice_custom_sections"))
    return {name: member for name, member in members.items() if name in include}


def _listed(found: Mapping[uuid.UUID, list[Any]]) -> ByInvoice:
    return lambda row: found.get(row.id, [])


async def _customers(tx: Tx, rows: Sequence[Invoice], include: frozenset[str]) -> dict[uuid.UUID, Wire]:
    found = await customer_store.by_ids(tx, list({row.customer_id for row in rows}))
    return {row.id: body for row, body in zip(found, await customers(tx, found, include=include), strict=True)}


async def _fees(tx: Tx, invoice_ids: Sequence[uuid.UUID], webhook: bool) -> dict[uuid.UUID, list[Wire]]:
    rows = await store.fees_of(tx, invoice_ids)
    found: dict[uuid.UUID, list[Wire]] = {}
    for row, body in zip(rows, await fees(tx, rows, webhook=webhook), strict=True):
        assert row.invoice_id is not None
        found.setdefault(row.invoice_id, []).append(body)
    return found


async def _subscribed(tx: Tx, invoice_ids: Sequence[uuid.UUID], at: dt.datetime, webhook: bool) -> dict[str, ByInvoice]:
    """The subscriptions of invoices and their billing periods, both by name."""
    found = await periods.of_invoices(tx, invoice_ids)
    wanted = {period.row.subscription_id for listed in found.values() for period in listed}
    rows = list(await tx.scalars(select(Subscription).where(Subscription.id.in_(wanted))))
    bodies = {row.id: body for row, body in zip(rows, await subscriptions(tx, rows, at), strict=True)}
    shown = {
        invoice_id: [bodies[key] for key in dict.fromkeys(period.row.subscription_id for period in listed)]
        for invoice_id, listed in found.items()
    }
    windows = {
        invoice_id: [periods.billing_period(period, webhook=webhook) for period in listed]
        for invoice_id, listed in found.items()
    }
    return {"subscriptions": _listed(shown), "billing_periods": _listed(windows)}
