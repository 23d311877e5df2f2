"""Usage by metric and day, week or month, from the snapshots of days (api.md §13, `analytics/usage`)."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from tallystick.ground.db import Tx, load_query
from tallystick.ground.wire import dec

_DAILY = load_query(__file__, "daily")
#: granularity of a report -> what PostgreSQL truncates to, and how long that is
GRANULARITIES = {"daily": ("day", "1 day"), "weekly": ("week", "7 days"), "monthly": ("month", "1 month")}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is narrowed to; None keeps everything. Days are those of the customers."""

    from_on: dt.date | None = None
    to_on: dt.date | None = None
    currency: str | None = None
    customer_type: str | None = None
    external_customer_id: str | None = None
    customer_country: str | None = None
    external_subscription_id: str | None = None
    recurring: bool | None = None
    plan_code: str | None = None
    metric_code: str | None = None


async def usages(tx: Tx, organization_id: uuid.UUID, asked: Asked, granularity: str) -> list[dict[str, Any]]:
    """The elements of `usages`: rows with usage, the earliest first; weeks begin on Monday."""
    unit, length = GRANULARITIES[granularity]
    rows = await tx.execute(
        _DAILY, {**asdict(asked), "organization_id": organization_id, "granularity": unit, "length": length}
    )
    return [
        {
            "organization_id": row.organization_id,
            "start_of_period_dt": row.start_on.isoformat(),
            "end_of_period_dt": row.end_on.isoformat(),
            "amount_currency": row.currency,
            "amount_cents": row.amount_cents,
            "billable_metric_code": row.code,
            "units": dec(row.units),
            "is_billable_metric_deleted": row.deleted,
        }
        for row in rows
    ]
