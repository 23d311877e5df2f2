"""The agenda: everything that will happen, stored with its date, one entry for each kind and subject (design §4).

Nothing scans for what is due; whoever changes a date rewrites the entry in the same transaction. Not a job queue:
an entry is domain work at a domain instant, claimed in order by `flows/clockwork`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from tallystick.ground.db import Tx
from tallystick.ground.tables import AgendaEntry


class Kind(StrEnum):
    """What can be due, in the order in which kinds due at one instant run (subscriptions.md §7)."""

    START_SUBSCRIPTION = "start_subscription"
    END_SUBSCRIPTION = "end_subscription"
    BILL = "bill"
    EXPIRE_GATE = "expire_gate"
    FINALIZE_INVOICE = "finalize_invoice"
    OVERDUE_INVOICE = "overdue_invoice"
    END_TRIAL = "end_trial"
    TERMINATION_ALERT = "termination_alert"
    CHECK_EVENTS = "check_events"


RANKS = {kind: rank for rank, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Due:
    """One entry: `kind` happens to `subject_id` of `organization_id` at `due_at`."""

    kind: Kind
    subject_id: uuid.UUID
    organization_id: uuid.UUID
    due_at: dt.datetime


#: how many entries of one kind are handed to a flow at once
CHUNK = 1000


async def put(tx: Tx, entries: Iterable[Due]) -> None:
    """Write entries; one that exists for the same kind and subject moves to the new instant."""
    rows = [
        {
            "kind": due.kind.value,
            "subject_id": due.subject_id,
            "organization_id": due.organization_id,
            "due_at": due.due_at,
            "rank": RANKS[due.kind],
            "attempts": 0,
        }
        for due in entries
    ]
    for start in range(0, len(rows), 4000):
        statement = insert(AgendaEntry).values(rows[start : start + 4000])
        statement = statement.on_conflict_do_update(
            index_elements=["kind", "subject_id"],
            set_={"due_at": statement.excluded.due_at, "attempts": 0, "error": None, "failed_at": None},
        )
        await tx.execute(statement)
    if rows:
        await tx.execute(text("select pg_notify('tallystick_agenda', '')"))


async def remove(tx: Tx, kinds: Sequence[Kind], subject_ids: Sequence[uuid.UUID]) -> None:
    """Forget the entries of these kinds for these subjects."""
    if subject_ids:
        await tx.execute(
            delete(AgendaEntry).where(
                AgendaEntry.kind.in_([kind.value for kind in kinds]), AgendaEntry.subject_id.in_(subject_ids)
            )
        )


async def done(tx: Tx, entries: Sequence[Due]) -> None:
    """Remove what was carried out, unless the flow moved it to a new date in the same transaction."""
    if entries:
        keys = [(due.kind.value, due.subject_id, due.due_at) for due in entries]
        await tx.execute(
            delete(AgendaEntry).where(tuple_(AgendaEntry.kind, AgendaEntry.subject_id, AgendaEntry.due_at).in_(keys))
        )


async def hold(tx: Tx, entries: Sequence[Due]) -> list[Due]:
    """Lock those of the entries that are still due and that nobody else holds."""
    keys = [(due.kind.value, due.subject_id, due.due_at) for due in entries]
    statement = (
        select(AgendaEntry.subject_id)
        .where(tuple_(AgendaEntry.kind, AgendaEntry.subject_id, AgendaEntry.due_at).in_(keys))
        .with_for_update(skip_locked=True)
    )
    held = set(await tx.scalars(statement))
    return [due for due in entries if due.subject_id in held]


async def mark_failed(tx: Tx, entry: Due, error: str, at: dt.datetime) -> None:
    """Keep a poisoned entry out of the way, with its error, where the operator sees it."""
    await tx.execute(
        update(AgendaEntry)
        .where(AgendaEntry.kind == entry.kind.value, AgendaEntry.subject_id == entry.subject_id)
        .values(error=error[:2000], failed_at=at, attempts=AgendaEntry.attempts + 1)
    )


async def of_subjects(tx: Tx, subject_ids: Sequence[uuid.UUID]) -> list[Due]:
    """What will happen to these subjects, in order."""
    rows = await tx.scalars(
        select(AgendaEntry)
        .where(AgendaEntry.subject_id.in_(subject_ids))
        .order_by(AgendaEntry.due_at, AgendaEntry.rank, AgendaEntry.subject_id)
    )
    return [Due(Kind(row.kind), row.subject_id, row.organization_id, row.due_at) for row in rows]


async def claim_live(tx: Tx, until: dt.datetime) -> list[Due]:
    """Lock due entries of live organizations: of the earliest due kind, in order, none that another worker holds."""
    rows = await tx.execute(_CLAIM_LIVE, {"until": until, "limit": CHUNK})
    return [Due(Kind(row.kind), row.subject_id, row.organization_id, row.due_at) for row in rows]


async def claim_of(tx: Tx, organization_id: uuid.UUID, until: dt.datetime) -> list[Due]:
    """Lock the entries of one organization that fall due first: same instant, same kind, at or before `until`."""
    rows = await tx.execute(_CLAIM_OF, {"organization": organization_id, "until": until, "limit": CHUNK})
    return [Due(Kind(row.kind), row.subject_id, row.organization_id, row.due_at) for row in rows]


_CLAIM_LIVE = text("""
    select a.kind, a.subject_id, a.organization_id, a.due_at
    from agenda a join organizations o on o.id = a.organization_id
    where not o.sandbox and a.failed_at is null and a.due_at <= :until
      and a.kind = (
        select f.kind from agenda f join organizations fo on fo.id = f.organization_id
        where not fo.sandbox and f.failed_at is null and f.due_at <= :until
        order by f.due_at, f.rank, f.subject_id limit 1 for update of f skip locked
      )
    order by a.due_at, a.rank, a.subject_id
    limit :limit
    for update of a skip locked
""")

_CLAIM_OF = text("""
    with first as (
      select kind, due_at from agenda
      where organization_id = :organization and failed_at is null and due_at <= :until
      order by due_at, rank, subject_id limit 1
    )
    select a.kind, a.subject_id, a.organization_id, a.due_at
    from agenda a join first f on f.kind = a.kind and f.due_at = a.due_at
    where a.organization_id = :organization and a.failed_at is null
    order by a.subject_id
    limit :limit
    for update of a
""")
