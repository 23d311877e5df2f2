"""The hourly health check of events: what was received and will not be counted as meant (webhooks.md §5.4).

Nothing is blocked and nothing is changed by it; the flow that runs it at its hour is `flows/usage/health.py`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from tallystick.ground.agenda import RANKS, Kind
from tallystick.ground.db import Tx, raw_connection
from tallystick.ground.tables import Event
from tallystick.rooms.metering.store import Connection, EventRow

_PROBLEMS = (Path(__file__).parent / "queries" / "events_problems.sql").read_text()
_SCHEDULE = """
    with entry as (
        insert into agenda (kind, subject_id, organization_id, due_at, rank, attempts)
        select $1, organization_id, organization_id, due_at, $2, 0
        from unnest($3::uuid[], $4::timestamptz[]) as t (organization_id, due_at)
        on conflict do nothing
        returning 1
    )
    select pg_notify('tallystick_agenda', '') from entry limit 1
"""
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Problems:
    """Distinct transaction ids, ascending; one may be in several lists."""

    invalid_code: tuple[str, ...]
    missing_aggregation_property: tuple[str, ...]
    invalid_filter_values: tuple[str, ...]

    def payload(self) -> dict[str, list[str] | None]:
        """The object `events_errors` of the message (webhooks.md §3.14)."""
        return {
            "invalid_code": list(self.invalid_code),
            "missing_aggregation_property": list(self.missing_aggregation_property),
            "missing_group_key": None,
            "invalid_filter_values": list(self.invalid_filter_values),
        }


async def check(tx: Tx, organization_id: uuid.UUID, from_at: dt.datetime, to_at: dt.datetime) -> Problems | None:
    """Problems of the events received in [from_at, to_at), None without any; one query however many events."""
    connection = await raw_connection(tx)
    row = await connection.fetchrow(_PROBLEMS, organization_id, from_at, to_at)
    assert row is not None
    found = Problems(*(tuple(ids or ()) for ids in row))
    return found if any(row) else None


async def first_received_at(tx: Tx, organization_id: uuid.UUID, from_at: dt.datetime) -> dt.datetime | None:
    """When the first event at or after an instant was received."""
    statement = select(func.min(Event.created_at)).where(
        Event.organization_id == organization_id, Event.created_at >= from_at
    )
    return await tx.scalar(statement)


def check_at(received_at: dt.datetime) -> dt.datetime:
    """When an event received at this instant is checked: at the end of its clock hour, UTC."""
    return received_at.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0) + HOUR


class Schedule:
    """Puts the next check of an organization on the agenda with its first event of an hour."""

    def __init__(self) -> None:
        #: organization -> the latest check this process knows to be on the agenda, or to have been
        self._scheduled: dict[uuid.UUID, dt.datetime] = {}

    async def __call__(self, connection: Connection, rows: Sequence[EventRow]) -> None:
        """Follows stored events, in their transaction. A check that is on the agenda finds its successor by itself."""
        latest: dict[uuid.UUID, dt.datetime] = {}
        for row in rows:
            known = latest.get(row.organization_id)
            if known is None or row.created_at > known:
                latest[row.organization_id] = row.created_at
        wanted = {
            organization_id: check_at(received_at)
            for organization_id, received_at in latest.items()
            if self._scheduled.get(organization_id) != check_at(received_at)
        }
        if wanted:
            kind = Kind.CHECK_EVENTS
            await connection.fetch(_SCHEDULE, kind.value, RANKS[kind], list(wanted), list(wanted.values()))
            self._scheduled.update(wanted)
