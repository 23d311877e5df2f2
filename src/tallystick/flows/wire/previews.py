"""Wire JSON of previewed invoices: the object of an invoice of which nothing is stored (api.md §15.18).

Ids of what does not exist are throw-away ones, and fees have none (sdk-compat.md R6).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from tallystick.core.invoice import FeeDraft, with_taxes
from tallystick.core.money import ZERO, from_cents
from tallystick.flows.billing.preview.look import Look
from tallystick.flows.billing.preview.scenes import Entry
from tallystick.flows.wire.customers import WEBHOOK, customers
from tallystick.flows.wire.subscriptions import subscriptions
from tallystick.ground.db import Tx
from tallystick.ground.tables import BillingEntity, Invoice, Subscription
from tallystick.ground.wire import dec, dt3_or_none, dt_, num
from tallystick.rooms.invoices import credits, unstored, views
from tallystick.rooms.invoices import fees as fee_views
from tallystick.rooms.invoices import store as invoice_store
from tallystick.rooms.subscriptions import store
from tallystick.rooms.subscriptions import views as subscription_views
from tallystick.rooms.subscriptions.views import Names

Wire = dict[str, Any]


async def preview(tx: Tx, seen: Look, at: dt.datetime, public_api_url: str) -> Wire:
    """The invoice object of a preview."""
    document = seen.document
    (body,) = await views.invoices(tx, [unstored.header(document)], public_api_url)
    (customer,) = await customers(tx, [seen.payer.row], include=WEBHOOK)
    rows = unstored.credits(document)
    return {
        **body,
        "number": "",
        "sequential_id": None,
        "web_url": None,
        "customer": customer,
        "subscriptions": await _subscriptions(tx, seen, at),
        "fees": await _fees(tx, seen),
        "credits": await credits.of_unstored(tx, rows, document.payment_status, seen.items),
        "applied_taxes": [views.applied_tax(row) for row in unstored.taxes(document)],
    }


async def again(tx: Tx, invoice: Invoice, fees: Sequence[FeeDraft]) -> list[Wire]:
    """Lines of a voided invoice as they would be made once more, under the ids that they have."""
    rows = {row.id: row for row in await invoice_store.fees_of(tx, [invoice.id])}
    bodies = await fee_views.fees(tx, list(rows.values()))
    new = {fee.original_id: with_taxes(fee).taxes for fee in fees}
    found = []
    for row, body in zip(rows.values(), bodies, strict=True):
        taxes = new[row.original_fee_id or row.id]
        found.append(
            {
                **body,
                "taxes_amount_cents": taxes.amount_cents,
                "taxes_precise_amount": dec(from_cents(taxes.precise_amount_cents, row.currency)),
                "taxes_rate": num(taxes.rate),
                "total_amount_cents": row.amount_cents + taxes.amount_cents,
                "precise_total_amount": dec(
                    from_cents(row.precise_amount_cents + taxes.precise_amount_cents, row.currency)
                ),
                "precise_coupons_amount_cents": dec(ZERO),
                "sub_total_excluding_taxes_amount_cents": row.amount_cents,
                "sub_total_excluding_taxes_precise_amount_cents": dec(row.precise_amount_cents),
            }
        )
    return found


async def _fees(tx: Tx, seen: Look) -> list[Wire]:
    # in the order in which a stored invoice shows them
    rows = sorted(unstored.fees(seen.document), key=lambda row: row.id)
    plans = {entry.contract.subscription_id: entry.contract.plan.id for entry in seen.entries}
    external_ids = {entry.contract.subscription_id: entry.contract.external_id for entry in seen.entries}
    payer = seen.payer.row
    return [
        {
            **body,
            "lago_id": None,
            "lago_true_up_fee_id": None,
            "lago_true_up_parent_fee_id": None,
            "external_subscription_id": external_ids.get(row.subscription_id) if row.subscription_id else None,
            "lago_customer_id": payer.id,
            "external_customer_id": payer.external_id,
            "self_billed": seen.payer.terms.self_billed,
        }
        for row, body in zip(rows, await fee_views.unstored(tx, rows, plans), strict=True)
    ]


async def _subscriptions(tx: Tx, seen: Look, at: dt.datetime) -> list[Wire]:
    """Stored rows as they would be then, and those that would come to be."""
    ids = [entry.contract.subscription_id for entry in seen.entries if entry.stored]
    rows = await store.by_ids(tx, ids)
    stored = {row.id: body for row, body in zip(rows, await subscriptions(tx, rows, at), strict=True)}
    issuer = await tx.scalar(select(BillingEntity.code).where(BillingEntity.id == seen.document.issuer.id))
    return [_subscription(entry, stored, seen, str(issuer), at) for entry in seen.entries]


def _subscription(
    entry: Entry, stored: Mapping[uuid.UUID, Wire], seen: Look, issuer_code: str, at: dt.datetime
) -> Wire:
    contract = entry.contract
    if not entry.stored:
        return _coming(entry, seen, issuer_code, at)
    then = {
        "status": contract.status,
        "started_at": dt3_or_none(contract.started_at),
        "terminated_at": dt_(contract.terminated_at) if contract.terminated_at else None,
    }
    return {**stored[contract.subscription_id], **then}


def _coming(entry: Entry, seen: Look, issuer_code: str, at: dt.datetime) -> Wire:
    contract = entry.contract
    previous = next((other for other in seen.entries if other is not entry), None)
    names = Names(
        external_customer_id=seen.payer.row.external_id,
        billing_entity_code=issuer_code,
        plan_code=contract.plan.code,
        plan_amount_cents=contract.plan.amount_cents,
        plan_amount_currency=contract.plan.currency,
        previous_plan_code=previous.contract.plan.code if previous else None,
    )
    row = Subscription(
        id=contract.subscription_id,
        customer_id=seen.payer.row.id,
        external_id=contract.external_id,
        status=contract.status,
        billing_time=contract.billing_time.value,
        subscription_at=contract.subscription_at,
        started_at=contract.started_at,
        activated_at=contract.started_at,
        ending_at=contract.ending_at,
        on_termination_credit_note="credit" if contract.plan.pay_in_advance else None,
        on_termination_invoice="generate",
        consolidate_invoice=contract.consolidate_invoice,
        progressive_billing_disabled=False,
        purchase_order_number=contract.purchase_order_number,
        payment_method_type="provider",
        created_at=at,
    )
    return subscription_views.unstored(row, names, contract.schedule, at)
