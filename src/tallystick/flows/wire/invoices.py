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
from tallystick.flows.wire.subscriptions import subscriptions_each
from tallystick.flows.wire.thresholds import applied_thresholds
from tallystick.ground.db import Tx
from tallystick.ground.tables import Invoice, Subscription
from tallystick.rooms.customers import store as customer_store
from tallystick.rooms.invoices import credits, periods, sections, store, views
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
#: what documents are made from: the subscriptions have their plans, the coupons their rates, the fees their taxes
DRAWN = SINGLE | {"plans", "coupon_rates", "fee_taxes"}

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
    "invoice.payment_dispute_lost": frozenset({"customer"}),
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
) -> list[Wire]:
    """Invoice objects in the order given, as REST shows them at `at`; `include` names the optional members."""
    at_of = dict.fromkeys((row.id for row in rows), at)
    return await _rendered(tx, rows, at_of, public_api_url, include, webhook=False)


async def invoices_of_messages(
    tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime], *, webhook_type: str, public_api_url: str
) -> dict[uuid.UUID, Wire]:
    """invoice -> its payload in messages of one type, each as of its instant; those that are gone are absent."""
    found = await store.by_ids(tx, list(at_of))
    rows = list(found.values())
    bodies = await _rendered(tx, rows, at_of, public_api_url, MESSAGES[webhook_type], webhook=True)
    return dict(zip(found, bodies, strict=True))


async def _rendered(
    tx: Tx,
    rows: Sequence[Invoice],
    at_of: Mapping[uuid.UUID, dt.datetime],
    public_api_url: str,
    include: frozenset[str],
    *,
    webhook: bool,
) -> list[Wire]:
    """`webhook` keeps the nulls that REST spells otherwise (sdk-compat.md R3, R4)."""
    bodies = await views.invoices(tx, rows, public_api_url)
    members = await _members(tx, rows, at_of, include, webhook)
    applied = await applied_thresholds(tx, rows)
    for row, body in zip(rows, bodies, strict=True):
        body.update((name, member(row)) for name, member in members.items())
        if row.invoice_type == "progressive_billing":
            body["applied_usage_thresholds"] = applied.get(row.id, [])
    return bodies


async def _members(
    tx: Tx, rows: Sequence[Invoice], at_of: Mapping[uuid.UUID, dt.datetime], include: frozenset[str], webhook: bool
) -> dict[str, ByInvoice]:
    """How each member is found for an invoice, in the order in which they are shown."""
    ids = [row.id for row in rows]
    members: dict[str, ByInvoice] = {}
    if "customer" in include:
        known = await _customers(tx, rows, include & {"integration_customers"})
        members["customer"] = lambda row: known[row.customer_id]
    if include & {"subscriptions", "billing_periods"}:
        found = await periods.of_invoices(tx, ids)
        members["subscriptions"] = _listed(await _subscriptions(tx, found, at_of, with_plans="plans" in include))
        members["billing_periods"] = _listed(
            {key: [periods.billing_period(period, webhook=webhook) for period in own] for key, own in found.items()}
        )
    if "fees" in include:
        members["fees"] = _listed(await _fees(tx, ids, webhook, "fee_taxes" in include))
    if "credits" in include:
        members["credits"] = _listed(await credits.of_invoices(tx, ids, with_rates="coupon_rates" in include))
    if "metadata" in include:
        members["metadata"] = _listed(await views.metadata(tx, ids))
    if "applied_taxes" in include:
        members["applied_taxes"] = _listed(await views.applied_taxes(tx, ids))
    members["error_details"] = _listed({})
    if "applied_invoice_custom_sections" in include:
        members["applied_invoice_custom_sections"] = _listed(await sections.of_invoices(tx, ids))
    return {name: member for name, member in members.items() if name in include}


def _listed(found: Mapping[uuid.UUID, list[Any]]) -> ByInvoice:
    return lambda row: found.get(row.id, [])


async def _customers(tx: Tx, rows: Sequence[Invoice], include: frozenset[str]) -> dict[uuid.UUID, Wire]:
    found = await customer_store.by_ids(tx, list({row.customer_id for row in rows}))
    return {row.id: body for row, body in zip(found, await customers(tx, found, include=include), strict=True)}


async def _fees(
    tx: Tx, invoice_ids: Sequence[uuid.UUID], webhook: bool, with_taxes: bool
) -> dict[uuid.UUID, list[Wire]]:
    rows = await store.fees_of(tx, invoice_ids)
    found: dict[uuid.UUID, list[Wire]] = {}
    for row, body in zip(rows, await fees(tx, rows, webhook=webhook, with_taxes=with_taxes), strict=True):
        assert row.invoice_id is not None
        found.setdefault(row.invoice_id, []).append(body)
    return found


async def _subscriptions(
    tx: Tx,
    found: Mapping[uuid.UUID, list[periods.Period]],
    at_of: Mapping[uuid.UUID, dt.datetime],
    *,
    with_plans: bool,
) -> dict[uuid.UUID, list[Wire]]:
    """The subscriptions of invoices by name; one of several invoices is shown as of the latest."""
    shown_at: dict[uuid.UUID, dt.datetime] = {}
    for invoice_id, own in found.items():
        for key in (period.row.subscription_id for period in own):
            shown_at[key] = max(shown_at.get(key, at_of[invoice_id]), at_of[invoice_id])
    rows = list(await tx.scalars(select(Subscription).where(Subscription.id.in_(list(shown_at)))))
    include = frozenset({"plan"}) if with_plans else frozenset[str]()
    rendered = await subscriptions_each(tx, rows, shown_at, include=include)
    bodies = {row.id: body for row, body in zip(rows, rendered, strict=True)}
    return {
        invoice_id: [bodies[key] for key in dict.fromkeys(period.row.subscription_id for period in own)]
        for invoice_id, own in found.items()
    }
