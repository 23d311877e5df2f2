"""Usage thresholds that a subscription has of its own, and when usage is to be compared with them anew.

subscriptions.md §2.3, §2.7, §5.1. What they are is the catalog's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tallystick.flows.usage.marks import mark
from tallystick.ground.db import Tx
from tallystick.ground.errors import Problems
from tallystick.ground.tables import Plan, Subscription
from tallystick.rooms.catalog import thresholds
from tallystick.rooms.subscriptions import verbs

Fields = Mapping[str, Any]


def check(fields: Fields) -> None:
    """422 `usage_thresholds`: given for the plan too, or not as thresholds are."""
    verbs.check_thresholds(fields)
    problems = Problems()
    thresholds.check(fields.get("usage_thresholds") or (), problems)
    problems.raise_if_any()


async def replace(tx: Tx, row: Subscription, fields: Fields, at: dt.datetime) -> None:
    """The row has exactly the thresholds that were sent; none sent, none changed."""
    if fields.get("usage_thresholds") is not None:
        await thresholds.replace(tx, row, fields["usage_thresholds"], at)
        await mark(tx, {row.id: at})


async def edit(tx: Tx, row: Subscription, plan: Plan, fields: Fields, at: dt.datetime) -> None:
    """As `replace`; thresholds of a plan that is the row's alone make way (§2.7)."""
    if fields.get("usage_thresholds") is not None and plan.parent_id is not None:
        await thresholds.replace(tx, plan, [], at)
    await replace(tx, row, fields, at)
    await mark(tx, {row.id: at})
