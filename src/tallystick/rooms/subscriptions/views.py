"""Wire JSON of subscriptions in the field order of webhooks.md §4.6. Members of other rooms: flows/wire."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tallystick.core.periods import Schedule
from tallystick.core.windows import current_windows
from tallystick.ground.db import Tx, load_query
from tallystick.ground.tables import Subscription
from tallystick.ground.wire import dt3_or_none, dt_, dt_or_none
from tallystick.rooms.subscriptions.terms import Terms, terms_of

_SHOWN = load_query(__file__, "shown")


@dataclass(frozen=True, slots=True)
class Names:
    """What a subscription shows of its customer, its issuer, its plan and its neighbours in the chain."""

    external_customer_id: str
    billing_entity_code: str
    plan_code: str
    plan_amount_cents: int
    plan_amount_currency: str
    previous_plan_code: str | None = None
    next_plan_code: str | None = None
    next_status: str | None = None


#: stands before the optional members `plan`, `usage_threshold` and `applicable_usage_thresholds`
PAYMENT_METHOD = "payment_method"
RULES = "activation_rules"

#: first and last instant of a period
Bounds = tuple[dt.datetime | None, dt.datetime | None]


async def subscriptions(
    tx: Tx, rows: Sequence[Subscription], at_of: Mapping[uuid.UUID, dt.datetime]
) -> list[dict[str, Any]]:
    """Subscription objects in the order given, each as of its instant: its running period, its next plan's date."""
    ids = [row.id for row in rows]
    terms = await terms_of(tx, ids)
    names = {subscription_id: Names(*shown) for subscription_id, *shown in await tx.execute(_SHOWN, {"ids": ids})}
    return [_of_terms(row, names[row.id], terms[row.id], at_of[row.id]) for row in rows]


def _of_terms(row: Subscription, names: Names, terms: Terms, at: dt.datetime) -> dict[str, Any]:
    period = _current_period(terms.schedule, terms.started_at, terms.terminated_at, at)
    return _subscription(row, names, period, _downgrade_date(names, terms, at))


def unstored(row: Subscription, names: Names, schedule: Schedule, at: dt.datetime) -> dict[str, Any]:
    """A subscription that is not stored, as of `at`."""
    return _subscription(row, names, _current_period(schedule, row.started_at, row.terminated_at, at), None)


def _subscription(row: Subscription, names: Names, period: Bounds, downgrade_on: str | None) -> dict[str, Any]:
    started_at, ending_at = period
    return {
        "lago_id": row.id,
        "external_id": row.external_id,
        "lago_customer_id": row.customer_id,
        "external_customer_id": names.external_customer_id,
        "billing_entity_code": names.billing_entity_code,
        "name": row.name,
        "plan_code": names.plan_code,
        "plan_amount_cents": names.plan_amount_cents,
        "plan_amount_currency": names.plan_amount_currency,
        "status": row.status,
        "billing_time": row.billing_time,
        "subscription_at": dt_(row.subscription_at),
        "started_at": dt3_or_none(row.started_at),
        "trial_ended_at": dt_or_none(row.trial_ended_at),
        "ending_at": dt_or_none(row.ending_at),
        "terminated_at": dt_or_none(row.terminated_at),
        "canceled_at": dt_or_none(row.canceled_at),
        "created_at": dt_(row.created_at),
        "previous_plan_code": names.previous_plan_code,
        "next_plan_code": names.next_plan_code,
        "downgrade_plan_date": downgrade_on,
        "current_billing_period_started_at": dt_or_none(started_at),
        "current_billing_period_ending_at": dt_or_none(ending_at),
        "on_termination_credit_note": row.on_termination_credit_note,
        "on_termination_invoice": row.on_termination_invoice,
        "progressive_billing_disabled": row.progressive_billing_disabled,
        "consolidate_invoice": row.consolidate_invoice,
        "purchase_order_number": row.purchase_order_number,
        "cancellation_reason": row.cancellation_reason,
        "activated_at": dt_or_none(row.activated_at),
        PAYMENT_METHOD: {
            "payment_method_id": row.payment_method_id,
            "payment_method_type": row.payment_method_type,
        },
        RULES: [],
    }


def _current_period(
    schedule: Schedule, started_at: dt.datetime | None, terminated_at: dt.datetime | None, at: dt.datetime
) -> Bounds:
    """First and last instant of the usage window that runs at `at` (subscriptions.md §3.6); none before the start."""
    if started_at is None:
        return None, None
    window = current_windows(schedule, started_at, terminated_at, at).charges
    assert window is not None, "a started row always has a usage window"
    return window.start_at, max(window.last_at, window.start_at)


def _downgrade_date(names: Names, terms: Terms, at: dt.datetime) -> str | None:
    if terms.status != "active" or names.next_status != "pending":
        return None
    return terms.next_period_on(at).isoformat()
