"""Wire JSON of thresholds on progressive invoices and of lifetime usage (api.md §15.12, webhooks.md §4.2)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from tallystick.core.thresholds import Completion, Threshold, completions
from tallystick.core.thresholds import LifetimeUsage as Usage
from tallystick.ground.db import Tx
from tallystick.ground.tables import AppliedUsageThreshold, Invoice, LifetimeUsage, Subscription, UsageThreshold
from tallystick.ground.wire import dt3_or_none, dt_, num
from tallystick.rooms.catalog import views
from tallystick.rooms.invoices import progressive

Wire = dict[str, Any]


async def applied_thresholds(tx: Tx, rows: Sequence[Invoice]) -> dict[uuid.UUID, list[Wire]]:
    """invoice -> `applied_usage_thresholds`, progressive invoices only; deleted thresholds stay."""
    ids = [row.id for row in rows if row.invoice_type == "progressive_billing"]
    if not ids:
        return {}
    applied = await progressive.applied_to(tx, ids)
    wanted = select(UsageThreshold).where(UsageThreshold.id.in_({one.usage_threshold_id for one in applied}))
    thresholds = {row.id: row for row in await tx.scalars(wanted)}
    found: dict[uuid.UUID, list[Wire]] = {}
    for one in applied:
        body = {
            "lifetime_usage_amount_cents": one.lifetime_usage_amount_cents,
            "created_at": dt_(one.created_at),
            "usage_threshold": views.threshold(thresholds[one.usage_threshold_id]),
        }
        found.setdefault(one.invoice_id, []).append(body)
    return found


async def lifetime_usage(
    tx: Tx,
    record: LifetimeUsage,
    row: Subscription,
    usage: Usage,
    thresholds: Sequence[UsageThreshold],
    at: dt.datetime,
) -> Wire:
    """The `lifetime_usage` object; with thresholds also how far usage came."""
    body: Wire = {
        "lago_id": record.id,
        "lago_subscription_id": row.id,
        "external_subscription_id": row.external_id,
        "external_historical_usage_amount_cents": usage.historical_cents,
        "invoiced_usage_amount_cents": usage.invoiced_cents,
        "current_usage_amount_cents": usage.current_cents,
        "from_datetime": dt_(row.subscription_at),
        "to_datetime": dt_(at),
    }
    if thresholds:
        applied = await progressive.applied_of(tx, row.organization_id, row.external_id)
        given = [Threshold(one.id, one.amount_cents, one.recurring) for one in thresholds]
        body["usage_thresholds"] = [_completion(one, applied, at) for one in completions(usage.total_cents, given)]
    return body


def _completion(one: Completion, applied: Sequence[AppliedUsageThreshold], at: dt.datetime) -> Wire:
    reached_at = (_covered_at(one, applied) or at) if one.is_reached else None
    return {
        "amount_cents": one.amount_cents,
        "completion_ratio": num(one.ratio),
        "reached_at": dt3_or_none(reached_at),
    }


def _covered_at(one: Completion, applied: Sequence[AppliedUsageThreshold]) -> dt.datetime | None:
    """When the newest invoice for a fixed threshold was made, or the first that covered a step (metering.md §9.3)."""
    own = [row for row in applied if row.usage_threshold_id == one.threshold.id]
    if one.threshold.recurring:
        return next((row.created_at for row in own if row.lifetime_usage_amount_cents >= one.amount_cents), None)
    return own[-1].created_at if own else None
