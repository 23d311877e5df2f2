"""Expressions of the live metrics of an organization, ready to be evaluated on events (metering.md §1.5 step 3)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from tallystick.core.expression import Expression, parse
from tallystick.ground.db import Tx
from tallystick.ground.tables import BillableMetric

#: notified when metrics or charges change (notices.sql): processes that remember what events lead to forget it
CHANGED = "tallystick_metrics"


@dataclass(frozen=True, slots=True)
class Computed:
    """A property that an expression computes."""

    field_name: str
    expression: Expression


async def load(tx: Tx, organization_id: uuid.UUID) -> Mapping[str, Computed]:
    """Event code -> the property to compute, for metrics that have an expression and a field to store it in."""
    rows = await tx.execute(
        select(BillableMetric.code, BillableMetric.field_name, BillableMetric.expression).where(
            BillableMetric.organization_id == organization_id,
            BillableMetric.deleted_at.is_(None),
            BillableMetric.expression.is_not(None),
            BillableMetric.field_name.is_not(None),
        )
    )
    return {
        code: Computed(field_name, parse(expression))
        for code, field_name, expression in rows
        if field_name and expression
    }
