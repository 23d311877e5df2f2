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

from sqlalchemy import delete, select, text, update

from tallystick.ground.db import Tx
from tallystick.ground.tables import AgendaEntry


class Kind(StrEnum):
    """What can be due, in the order in which kinds due at one instant run (subscriptions.md §7)."""

    REFRESH_VAT_RATES = "refresh_vat_rates"
    START_SUBSCRIPTION = "start_subscription"
    END_SUBSCRIPTION = "end_subscription"
    BILL = "bill"
    BILL_EVENT = "bill_event"
    FINALIZE_INVOICE = "finalize_invoice"
    REFRESH_DRAFT = "refresh_draft"
    OVERDUE_INVOICE = "overdue_invoice"
    EXPIRE_COUPON = "expire_coupon"
    END_TRIAL = "end_trial"
    EXPIRE_WALLET = "expire_wallet"
    TERMINATION_ALERT = "termination_alert"
    CHECK_THRESHOLDS = "check_thresholds"
    CHECK_USAGE = "check_usage"
    CHECK_EVENTS = "check_events"
    CHECK_VAT_NUMBER = "check_vat_number"
    DAILY_USAGE = "daily_usage"


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
    given = list(entries)
    if given:
        await tx.execute(_PUT, {**_columns(given), "ranks": [RANKS[due.kind] for due in given]})
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
        await tx.execute(_DONE, _columns(entries))


async def hold(tx: Tx, entries: Sequence[Due]) -> list[Due]:
    """Lock those of the entries that are still due and that nobody else holds."""
    held = set(await tx.scalars(_HOLD, _columns(entries)))
    return [due for due in entries if due.subject_id in held]


def _columns(entries: Sequence[Due]) -> dict[str, list[object]]:
    return {
        "kinds": [due.kind.value for due in entries],
        "subjects": [due.subject_id for due in entries],
        "organizations": [due.organization_id for due in entries],
        "instants": [due.due_at for due in entries],
    }


async def mark_failed(tx: Tx, entry: Due, error: str, at: dt.datetime) -> None:
    """Keep a poisoned entry out of the way, with its error, where the operator sees it."""
    await tx.execute(
        update(AgendaEntry)
        .where(AgendaEntry.kind == entry.kind.value, AgendaEntry.subject_id == entry.subject_id)
        .values(error=error[:2000], failed_at=at, attempts=AgendaEntry.attempts + 1)
    )


async def retry_failed(tx: Tx) -> int:
    """Poisoned entries are due again; how many."""
    statement = update(AgendaEntry).where(AgendaEntry.failed_at.is_not(None)).values(failed_at=None, error=None)
    again = list(await tx.scalars(statement.returning(AgendaEntry.subject_id)))
    await tx.execute(text("select pg_notify('tallystick_agenda', '')"))
    return len(again)


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


async def claim_like(tx: Tx, pattern: Due) -> list[Due]:
    """Lock more live entries of the same kind and instant; none when there are none, or others hold them."""
    given = {"kind": pattern.kind.value, "due_at": pattern.due_at, "limit": CHUNK}
    rows = await tx.execute(_CLAIM_LIKE, given)
    return [Due(Kind(row.kind), row.subject_id, row.organization_id, row.due_at) for row in rows]


async def claim_of(tx: Tx, organization_id: uuid.UUID, until: dt.datetime) -> list[Due]:
    """Lock the entries of one organization that fall due first: same instant, same kind, at or before `until`."""
    rows = await tx.execute(_CLAIM_OF, {"organization": organization_id, "until": until, "limit": CHUNK})
    return [Due(Kind(row.kind), row.subject_id, row.organization_id, row.due_at) for row in rows]


_ENTRIES = """
    unnest(cast(:kinds as text[]), cast(:subjects as uuid[]), cast(:organizations as uuid[]),
      cast(:instants as timestamptz[]))"""

_PUT = text("""
    insert into agenda (kind, subject_id, organization_id, due_at, rank, attempts)
    select kind, subject_id, organization_id, due_at, rank, 0
    from unnest(cast(:kinds as text[]), cast(:subjects as uuid[]), cast(:organizations as uuid[]),
      cast(:instants as timestamptz[]), cast(:ranks as smallint[]))
      as e(kind, subject_id, organization_id, due_at, rank)
    on conflict (kind, subject_id) do update set due_at = excluded.due_at, attempts = 0, error = null, failed_at = null
""")

_DONE = text(f"""
    delete from agenda a using {_ENTRIES} as e(kind, subject_id, organization_id, due_at)
    where a.kind = e.kind and a.subject_id = e.subject_id and a.due_at = e.due_at
""")

_HOLD = text(f"""
    select a.subject_id from agenda a
    join {_ENTRIES} as e(kind, subject_id, organization_id, due_at)
      on a.kind = e.kind and a.subject_id = e.subject_id and a.due_at = e.due_at
    for update of a skip locked
""")

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

_CLAIM_LIKE = text("""
    select a.kind, a.subject_id, a.organization_id, a.due_at
    from agenda a join organizations o on o.id = a.organization_id
    where not o.sandbox and a.failed_at is null and a.kind = :kind and a.due_at = :due_at
    order by a.subject_id
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
