"""Month partitions of `events`, made when the first event of a month arrives. Not for dropping old ones: events stay.

A month never has to have a partition: what arrives before one exists stays in `events_default` and counts the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import asyncpg

from tallystick.rooms.metering.store import Connection

YEARS = range(2015, 2041)
#: a reader of the default partition makes the attachment wait, and waiting writers queue behind it: give up soon
LOCK_TIMEOUT = "2s"
_LOCK_KEY = "events partitions"

Month = tuple[int, int]


class Partitions:
    """The months this process knows to be settled: they have a partition, or will do without one."""

    def __init__(self) -> None:
        self._settled: set[Month] = set()

    def missing(self, timestamps: Iterable[dt.datetime]) -> set[Month]:
        """Months among these instants (UTC) that may need a partition."""
        months = {(at.year, at.month) for at in timestamps} - self._settled
        return {month for month in months if month[0] in YEARS}

    async def ensure(self, pool: asyncpg.Pool[Any], timestamps: Iterable[dt.datetime]) -> None:
        """Make the missing partitions, each in a transaction of its own that holds no other lock."""
        for month in sorted(self.missing(timestamps)):
            async with pool.acquire() as connection:
                try:
                    await create(connection, month)
                except asyncpg.LockNotAvailableError:
                    continue  # the rows go to the default partition; the next event of the month tries again
                except asyncpg.CheckViolationError:
                    pass  # the default partition holds events of this month: it keeps the month
            self._settled.add(month)


async def create(connection: Connection, month: Month) -> None:
    """Attach the partition of a month unless it exists; processes that race for it take turns.

    A table is made first and attached then: `create table … partition of` would lock `events` against every insert.
    Raises `LockNotAvailableError` when readers are in the way, `CheckViolationError` when the default partition already
    holds rows of the month.
    """
    year, number = month
    name = f"events_{year}_{number:02d}"
    start = dt.datetime(year, number, 1, tzinfo=dt.UTC)
    end = dt.datetime(year + number // 12, number % 12 + 1, 1, tzinfo=dt.UTC)
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", _LOCK_KEY)
        if await connection.fetchval("select to_regclass($1)", name) is not None:
            return
        await connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
        await connection.execute(f"create table {name} (like events including all)")
        bounds = f"from ('{start.isoformat()}') to ('{end.isoformat()}')"
        await connection.execute(f"alter table events attach partition {name} for values {bounds}")
