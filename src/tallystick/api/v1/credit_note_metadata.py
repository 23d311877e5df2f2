"""`/api/v1/credit_notes/{id}/metadata` (api.md §9)."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.metadata import MetadataInput, sent_metadata
from tallystick.api.routes import Routes
from tallystick.ground.db import Tx
from tallystick.ground.tables import CreditNote
from tallystick.rooms.credit_notes import verbs

routes = Routes("credit_note")


@routes.post("/credit_notes/{id}/metadata", model=MetadataInput)
async def replace(call: Call, tx: Tx) -> Any:
    """Replace the metadata of a credit note; without any it becomes empty."""
    note = await _note(call, tx)
    await verbs.replace_metadata(tx, note, sent_metadata(call) or {}, call.at)
    return {"metadata": note.metadata_}


@routes.put("/credit_notes/{id}/metadata", model=MetadataInput)
async def merge(call: Call, tx: Tx) -> Any:
    """Merge entries into the metadata of a credit note."""
    note = await _note(call, tx)
    if entries := sent_metadata(call):
        await verbs.merge_metadata(tx, note, entries, call.at)
    return {"metadata": note.metadata_}


@routes.delete("/credit_notes/{id}/metadata")
async def destroy(call: Call, tx: Tx) -> Any:
    """Remove all metadata of a credit note."""
    await verbs.replace_metadata(tx, await _note(call, tx), None, call.at)
    return {"metadata": None}


@routes.delete("/credit_notes/{id}/metadata/{key}")
async def destroy_key(call: Call, tx: Tx) -> Any:
    """Remove one entry of the metadata of a credit note."""
    note = await _note(call, tx)
    await verbs.remove_metadata_key(tx, note, call.path("key"), call.at)
    return {"metadata": note.metadata_}


async def _note(call: Call, tx: Tx) -> CreditNote:
    return await verbs.find(tx, call.organization_id, call.path("id"), lock=True)
