"""What can be done with custom sections: create, change, delete, select (invoicing.md §20).

Which of them end up on an invoice is decided when the invoice is computed.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound, Problems
from tallystick.ground.ids import new_id, parse_id
from tallystick.ground.tables import CustomSection
from tallystick.rooms.custom_sections import store
from tallystick.rooms.custom_sections.store import Owner

FIELDS = ("name", "code", "description", "display_name", "details")
MANDATORY = ("name", "code")


async def find(tx: Tx, organization_id: uuid.UUID, code: str) -> CustomSection:
    """A live section by its code; 404 `invoice_custom_section_not_found`."""
    found = await store.by_codes(tx, organization_id, [code])
    if code not in found:
        raise NotFound("invoice_custom_section")
    return found[code]


async def create(tx: Tx, organization_id: uuid.UUID, at: dt.datetime, fields: Mapping[str, Any]) -> CustomSection:
    """A new section; `fields`: `FIELDS`. 422 for a name or code that is absent, or a code that is taken."""
    problems = Problems()
    for name in MANDATORY:
        if fields.get(name) is None:
            problems.add(name, "value_is_mandatory")
    await _check_code(tx, problems, organization_id, fields.get("code"))
    problems.raise_if_any()
    section = CustomSection(id=new_id(), organization_id=organization_id, created_at=at, updated_at=at)
    _assign(section, fields)
    tx.add(section)
    await tx.flush()
    return section


async def update(tx: Tx, section: CustomSection, at: dt.datetime, fields: Mapping[str, Any]) -> None:
    """Change the given fields: for drafts that are computed again and for future invoices."""
    problems = Problems()
    for name in MANDATORY:
        if name in fields and fields[name] is None:
            problems.add(name, "value_is_mandatory")
    if fields.get("code") != section.code:
        await _check_code(tx, problems, section.organization_id, fields.get("code"))
    problems.raise_if_any()
    _assign(section, fields)
    section.updated_at = at
    await tx.flush()


async def delete(tx: Tx, section: CustomSection, at: dt.datetime) -> None:
    """Hide the section and end its selections; issued invoices keep their copies."""
    await store.remove_links(tx, section.id)
    section.deleted_at = at
    await tx.flush()


async def named(
    tx: Tx, organization_id: uuid.UUID, codes: Sequence[str], ids: Sequence[str] = ()
) -> list[CustomSection]:
    """The sections with these codes or ids, in the order given; 404 for one that is unknown."""
    known = await store.by_codes(tx, organization_id, codes) if codes else {}
    parsed = [parse_id(text) for text in ids]
    by_id = await store.by_ids(tx, organization_id, [one for one in parsed if one is not None]) if parsed else {}
    found = [*(known.get(code) for code in codes), *(by_id.get(one) if one else None for one in parsed)]
    if None in found:
        raise NotFound("invoice_custom_section")
    return list(dict.fromkeys(section for section in found if section is not None))


async def select(
    tx: Tx,
    organization_id: uuid.UUID,
    kind: Owner,
    owner_id: uuid.UUID,
    sections: Sequence[CustomSection],
    at: dt.datetime,
) -> None:
    """The owner has selected exactly these sections from now on."""
    await store.replace_links(tx, organization_id, kind, {owner_id: [section.id for section in sections]}, at)


async def _check_code(tx: Tx, problems: Problems, organization_id: uuid.UUID, code: str | None) -> None:
    if code and await store.by_codes(tx, organization_id, [code]):
        problems.add("code", "value_already_exist")


def _assign(section: CustomSection, fields: Mapping[str, Any]) -> None:
    for name in FIELDS:
        if name in fields:
            setattr(section, name, fields[name])
