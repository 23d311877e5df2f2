"""Which plan fee of a subscription is not used up when it ends at an instant (credits.md §3.8), read for sets."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.core.windows import Window
from tallystick.ground.db import Tx, load_query

_PLAN_FEES = load_query(__file__, "plan_fees")


@dataclass(frozen=True, slots=True)
class PlanFee:
    """A plan fee paid in advance; `plan_cents` is the price of a whole period, which has `full_days`."""

    id: uuid.UUID
    invoice_id: uuid.UUID
    period: Window
    plan_cents: int
    full_days: int


async def running(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime]) -> dict[uuid.UUID, PlanFee]:
    """subscription -> the fee of the period that runs at its instant; those that owe nothing are absent."""
    rows = await tx.execute(_PLAN_FEES, {"subscriptions": list(at_of), "instants": list(at_of.values())})
    return {
        row.subscription_id: PlanFee(
            row.fee_id,
            row.invoice_id,
            Window(row.period_from_at, row.period_to_at),
            row.plan_amount_cents,
            row.plan_full_days,
        )
        for row in rows
    }
