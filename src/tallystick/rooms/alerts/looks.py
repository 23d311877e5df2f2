"""Looks at alerts: the figure is compared with the one of the last look, and kept for the next (metering.md §10).

Where figures come from is `flows/usage`'s; which thresholds lie between two of them is decided in core/alerts.py.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallystick.core.alerts import AlertThreshold, crossed
from tallystick.ground.db import Tx
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Alert, TriggeredAlert
from tallystick.ground.wire import dec
from tallystick.rooms.alerts import store
from tallystick.rooms.alerts.types import AlertType


@dataclass(frozen=True, slots=True)
class Look:
    """The figure of a locked alert at an instant."""

    alert: Alert
    subscription_id: uuid.UUID
    value: Decimal
    at: dt.datetime


async def take(tx: Tx, looks: Sequence[Look]) -> list[TriggeredAlert]:
    """Store these figures; returns what is to be told, in the order of the looks."""
    thresholds = await store.thresholds_of(tx, [look.alert.id for look in looks]) if looks else {}
    triggered = []
    for look in looks:
        alert, given = look.alert, thresholds.get(look.alert.id, [])
        found = crossed(
            AlertType(alert.alert_type).direction,
            alert.previous_value,
            look.value,
            [AlertThreshold(one.value, one.recurring, one.code) for one in given],
        )
        if found:
            triggered.append(_triggered(look, found))
        alert.previous_value = look.value
        alert.last_processed_at = look.at
    tx.add_all(triggered)
    await tx.flush()
    return triggered


def _triggered(look: Look, found: Sequence[AlertThreshold]) -> TriggeredAlert:
    return TriggeredAlert(
        id=new_id(),
        organization_id=look.alert.organization_id,
        alert_id=look.alert.id,
        subscription_id=look.subscription_id,
        current_value=look.value,
        previous_value=look.alert.previous_value,
        crossed_thresholds=[{"code": one.code, "value": dec(one.value), "recurring": one.recurring} for one in found],
        triggered_at=look.at,
    )
