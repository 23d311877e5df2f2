"""Billable metrics that change or disappear, with what follows for drafts that rate them (invoicing.md §9.1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tallystick.ground.db import Tx
from tallystick.ground.tables import BillableMetric
from tallystick.rooms.catalog import metrics
from tallystick.rooms.invoices import stale


async def update(tx: Tx, metric: BillableMetric, at: dt.datetime, fields: Mapping[str, Any]) -> BillableMetric:
    """Change the given fields; other filters are another price."""
    filters = metric.filters
    await metrics.update(tx, metric, at, fields)
    if metric.filters != filters:
        await stale.mark_of_metric(tx, metric.id, at)
    return metric


async def delete(tx: Tx, metric: BillableMetric, at: dt.datetime) -> BillableMetric:
    """Hide the metric and its charges."""
    await metrics.delete(tx, metric, at)
    await stale.mark_of_metric(tx, metric.id, at)
    return metric
