"""Events that cost something at once: written on the agenda in the transaction that stores them (metering.md §6.1).

Whether an event really makes a fee is decided when its entry is carried out (`flows/billing/events.py`).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from tallystick.ground.agenda import RANKS, Kind
from tallystick.ground.memory import Memory
from tallystick.rooms.metering.store import Connection, EventRow

#: how long the codes of an organization are remembered when no notice comes
SECONDS = 5.0

_CODES = """
    select o.id, o.sandbox, array(
        select distinct m.code from charges c
        join billable_metrics m on m.id = c.billable_metric_id
        where c.organization_id = o.id and c.pay_in_advance and c.deleted_at is null and m.deleted_at is null
    ) as codes
    from organizations o
    where o.id = any($1::uuid[])
"""
_PUT = """
    insert into agenda (kind, subject_id, organization_id, due_at, rank, attempts)
    select $1, id, organization_id, due_at, $2, 0
    from unnest($3::uuid[], $4::uuid[], $5::timestamptz[]) as e (id, organization_id, due_at)
"""


class Prompt:
    """Told of stored events, puts those on the agenda whose code a charge paid in advance uses.

    `memory.forget` is to be called when metrics or charges change. What a sandbox organization's charges use is never
    remembered: there a charge and its first event follow each other within an instant.
    """

    def __init__(self) -> None:
        #: organization -> event codes
        self.memory: Memory[uuid.UUID, frozenset[str]] = Memory(SECONDS)

    async def __call__(self, connection: Connection, rows: Sequence[EventRow]) -> None:
        """Follows stored events, in their transaction."""
        known = {key: self.memory.get(key) for key in {row.organization_id for row in rows}}
        unknown = [key for key, codes in known.items() if codes is None]
        if unknown:
            known.update(await self._load(connection, unknown))
        if not any(known.values()):
            return
        due = [row for row in rows if row.code in (known[row.organization_id] or ())]
        if due:
            kind = Kind.BILL_EVENT
            places = [row.id for row in due], [row.organization_id for row in due], [row.created_at for row in due]
            await connection.execute(_PUT, kind.value, RANKS[kind], *places)
            await connection.execute("select pg_notify('tallystick_agenda', '')")

    async def _load(self, connection: Connection, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, frozenset[str] | None]:
        generation = self.memory.generation
        found: dict[uuid.UUID, frozenset[str] | None] = {}
        for organization_id, sandbox, codes in await connection.fetch(_CODES, list(ids)):
            found[organization_id] = frozenset(codes)
            if not sandbox:
                self.memory.keep(organization_id, frozenset(codes), generation)
        return found
