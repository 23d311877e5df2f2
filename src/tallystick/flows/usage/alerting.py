"""Look at alerts of subscriptions: what their figures crossed since the last look is told (metering.md §10)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal

from tallystick.flows.usage.lifetime import Life
from tallystick.flows.usage.running import Running, whole_usage
from tallystick.ground import outbox
from tallystick.ground.db import Tx
from tallystick.ground.outbox import Message
from tallystick.ground.tables import Alert
from tallystick.rooms.alerts import looks
from tallystick.rooms.alerts.looks import Look
from tallystick.rooms.alerts.types import AlertType

Alerts = Mapping[uuid.UUID, Sequence[Alert]]


async def evaluate(tx: Tx, running: Sequence[Running], lives: Mapping[uuid.UUID, Life], alerts: Alerts) -> None:
    """Compare the figures of these subscriptions' locked alerts; a message for each alert that crossed something."""
    whole = await _whole(tx, running, alerts)
    found = []
    for one in running:
        for alert in alerts.get(one.subscription_id, ()):
            value = _value(alert, one, lives[one.subscription_id], whole.get(one.subscription_id))
            if value is not None:
                found.append(Look(alert, one.subscription_id, value, one.bill.occasion.at))
    triggered = await looks.take(tx, found)
    await outbox.emit(
        tx, [Message(row.organization_id, "alert.triggered", row.id, row.triggered_at) for row in triggered]
    )


async def _whole(tx: Tx, running: Sequence[Running], alerts: Alerts) -> dict[uuid.UUID, Running]:
    """Usage since the start, of metrics whose alerts look at it."""
    wanted: dict[uuid.UUID, set[uuid.UUID]] = {}
    for subscription_id, rows in alerts.items():
        for row in rows:
            if row.alert_type == AlertType.METRIC_LIFETIME_UNITS and row.billable_metric_id is not None:
                wanted.setdefault(subscription_id, set()).add(row.billable_metric_id)
    chosen = [one for one in running if one.subscription_id in wanted]
    return {one.subscription_id: one for one in await whole_usage(tx, chosen, wanted)} if chosen else {}


def _value(alert: Alert, running: Running, life: Life, whole: Running | None) -> Decimal | None:
    """The figure that the alert looks at; None when the plan does not price its metric.

    Of a metric it is that of its highest fee, not the sum.
    """
    kind = AlertType(alert.alert_type)
    if kind is AlertType.CURRENT_AMOUNT:
        return Decimal(life.usage.current_cents)
    if kind is AlertType.LIFETIME_AMOUNT:
        return Decimal(life.usage.total_cents)
    looked_at = whole if kind is AlertType.METRIC_LIFETIME_UNITS else running
    if looked_at is None or alert.billable_metric_id is None:
        return None
    fees = looked_at.fees_of(alert.billable_metric_id)
    if kind is AlertType.METRIC_AMOUNT:
        return max((Decimal(fee.amount_cents) for fee in fees), default=None)
    return max((fee.units for fee in fees), default=None)
