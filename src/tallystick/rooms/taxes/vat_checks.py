"""VAT numbers that the registry has yet to answer for: one row for each customer, which exists as long as it is asked.

Asking is a job's work, and what follows from an answer is a flow's (integrations.md §7).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from tallystick.ground import agenda
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Organization, VatCheck, VatConfirmation
from tallystick.rooms.taxes.ports import Silent

_MINUTES = (5, 5, 10, 20, 40)
_HOUR = dt.timedelta(hours=1)
_DAY = dt.timedelta(days=1)
#: attempts of about half a day
_MANY = 12


def wait(attempts: int, *, sandbox: bool = False) -> dt.timedelta:
    """How long after so many attempts the registry is asked again: 5, 5, 10, 20, 40 minutes, then hourly.

    The registry does not know the clock of a sandbox, which may leap over a year: there, after half a day, once a day.
    """
    if attempts <= len(_MINUTES):
        return dt.timedelta(minutes=_MINUTES[attempts - 1])
    return _DAY if sandbox and attempts > _MANY else _HOUR


async def start(tx: Tx, organization_id: uuid.UUID, customer_id: uuid.UUID, number: str, at: dt.datetime) -> None:
    """Have a locked customer's number checked from now on; one that is being checked already goes on as it is."""
    new = {"organization_id": organization_id, "tax_identification_number": number, "created_at": at}
    fresh = {"attempts_count": 0, "last_attempt_at": None, "last_error_type": None, "last_error_message": None}
    statement = (
        insert(VatCheck)
        .values(customer_id=customer_id, **new, **fresh)
        .on_conflict_do_update(
            index_elements=[VatCheck.customer_id],
            set_={**new, **fresh},
            where=VatCheck.tax_identification_number != number,
        )
        .returning(VatCheck.customer_id)
    )
    if (await tx.execute(statement)).first() is not None:
        await agenda.put(tx, [Due(Kind.CHECK_VAT_NUMBER, customer_id, organization_id, at)])


async def stop(tx: Tx, customer_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Ask no more for these locked customers; returns those for whom it was asked."""
    statement = delete(VatCheck).where(VatCheck.customer_id.in_(customer_ids)).returning(VatCheck.customer_id)
    stopped = list(await tx.scalars(statement))
    await agenda.remove(tx, [Kind.CHECK_VAT_NUMBER], stopped)
    return stopped


async def running(tx: Tx, customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, VatCheck]:
    """customer -> its check; customers without one are absent."""
    statement = select(VatCheck).where(VatCheck.customer_id.in_(customer_ids))
    rows = await tx.scalars(statement.execution_options(populate_existing=True))
    return {row.customer_id: row for row in rows}


async def postpone(tx: Tx, failed: Mapping[uuid.UUID, tuple[VatCheck, Silent]], at: dt.datetime) -> None:
    """The registry gave no answer: note why, and ask again later."""
    for row, answer in failed.values():
        row.attempts_count += 1
        row.last_attempt_at = at
        row.last_error_type = answer.kind
        row.last_error_message = answer.message
    await tx.flush()
    ids = {row.organization_id for row, _ in failed.values()}
    sandboxes = set(await tx.scalars(select(Organization.id).where(Organization.id.in_(ids), Organization.sandbox)))
    dues = []
    for row, _ in failed.values():
        due_at = at + wait(row.attempts_count, sandbox=row.organization_id in sandboxes)
        dues.append(Due(Kind.CHECK_VAT_NUMBER, row.customer_id, row.organization_id, due_at))
    await agenda.put(tx, dues)


async def keep_proof(tx: Tx, row: VatCheck, identifier: str, answer: Mapping[str, Any], at: dt.datetime) -> None:
    """Keep the registry's word that the number exists."""
    tx.add(
        VatConfirmation(
            id=new_id(),
            organization_id=row.organization_id,
            customer_id=row.customer_id,
            tax_identification_number=row.tax_identification_number,
            request_identifier=identifier,
            answer=dict(answer),
            created_at=at,
        )
    )
    await tx.flush()
