"""The metadata map of a plan: replace, merge, remove (api.md §9). What may be in it is `core/metadata`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tallystick.core.metadata import metadata_errors
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound
from tallystick.ground.tables import Plan


async def replace(tx: Tx, plan: Plan, entries: Mapping[str, Any], at: dt.datetime) -> None:
    """The plan has exactly these entries; 422 `value` with sentences."""
    if errors := metadata_errors(entries):
        raise Invalid.field("value", *errors)
    await _store(tx, plan, dict(entries), at)


async def merge(tx: Tx, plan: Plan, entries: Mapping[str, Any], at: dt.datetime) -> None:
    """Add or change entries; a null is stored as null."""
    await replace(tx, plan, {**(plan.metadata_ or {}), **entries}, at)


async def remove(tx: Tx, plan: Plan, at: dt.datetime) -> None:
    """The plan has no metadata any more."""
    await _store(tx, plan, None, at)


async def remove_key(tx: Tx, plan: Plan, key: str, at: dt.datetime) -> None:
    """Remove one entry, if it is there; 404 `metadata_not_found` when the plan has no metadata at all."""
    if plan.metadata_ is None:
        raise NotFound("metadata")
    await _store(tx, plan, {name: value for name, value in plan.metadata_.items() if name != key}, at)


async def _store(tx: Tx, plan: Plan, entries: dict[str, Any] | None, at: dt.datetime) -> None:
    plan.metadata_ = entries
    plan.updated_at = at
    await tx.flush()
