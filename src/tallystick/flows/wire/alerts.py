"""Wire JSON of alerts and of what they told (api.md §15.25, webhooks.md §3.19). Changes nothing."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from tallystick.ground.db import Tx
from tallystick.ground.tables import Alert, BillableMetric, Customer, Subscription, TriggeredAlert
from tallystick.ground.wire import dec, dt_, dt_or_none
from tallystick.rooms.alerts import store
from tallystick.rooms.alerts.types import AlertType
from tallystick.rooms.catalog import views as catalog_views

Wire = dict[str, Any]


async def alerts(tx: Tx, rows: Sequence[Alert]) -> list[Wire]:
    """Alert objects in the order given, with their thresholds and metrics."""
    thresholds = await store.thresholds_of(tx, [row.id for row in rows])
    wanted = select(BillableMetric).where(BillableMetric.id.in_({row.billable_metric_id for row in rows}))
    metrics = {metric.id: catalog_views.metric(metric) for metric in await tx.scalars(wanted)}
    return [
        {
            "lago_id": row.id,
            "lago_organization_id": row.organization_id,
            "subscription_external_id": row.external_subscription_id,
            "external_subscription_id": row.external_subscription_id,
            "lago_wallet_id": None,
            "wallet_code": None,
            "alert_type": row.alert_type,
            "code": row.code,
            "name": row.name,
            "direction": AlertType(row.alert_type).direction.value,
            "previous_value": dec(row.previous_value),
            "last_processed_at": dt_or_none(row.last_processed_at),
            "thresholds": [
                {"code": one.code, "value": dec(one.value), "recurring": one.recurring}
                for one in thresholds.get(row.id, ())
            ],
            "created_at": dt_(row.created_at),
            "billable_metric": metrics.get(row.billable_metric_id) if row.billable_metric_id else None,
        }
        for row in rows
    ]


async def triggered_alerts(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime]) -> dict[uuid.UUID, Wire]:
    """id -> the payload of `alert.triggered`; one query, deleted alerts included."""
    statement = (
        select(TriggeredAlert, Alert, Subscription, Customer.external_id, BillableMetric.code)
        .join(Alert, Alert.id == TriggeredAlert.alert_id)
        .join(Subscription, Subscription.id == TriggeredAlert.subscription_id)
        .join(Customer, Customer.id == Subscription.customer_id)
        .outerjoin(BillableMetric, BillableMetric.id == Alert.billable_metric_id)
        .where(TriggeredAlert.id.in_(list(at_of)))
    )
    found = {}
    for row, alert, subscription, external_customer_id, metric_code in await tx.execute(statement):
        found[row.id] = {
            "lago_id": row.id,
            "lago_organization_id": row.organization_id,
            "lago_alert_id": alert.id,
            "lago_subscription_id": subscription.id,
            "external_subscription_id": subscription.external_id,
            "lago_wallet_id": None,
            "external_customer_id": external_customer_id,
            "billable_metric_code": metric_code,
            "alert_name": alert.name,
            "alert_code": alert.code,
            "alert_type": alert.alert_type,
            "current_value": dec(row.current_value),
            "previous_value": dec(row.previous_value),
            "crossed_thresholds": row.crossed_thresholds,
            "triggered_at": dt_(row.triggered_at),
            "subscription_external_id": subscription.external_id,
            "customer_external_id": external_customer_id,
        }
    return found
