"""Wire JSON of subscriptions with what other rooms hold (api.md §15.16, webhooks.md §4.6). Changes nothing."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from tallystick.flows.wire.customers import customers
from tallystick.flows.wire.plans import OF_SUBSCRIPTION, plans
from tallystick.ground.db import Tx
from tallystick.ground.tables import Plan, Subscription
from tallystick.rooms.catalog import thresholds
from tallystick.rooms.catalog import views as catalog_views
from tallystick.rooms.custom_sections import store as section_store
from tallystick.rooms.custom_sections import views as section_views
from tallystick.rooms.customers import store as customer_store
from tallystick.rooms.subscriptions import views
from tallystick.rooms.subscriptions.views import PAYMENT_METHOD, RULES

#: what answers about one subscription carry (matrix of api.md §15.16)
TERMINATED = frozenset({"plan", "applied_invoice_custom_sections"})
UPDATED = TERMINATED | {"applicable_usage_thresholds"}
SHOWN = UPDATED | {"entitlements"}
#: what messages carry (webhooks.md §2, 27-30 and 68-70)
WEBHOOK = frozenset({"plan", "customer"})
WEBHOOK_WITH_ENTITLEMENTS = WEBHOOK | {"entitlements"}
WEBHOOK_OF_THRESHOLD = WEBHOOK | {"applicable_usage_thresholds"}

Bodies = dict[uuid.UUID, dict[str, Any]]


async def subscriptions(
    tx: Tx, rows: Sequence[Subscription], at: dt.datetime, *, include: frozenset[str] = frozenset()
) -> list[dict[str, Any]]:
    """Subscription objects as of `at`, in the order given; `include` names the optional members."""
    return await subscriptions_each(tx, rows, {row.id: at for row in rows}, include=include)


async def subscriptions_each(
    tx: Tx,
    rows: Sequence[Subscription],
    at_of: Mapping[uuid.UUID, dt.datetime],
    *,
    include: frozenset[str] = frozenset(),
) -> list[dict[str, Any]]:
    """`subscriptions` with an instant of its own for each row, as messages of different times need it."""
    bodies = await views.subscriptions(tx, rows, at_of)
    if not include:
        return bodies
    customer_bodies = await _customers(tx, rows) if "customer" in include else {}
    plan_bodies = await _plans(tx, rows)
    counting = await thresholds.applicable(tx, rows) if "applicable_usage_thresholds" in include else {}
    chosen = await _sections(tx, rows) if "applied_invoice_custom_sections" in include else {}
    joined = []
    for row, body in zip(rows, bodies, strict=True):
        plan = plan_bodies[row.plan_id]
        members: dict[str, Any] = {
            "customer": customer_bodies.get(row.customer_id),
            "entitlements": [],
            PAYMENT_METHOD: body.pop(PAYMENT_METHOD),
            "plan": plan,
            "applicable_usage_thresholds": [
                catalog_views.applicable_threshold(one) for one in counting.get(row.id, ())
            ],
            "applied_invoice_custom_sections": section_views.selected(chosen.get(row.id, [])),
            RULES: body.pop(RULES),
        }
        wanted = include | {PAYMENT_METHOD, RULES}
        joined.append(body | {name: value for name, value in members.items() if name in wanted})
    return joined


async def _sections(tx: Tx, rows: Sequence[Subscription]) -> dict[uuid.UUID, list[section_store.Selected]]:
    return await section_store.of_owners(tx, section_store.Owner.SUBSCRIPTION, [row.id for row in rows])


async def _customers(tx: Tx, rows: Sequence[Subscription]) -> Bodies:
    found = await customer_store.by_ids(tx, list({row.customer_id for row in rows}))
    return {row.id: body for row, body in zip(found, await customers(tx, found), strict=True)}


async def _plans(tx: Tx, rows: Sequence[Subscription]) -> Bodies:
    found = list(await tx.scalars(select(Plan).where(Plan.id.in_({row.plan_id for row in rows}))))
    return {row.id: body for row, body in zip(found, await plans(tx, found, include=OF_SUBSCRIPTION), strict=True)}
