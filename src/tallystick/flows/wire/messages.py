"""What each webhook message carries: type -> payload key, kind of subject and renderer (webhooks.md §2).

Not for delivery (rooms/webhooks) and not for when a message is sent: whoever changes the state writes the outbox row.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import structlog
from sqlalchemy import select

from tallystick.flows.wire import alerts as alert_wire
from tallystick.flows.wire import credit_notes as note_wire
from tallystick.flows.wire import customers as customer_wire
from tallystick.flows.wire import fees as fee_wire
from tallystick.flows.wire import invoices as invoice_wire
from tallystick.flows.wire import payment_requests as request_wire
from tallystick.flows.wire import plans as plan_wire
from tallystick.flows.wire import subscriptions as subscription_wire
from tallystick.flows.wire import wallets as wallet_wire
from tallystick.ground.db import Tx
from tallystick.ground.tables import (
    BillableMetric,
    Customer,
    OutboxMessage,
    Plan,
    Subscription,
    Wallet,
    WalletTransaction,
)
from tallystick.rooms.catalog import views as catalog_views
from tallystick.rooms.webhooks.ports import Rendered, Renderer

log = structlog.get_logger(__name__)

#: subject id -> instant of its message, made into objects by id, in one go; ids that name nothing any more are absent
Objects = Callable[[Tx, Mapping[uuid.UUID, dt.datetime]], Awaitable[Mapping[uuid.UUID, Mapping[str, Any]]]]


@dataclass(frozen=True, slots=True)
class Content:
    """What a type carries: the payload's key, the class-like subject (§1.7), and how objects are made of subject ids.

    The options of an outbox row are members of its object; without `objects` they are all of it.
    """

    key: str
    subject_kind: str
    objects: Objects | None = None


class _Identified(Protocol):
    id: Any


Row = TypeVar("Row", bound=_Identified)
Bodies = Callable[[Tx, Sequence[Row]], Awaitable[Sequence[Mapping[str, Any]]]]


def rows_of(table: type[Row], bodies: Bodies[Row]) -> Objects:
    """Objects made of a table's rows, deleted ones included: subjects stay renderable (webhooks.md §1.1)."""

    async def objects(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime]) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        rows: Sequence[Row] = list(await tx.scalars(select(table).where(table.id.in_(list(at_of))).order_by(table.id)))
        return dict(zip((row.id for row in rows), await bodies(tx, rows), strict=True))

    return objects


async def _metrics(tx: Tx, rows: Sequence[BillableMetric]) -> list[dict[str, Any]]:
    return [catalog_views.metric(row) for row in rows]


def _subscriptions(include: frozenset[str]) -> Objects:
    async def objects(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime]) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        rows = list(await tx.scalars(select(Subscription).where(Subscription.id.in_(list(at_of)))))
        bodies = await subscription_wire.subscriptions_each(tx, rows, at_of, include=include)
        return {row.id: body for row, body in zip(rows, bodies, strict=True)}

    return objects


_CUSTOMER = Content(
    "customer", "Customer", rows_of(Customer, partial(customer_wire.customers, include=customer_wire.WEBHOOK))
)
_METRIC = Content("billable_metric", "BillableMetric", rows_of(BillableMetric, _metrics))
_PLAN = Content("plan", "Plan", rows_of(Plan, partial(plan_wire.plans, include=plan_wire.WEBHOOK)))
_DELETED_PLAN = Content("plan", "Plan", rows_of(Plan, partial(plan_wire.plans, include=plan_wire.DELETED)))
_SUBSCRIPTION = Content("subscription", "Subscription", _subscriptions(subscription_wire.WEBHOOK))
_PASSED = Content("subscription", "Subscription", _subscriptions(subscription_wire.WEBHOOK_OF_THRESHOLD))
_ENTITLED = Content("subscription", "Subscription", _subscriptions(subscription_wire.WEBHOOK_WITH_ENTITLEMENTS))
_WALLET = Content("wallet", "Wallet", rows_of(Wallet, wallet_wire.wallets_of_messages))
_WALLET_TRANSACTION = Content(
    "wallet_transaction", "WalletTransaction", rows_of(WalletTransaction, wallet_wire.transactions_of_messages)
)

CONTENTS: Mapping[str, Content] = {
    "alert.triggered": Content("triggered_alert", "TriggeredAlert", alert_wire.triggered_alerts),
    "billable_metric.created": _METRIC,
    "billable_metric.deleted": _METRIC,
    "billable_metric.updated": _METRIC,
    "credit_note.refund_failure": Content("credit_note_payment_provider_refund_error", "CreditNote"),
    "customer.created": _CUSTOMER,
    "customer.updated": _CUSTOMER,
    "customer.vies_check": _CUSTOMER,
    "events.errors": Content("events_errors", "Organization"),
    "fee.created": Content("fee", "Fee", fee_wire.fees_of_messages),
    "invoice.payment_failure": Content("payment_provider_invoice_payment_error", "Invoice"),
    "plan.created": _PLAN,
    "plan.deleted": _DELETED_PLAN,
    "plan.updated": _PLAN,
    "subscription.canceled": _SUBSCRIPTION,
    "subscription.incomplete": _SUBSCRIPTION,
    "subscription.started": _ENTITLED,
    "subscription.terminated": _SUBSCRIPTION,
    "subscription.termination_alert": _SUBSCRIPTION,
    "subscription.trial_ended": _SUBSCRIPTION,
    "subscription.updated": _ENTITLED,
    "subscription.usage_threshold_reached": _PASSED,
    "wallet.created": _WALLET,
    "wallet.terminated": _WALLET,
    "wallet.updated": _WALLET,
    "wallet_transaction.created": _WALLET_TRANSACTION,
    "wallet_transaction.updated": _WALLET_TRANSACTION,
}


def contents_at(public_api_url: str) -> Mapping[str, Content]:
    """All contents, those too that hold links into this installation."""
    invoices = {
        name: Content(
            "invoice",
            "Invoice",
            partial(invoice_wire.invoices_of_messages, webhook_type=name, public_api_url=public_api_url),
        )
        for name in invoice_wire.MESSAGES
    }
    notes = {
        name: Content(
            "credit_note",
            "CreditNote",
            partial(note_wire.credit_notes_of_messages, webhook_type=name, public_api_url=public_api_url),
        )
        for name in note_wire.MESSAGES
    }
    requests = partial(request_wire.payment_requests_of_messages, public_api_url=public_api_url)
    disputed = invoices["invoice.payment_dispute_lost"].objects
    assert disputed is not None
    dispute = Content("payment_dispute_lost", "Invoice", _under("invoice", disputed))
    return {
        **CONTENTS,
        **invoices,
        **notes,
        "invoice.payment_dispute_lost": dispute,
        "payment_request.created": Content("payment_request", "PaymentRequest", requests),
    }


def _under(key: str, objects: Objects) -> Objects:
    """The same objects, each as the only member of another one."""

    async def wrapped(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime]) -> Mapping[uuid.UUID, Mapping[str, Any]]:
        return {subject_id: {key: body} for subject_id, body in (await objects(tx, at_of)).items()}

    return wrapped


def renderer_at(public_api_url: str) -> Renderer:
    """The renderer of an installation that is reached under this address."""
    return partial(render, contents=contents_at(public_api_url))


async def render(tx: Tx, rows: Sequence[OutboxMessage], contents: Mapping[str, Content] = CONTENTS) -> list[Rendered]:
    """The rows with their objects, in order; each type is rendered once for all its subjects.

    A subject that does not exist any more is left out. KeyError for a type that has no content.
    """
    found = {
        webhook_type: await _objects(
            tx, contents[webhook_type], [row for row in rows if row.webhook_type == webhook_type]
        )
        for webhook_type in dict.fromkeys(row.webhook_type for row in rows)
    }
    rendered = []
    for row in rows:
        content, made = contents[row.webhook_type], found[row.webhook_type].get(row.subject_id)
        if made is None:
            log.warning("subject of a message is gone", webhook_type=row.webhook_type, subject_id=str(row.subject_id))
        else:
            rendered.append(Rendered(row, content.key, content.subject_kind, {**made, **row.options}))
    return rendered


async def _objects(tx: Tx, content: Content, rows: Sequence[OutboxMessage]) -> Mapping[uuid.UUID, Mapping[str, Any]]:
    at_of = {row.subject_id: row.at for row in rows}
    return {key: {} for key in at_of} if content.objects is None else await content.objects(tx, at_of)
