"""What can be done with subscription rows: add, activate, terminate, cancel, edit (subscriptions.md §2).

Who else must hear of it (billing, the agenda, webhooks) is decided by `flows/lifecycle/subscriptions`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotAllowed, NotFound
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Plan, Subscription
from tallystick.rooms.subscriptions import store

Fields = Mapping[str, Any]
Moves = Iterable[tuple[Subscription, dt.datetime]]

CREDIT_NOTE_MODES = ("credit", "skip", "refund", "offset")
INVOICE_MODES = ("generate", "skip")
#: what a new row of a chain takes over from the row before, unless the request says otherwise (§2.5)
INHERITED = ("ending_at", "consolidate_invoice", "purchase_order_number", "billing_entity_id")
#: columns that callers set, with what a null makes of them
_DEFAULTS: Fields = {
    "name": None,
    "ending_at": None,
    "progressive_billing_disabled": False,
    "consolidate_invoice": True,
    "purchase_order_number": None,
    "skip_invoice_custom_sections": False,
    "payment_method_type": "provider",
    "payment_method_id": None,
    "billing_entity_id": None,
    "on_termination_invoice": "generate",
}


async def find(tx: Tx, organization_id: uuid.UUID, external_id: str, status: str) -> Subscription:
    """The row that a read takes (api.md §7); 404 `subscription_not_found`, also for an unknown status."""
    row = await store.shown(tx, organization_id, external_id, status) if status in store.STATUSES else None
    if row is None:
        raise NotFound("subscription")
    return row


async def find_edited(tx: Tx, organization_id: uuid.UUID, external_id: str, status: str | None) -> Subscription:
    """The row that an update takes (api.md §7); 404 `subscription_not_found`, also for an unknown status."""
    unknown = status is not None and status not in store.STATUSES
    row = None if unknown else await store.edited(tx, organization_id, external_id, status)
    if row is None:
        raise NotFound("subscription")
    return row


async def add(
    tx: Tx,
    at: dt.datetime,
    fields: Fields,
    *,
    customer_id: uuid.UUID,
    plan: Plan,
    external_id: str,
    previous: Subscription | None = None,
) -> Subscription:
    """A pending row; with `previous` one that goes on with its anchor, its billing time and what is inherited."""
    row = Subscription(
        id=new_id(),
        organization_id=plan.organization_id,
        customer_id=customer_id,
        plan_id=plan.id,
        external_id=external_id,
        status="pending",
        billing_time=fields.get("billing_time") or "calendar",
        subscription_at=fields.get("subscription_at") or at,
        created_at=at,
    )
    if previous is not None:
        row.previous_subscription_id = previous.id
        row.billing_time, row.subscription_at = previous.billing_time, previous.subscription_at
        fields = {**{name: getattr(previous, name) for name in INHERITED}, **fields}
    for name, default in _DEFAULTS.items():
        setattr(row, name, default)
    row.on_termination_credit_note = None
    edit(row, plan, {key: value for key, value in fields.items() if value is not None}, at)
    tx.add(row)
    await tx.flush()
    return row


def edit(row: Subscription, plan: Plan, fields: Fields, at: dt.datetime) -> None:
    """Set the given columns; `on_termination_credit_note` counts on advance plans only (§2.1, §2.7)."""
    for name, default in _DEFAULTS.items():
        if name in fields:
            setattr(row, name, default if fields[name] is None else fields[name])
    mode = fields.get("on_termination_credit_note") or row.on_termination_credit_note or "credit"
    row.on_termination_credit_note = mode if plan.pay_in_advance else None
    row.updated_at = at


def activate(moves: Moves, at_of: Mapping[uuid.UUID, dt.datetime]) -> None:
    """Rows run from the instants given; `at_of` says when that was decided."""
    for row, started_at in moves:
        row.status = "active"
        row.started_at = started_at
        row.activated_at = row.updated_at = at_of[row.id]


def terminate(moves: Moves, *, replaced_by: str | None = None) -> None:
    """Active rows end at the instants given; `replaced_by` an upgrade or a downgrade, if another row takes over."""
    for row, at in moves:
        row.status = "terminated"
        row.terminated_at = row.updated_at = at
        row.replaced_by = replaced_by


def cancel(moves: Moves) -> None:
    """Pending rows will not start."""
    for row, at in moves:
        row.status = "canceled"
        row.canceled_at = row.updated_at = at


def end_trials(moves: Moves) -> None:
    """Trials are over since the instants given."""
    for row, ended_at in moves:
        row.trial_ended_at = ended_at


def note_alerts(dates: Iterable[tuple[Subscription, dt.date]]) -> None:
    """The ends of these rows were announced on these UTC dates."""
    for row, on in dates:
        row.termination_alerted_on = on


def check_ending(ending_at: dt.datetime | None, subscription_at: dt.datetime, at: dt.datetime) -> None:
    """422 unless the UTC date of the end lies after today's and after the start's (§2.1)."""
    if ending_at is not None and _utc_date(ending_at) <= max(_utc_date(at), _utc_date(subscription_at)):
        raise Invalid.field("ending_at", "invalid_date")


def check_order_number(row: Subscription, fields: Fields) -> None:
    """405 when the purchase order of a row that is over is to change (§2.7)."""
    if "purchase_order_number" not in fields or row.status in ("pending", "active"):
        return
    if fields["purchase_order_number"] != row.purchase_order_number:
        raise NotAllowed("purchase_order_number_not_editable")


def check_thresholds(fields: Fields) -> None:
    """422 when thresholds are given for the subscription and for its plan (§2.3)."""
    of_plan = (fields.get("plan_overrides") or {}).get("usage_thresholds")
    if fields.get("usage_thresholds") is not None and of_plan is not None:
        both = ("usage_thresholds", "plan_overrides.usage_thresholds")
        raise Invalid({name: ["incompatible_params"] for name in both})


def payment_method(fields: Fields) -> dict[str, Any]:
    """The columns that `payment_method` asks for; 422 `invalid_payment_method`.

    No payment method is known yet, so an id names none.
    """
    if "payment_method" not in fields:
        return {}
    asked = fields["payment_method"] or {}
    kind = asked.get("payment_method_type") or "provider"
    if kind not in ("provider", "manual") or asked.get("payment_method_id"):
        raise Invalid.field("payment_method", "invalid_payment_method")
    return {"payment_method_type": kind, "payment_method_id": None}


def _utc_date(at: dt.datetime) -> dt.date:
    return at.astimezone(dt.UTC).date()
