"""The copies of custom sections on invoices: written whenever one is computed, shown for ever (invoicing.md §20)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from tallystick.ground.db import Tx, copy
from tallystick.ground.ids import new_id
from tallystick.ground.tables import AppliedCustomSection, CustomSection
from tallystick.ground.wire import dt_


@dataclass(frozen=True, slots=True)
class Applied:
    """The sections of one invoice, in order; `at` is when it was computed."""

    organization_id: uuid.UUID
    sections: tuple[CustomSection, ...]
    at: dt.datetime


async def replace(tx: Tx, applied: Mapping[uuid.UUID, Applied], *, new: bool) -> None:
    """These invoices carry exactly these sections; `new` ones carry none yet."""
    if not new:
        await tx.execute(delete(AppliedCustomSection).where(AppliedCustomSection.invoice_id.in_(list(applied))))
    rows = [
        {
            "id": new_id(),
            "organization_id": own.organization_id,
            "invoice_id": invoice_id,
            "code": section.code,
            "name": section.name,
            "display_name": section.display_name,
            "details": section.details,
            "created_at": own.at,
        }
        for invoice_id, own in applied.items()
        for section in own.sections
    ]
    if rows:
        await copy(tx, "applied_invoice_custom_sections", rows)


async def of_invoices(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    """invoice -> its sections as answers and documents carry them; invoices without any are absent."""
    statement = select(AppliedCustomSection).where(AppliedCustomSection.invoice_id.in_(invoice_ids))
    found: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for row in await tx.scalars(statement.order_by(AppliedCustomSection.created_at, AppliedCustomSection.id)):
        found.setdefault(row.invoice_id, []).append(_section(row))
    return found


def _section(row: AppliedCustomSection) -> dict[str, Any]:
    return {
        "lago_id": row.id,
        "lago_invoice_id": row.invoice_id,
        "code": row.code,
        "details": row.details,
        "display_name": row.display_name,
        "created_at": dt_(row.created_at),
    }
