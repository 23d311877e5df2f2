"""`/api/v1/plans` (subscriptions.md §1)."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.api.v1.plan_inputs import PlanInput, contents, sent
from tallystick.flows.lifecycle import plans as lifecycle
from tallystick.flows.wire import plans as wire
from tallystick.ground.db import Tx
from tallystick.rooms.catalog import plans, store

routes = Routes("plan")


@routes.post("/plans", root="plan", model=PlanInput)
async def create(call: Call, tx: Tx) -> Any:
    """Create a plan with its charges."""
    fields = contents(call.read("plan", PlanInput, drop_nulls=True))
    plan = await lifecycle.create(tx, call.organization_id, call.at, fields)
    return {"plan": (await wire.plans(tx, [plan]))[0]}


@routes.get("/plans", query=LIST_QUERY)
async def listing(call: Call, tx: Tx) -> Any:
    """List plans, newest first; overrides are left out."""
    rows, meta = await fetch_page(tx, store.plans_listing(call.organization_id), call.page)
    return {"plans": await wire.plans(tx, rows), "meta": meta}


@routes.get("/plans/{code}")
async def show(call: Call, tx: Tx) -> Any:
    """Find a plan by its code."""
    plan = await plans.find(tx, call.organization_id, call.path("code"))
    return {"plan": (await wire.plans(tx, [plan]))[0]}


@routes.put("/plans/{code}", root="plan", model=PlanInput)
async def update(call: Call, tx: Tx) -> Any:
    """Change a plan; a plan with subscriptions keeps its rhythm and its charge models."""
    plan = await plans.find(tx, call.organization_id, call.path("code"), lock=True)
    await lifecycle.update(tx, plan, call.at, sent(call, "plan", PlanInput))
    return {"plan": (await wire.plans(tx, [plan]))[0]}


@routes.delete("/plans/{code}")
async def destroy(call: Call, tx: Tx) -> Any:
    """Mark a plan for deletion; it disappears once its subscriptions have ended."""
    plan = await plans.find(tx, call.organization_id, call.path("code"), lock=True)
    await lifecycle.request_deletion(tx, plan, call.at)
    body = (await wire.plans(tx, [plan]))[0]
    await lifecycle.complete_deletion(tx, [plan.id], call.at)
    return {"plan": body}
