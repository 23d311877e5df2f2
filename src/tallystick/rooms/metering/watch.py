"""Events of subscriptions that somebody watches: noted in the transaction that stores them (metering.md §1.8).

Only organizations with usage thresholds or alerts are watched. What the usage then is, and what follows, is found by
`flows/usage/check.py`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from enum import Enum

from sqlalchemy import delete

from tallystick.ground.agenda import RANKS, Kind
from tallystick.ground.db import Tx
from tallystick.ground.ids import new_id
from tallystick.ground.memory import Memory
from tallystick.ground.tables import TouchedSubscription
from tallystick.rooms.metering.store import Connection, EventRow

#: notified when thresholds or alerts change (notices.sql)
CHANGED = "tallystick_watches"
#: how long it is remembered of an organization whether it is watched, when no notice comes
SECONDS = 5.0

_WATCHED = """
    select o.id, o.sandbox,
      exists (select from usage_thresholds t where t.organization_id = o.id and t.deleted_at is null)
      or exists (select from alerts a where a.organization_id = o.id and a.deleted_at is null) as watched
    from organizations o
    where o.id = any($1::uuid[])
"""
_NOTE = """
    with touched as (
      insert into touched_subscriptions (id, organization_id, external_subscription_id)
      select id, organization_id, name from unnest($3::uuid[], $4::uuid[], $5::text[]) as e (id, organization_id, name)
    )
    insert into agenda (kind, subject_id, organization_id, due_at, rank, attempts)
    select $1, id, organization_id, due_at, $2, 0
    from unnest($3::uuid[], $4::uuid[], $6::timestamptz[]) as e (id, organization_id, due_at)
"""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Watched(Enum):
    """Whether somebody watches an organization's usage, and how soon looks follow events."""

    NOT = "not"
    #: a look follows at the next full interval, one for all events that came before it
    AT_INTERVALS = "at_intervals"
    #: sandbox organizations: at the instant of the event
    AT_ONCE = "at_once"


class Watch:
    """Told of stored events, puts a look at the usage of their subscriptions on the agenda.

    `memory.forget` is to be called when thresholds or alerts change. Of a sandbox organization nothing is remembered:
    there a threshold and the first event follow each other within an instant.
    """

    def __init__(self, interval_seconds: int) -> None:
        self.memory: Memory[uuid.UUID, Watched] = Memory(SECONDS)
        self._interval = dt.timedelta(seconds=interval_seconds)

    async def __call__(self, connection: Connection, rows: Sequence[EventRow]) -> None:
        """Follows stored events, in their transaction."""
        known = {key: self.memory.get(key) for key in {row.organization_id for row in rows}}
        unknown = [key for key, watched in known.items() if watched is None]
        if unknown:
            known.update(await self._load(connection, unknown))
        if all(watched is Watched.NOT for watched in known.values()):
            return
        due_at: dict[tuple[uuid.UUID, str], dt.datetime] = {}
        for row in rows:
            watched = known[row.organization_id]
            if watched is not None and watched is not Watched.NOT:
                at = row.created_at if watched is Watched.AT_ONCE else self._next(row.created_at)
                due_at[row.organization_id, row.external_subscription_id] = at
        if due_at:
            ids = [new_id() for _ in due_at]
            organizations, names = [key for key, _ in due_at], [name for _, name in due_at]
            kind = Kind.CHECK_USAGE
            await connection.execute(_NOTE, kind.value, RANKS[kind], ids, organizations, names, list(due_at.values()))
            await connection.execute("select pg_notify('tallystick_agenda', '')")

    def _next(self, at: dt.datetime) -> dt.datetime:
        return _EPOCH + -(-(at - _EPOCH) // self._interval) * self._interval

    async def _load(self, connection: Connection, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Watched]:
        generation = self.memory.generation
        found: dict[uuid.UUID, Watched] = {}
        for organization_id, sandbox, watched in await connection.fetch(_WATCHED, list(ids)):
            how = Watched.AT_ONCE if sandbox else Watched.AT_INTERVALS
            found[organization_id] = how if watched else Watched.NOT
            if not sandbox:
                self.memory.keep(organization_id, found[organization_id], generation)
        return found


async def take(tx: Tx, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[uuid.UUID, str]]:
    """Remove these notes; note -> (organization, external subscription id). Ids that are no notes are absent."""
    taken = await tx.execute(
        delete(TouchedSubscription).where(TouchedSubscription.id.in_(ids)).returning(TouchedSubscription)
    )
    return {row.id: (row.organization_id, row.external_subscription_id) for row in taken.scalars()}
