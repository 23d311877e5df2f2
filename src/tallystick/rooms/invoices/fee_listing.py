"""The list of fees with its filters (api.md §6). Checks of what callers send are the door's work."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Select, exists, select

from tallystick.ground.tables import BillableMetric, Charge, Customer, Fee, Subscription
from tallystick.rooms.invoices.store import shown_fee

TYPES = ("charge", "add_on", "subscription", "credit", "commitment", "fixed_charge", "product")
PAYMENT_STATUSES = ("pending", "succeeded", "failed", "refunded")
#: instants that a list can be narrowed by
INSTANTS = {
    "created_at": Fee.created_at,
    "succeeded_at": Fee.succeeded_at,
    "failed_at": Fee.failed_at,
    "refunded_at": Fee.refunded_at,
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None lets everything through. `since` and `until` are by name of `INSTANTS`."""

    external_customer_id: str | None = None
    external_subscription_id: str | None = None
    billable_metric_code: str | None = None
    currency: str | None = None
    fee_type: str | None = None
    payment_status: str | None = None
    event_transaction_id: str | None = None
    since: Mapping[str, dt.datetime] = field(default_factory=dict)
    until: Mapping[str, dt.datetime] = field(default_factory=dict)


def listing(organization_id: uuid.UUID, filters: Filters) -> Select[Fee]:
    """Fees, the oldest first."""
    statement = select(Fee).where(Fee.organization_id == organization_id, shown_fee(), *_conditions(filters))
    return statement.order_by(Fee.created_at, Fee.id)


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    for wanted, column in (
        (filters.currency, Fee.currency),
        (filters.fee_type, Fee.fee_type),
        (filters.payment_status, Fee.payment_status),
        (filters.event_transaction_id, Fee.event_transaction_id),
    ):
        if wanted is not None:
            yield column == wanted
    if filters.external_customer_id is not None:
        yield exists().where(Customer.id == Fee.customer_id, Customer.external_id == filters.external_customer_id)
    if filters.external_subscription_id is not None:
        yield exists().where(
            Subscription.id == Fee.subscription_id, Subscription.external_id == filters.external_subscription_id
        )
    if filters.billable_metric_code is not None:
        yield exists().where(
            Charge.id == Fee.charge_id,
            BillableMetric.id == Charge.billable_metric_id,
            BillableMetric.code == filters.billable_metric_code,
        )
    for name, moment in filters.since.items():
        yield INSTANTS[name] >= moment
    for name, moment in filters.until.items():
        yield INSTANTS[name] <= moment
