"""Wire JSON of custom sections (api.md §15.3). Their copies on invoices belong to the invoices room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tallystick.ground.tables import CustomSection
from tallystick.ground.wire import dt_
from tallystick.rooms.custom_sections.store import Selected


def sections(rows: Sequence[CustomSection]) -> list[dict[str, Any]]:
    """Section objects in the order given."""
    return [
        {
            "lago_id": row.id,
            "code": row.code,
            "name": row.name,
            "description": row.description,
            "details": row.details,
            "display_name": row.display_name,
            "organization_id": row.organization_id,
        }
        for row in rows
    ]


def selected(rows: Sequence[Selected]) -> list[dict[str, Any]]:
    """The sections that subscriptions, wallets, rules and wallet transactions selected."""
    bodies = sections([row.section for row in rows])
    return [
        {
            "lago_id": row.link_id,
            "invoice_custom_section_id": row.section.id,
            "created_at": dt_(row.selected_at),
            "invoice_custom_section": body,
        }
        for row, body in zip(rows, bodies, strict=True)
    ]
