"""Add-ons: what one-off invoices and fixed charges sell (invoicing.md §11). The only writer of `add_ons`.

Their taxes are the taxes room's; `flows/lifecycle/add_ons.py` joins them.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select

from tallystick.core.money import CURRENCIES
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound, Problems
from tallystick.ground.ids import new_id
from tallystick.ground.tables import AddOn
from tallystick.rooms.catalog.codes import check_code

FIELDS = ("code", "name", "invoice_display_name", "description", "amount_cents", "amount_currency")


def listing(organization_id: uuid.UUID) -> Select[AddOn]:
    """All live add-ons, newest first (api.md §6)."""
    return (
        select(AddOn)
        .where(AddOn.organization_id == organization_id, AddOn.deleted_at.is_(None))
        .order_by(AddOn.created_at.desc(), AddOn.id)
    )


async def by_codes(tx: Tx, organization_id: uuid.UUID, codes: Sequence[str]) -> dict[str, AddOn]:
    """Live add-ons by code; unknown codes are absent."""
    rows = await tx.scalars(listing(organization_id).where(AddOn.code.in_(set(codes))).order_by(None))
    return {row.code: row for row in rows}


async def find(tx: Tx, organization_id: uuid.UUID, code: str) -> AddOn:
    """A live add-on by its code; 404 `add_on_not_found`."""
    found = await by_codes(tx, organization_id, [code])
    if code not in found:
        raise NotFound("add_on")
    return found[code]


async def create(tx: Tx, organization_id: uuid.UUID, at: dt.datetime, fields: Mapping[str, Any]) -> AddOn:
    """A new add-on; `fields`: `FIELDS`."""
    add_on = AddOn(id=new_id(), organization_id=organization_id, created_at=at)
    await _write(tx, add_on, at, fields)
    tx.add(add_on)
    await tx.flush()
    return add_on


async def update(tx: Tx, add_on: AddOn, at: dt.datetime, fields: Mapping[str, Any]) -> AddOn:
    """Change the given fields; fees that exist keep what they copied."""
    await _write(tx, add_on, at, fields)
    await tx.flush()
    return add_on


async def delete(tx: Tx, add_on: AddOn, at: dt.datetime) -> AddOn:
    """Hide the add-on; fees that exist go on showing it."""
    add_on.deleted_at = at
    await tx.flush()
    return add_on


async def _write(tx: Tx, add_on: AddOn, at: dt.datetime, fields: Mapping[str, Any]) -> None:
    code: str | None = fields.get("code")
    taken = code and code != add_on.code and await by_codes(tx, add_on.organization_id, [code])
    problems = Problems()
    with tx.no_autoflush:
        for name in FIELDS:
            if name in fields:
                setattr(add_on, name, fields[name])
        _check(add_on, problems)
        if taken:
            problems.add("code", "value_already_exist")
        problems.raise_if_any()
    add_on.updated_at = at


def _check(add_on: AddOn, problems: Problems) -> None:
    """Add what api.md §3.2 refuses."""
    for name in ("name", "code"):
        if not getattr(add_on, name):
            problems.add(name, "value_is_mandatory")
    check_code(add_on.code, problems)
    amount: int | None = add_on.amount_cents
    if amount is None or amount <= 0:
        problems.add("amount_cents", "value_is_out_of_range")
    if add_on.amount_currency not in CURRENCIES:
        problems.add("amount_currency", "value_is_invalid")
