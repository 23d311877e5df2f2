"""SQL of the alerts room; with verbs.py and looks.py the only writer of its tables."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import Select, delete, select, tuple_

from tallystick.ground.db import Tx
from tallystick.ground.tables import Alert, AlertThreshold, Subscription


def listing(organization_id: uuid.UUID, external_subscription_id: str) -> Select[Alert]:
    """Live alerts of a chain, newest first (api.md §6)."""
    statement = select(Alert).where(
        Alert.organization_id == organization_id,
        Alert.external_subscription_id == external_subscription_id,
        Alert.deleted_at.is_(None),
    )
    return statement.order_by(Alert.created_at.desc(), Alert.id)


async def by_code(
    tx: Tx, organization_id: uuid.UUID, external_subscription_id: str, code: str, *, lock: bool = False
) -> Alert | None:
    """A live alert of a chain; `lock` keeps it for a change."""
    statement = listing(organization_id, external_subscription_id).where(Alert.code == code)
    return (await tx.scalars(statement.with_for_update() if lock else statement)).one_or_none()


async def same(tx: Tx, alert: Alert) -> Alert | None:
    """Another live alert of the same chain, type and metric."""
    statement = listing(alert.organization_id, alert.external_subscription_id).where(
        Alert.id != alert.id,
        Alert.alert_type == alert.alert_type,
        Alert.billable_metric_id.is_not_distinct_from(alert.billable_metric_id),
    )
    return (await tx.scalars(statement.limit(1))).first()


async def thresholds_of(tx: Tx, alert_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[AlertThreshold]]:
    """alert -> its thresholds, ascending, the recurring one last."""
    statement = select(AlertThreshold).where(AlertThreshold.alert_id.in_(alert_ids))
    found: dict[uuid.UUID, list[AlertThreshold]] = {}
    for row in await tx.scalars(statement.order_by(AlertThreshold.recurring, AlertThreshold.value)):
        found.setdefault(row.alert_id, []).append(row)
    return found


async def replace_thresholds(tx: Tx, alert: Alert, rows: Sequence[AlertThreshold]) -> None:
    """The alert has exactly these thresholds."""
    await tx.execute(delete(AlertThreshold).where(AlertThreshold.alert_id == alert.id))
    tx.add_all(rows)
    await tx.flush()


async def watching(tx: Tx, rows: Sequence[Subscription]) -> dict[uuid.UUID, list[Alert]]:
    """subscription -> the live alerts of its chain, locked in the order of their ids; others are absent."""
    of = {(row.organization_id, row.external_id): row.id for row in rows}
    if not of:
        return {}
    name = tuple_(Alert.organization_id, Alert.external_subscription_id)
    statement = select(Alert).where(name.in_(list(of)), Alert.deleted_at.is_(None)).order_by(Alert.id).with_for_update()
    found: dict[uuid.UUID, list[Alert]] = {}
    for alert in await tx.scalars(statement.execution_options(populate_existing=True)):
        found.setdefault(of[alert.organization_id, alert.external_subscription_id], []).append(alert)
    return found
