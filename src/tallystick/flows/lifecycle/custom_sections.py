"""Who selects which custom sections (invoicing.md §20): what requests of customers, issuers and subscriptions say."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from tallystick.ground.db import Tx
from tallystick.rooms.custom_sections import verbs
from tallystick.rooms.custom_sections.store import Owner

Fields = Mapping[str, Any]
CODES = "invoice_custom_section_codes"
IDS = "invoice_custom_section_ids"
SKIP = "skip_invoice_custom_sections"


async def choose(
    tx: Tx, organization_id: uuid.UUID, kind: Owner, owner_id: uuid.UUID, fields: Fields, at: dt.datetime
) -> None:
    """Select the sections that `fields` name by code or id, and no others; without either key nothing changes.

    404 `invoice_custom_section_not_found`.
    """
    if fields.get(CODES) is None and fields.get(IDS) is None:
        return
    sections = await verbs.named(tx, organization_id, fields.get(CODES) or (), fields.get(IDS) or ())
    await verbs.select(tx, organization_id, kind, owner_id, sections, at)


def selection(fields: Fields) -> Fields:
    """What a request says under `invoice_custom_section`; nothing when it has no such key."""
    return fields.get("invoice_custom_section") or {}


def skipping(fields: Fields) -> Fields:
    """The column that `invoice_custom_section` asks for; sections of one's own end skipping."""
    given = selection(fields)
    if given.get(CODES) or given.get(IDS):
        return {SKIP: False}
    return {SKIP: given[SKIP]} if SKIP in given else {}
