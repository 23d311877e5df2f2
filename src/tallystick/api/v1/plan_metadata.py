"""`/api/v1/plans/{code}/metadata` (api.md §9)."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.metadata import MetadataInput, sent_metadata
from tallystick.api.routes import Routes
from tallystick.flows.lifecycle import plans as lifecycle
from tallystick.ground.db import Tx
from tallystick.ground.tables import Plan
from tallystick.rooms.catalog import plans

routes = Routes("plan")


@routes.post("/plans/{code}/metadata", model=MetadataInput)
async def replace(call: Call, tx: Tx) -> Any:
    """Replace the metadata of a plan."""
    plan = await _plan(call, tx)
    if (entries := sent_metadata(call)) is not None:
        await lifecycle.replace_metadata(tx, plan, entries, call.at)
    return {"metadata": plan.metadata_}


@routes.put("/plans/{code}/metadata", model=MetadataInput)
async def merge(call: Call, tx: Tx) -> Any:
    """Merge entries into the metadata of a plan."""
    plan = await _plan(call, tx)
    if entries := sent_metadata(call):
        await lifecycle.merge_metadata(tx, plan, entries, call.at)
    return {"metadata": plan.metadata_}


@routes.delete("/plans/{code}/metadata")
async def destroy(call: Call, tx: Tx) -> Any:
    """Remove all metadata of a plan."""
    plan = await _plan(call, tx)
    await lifecycle.remove_metadata(tx, plan, call.at)
    return {"metadata": None}


@routes.delete("/plans/{code}/metadata/{key}")
async def destroy_key(call: Call, tx: Tx) -> Any:
    """Remove one entry of the metadata of a plan."""
    plan = await _plan(call, tx)
    await lifecycle.remove_metadata_key(tx, plan, call.path("key"), call.at)
    return {"metadata": plan.metadata_}


async def _plan(call: Call, tx: Tx) -> Plan:
    return await plans.find(tx, call.organization_id, call.path("code"), lock=True)
