"""Group commit of events: what arrives while one commit runs is stored by the next one, and acknowledged after it.

No timer: alone, a request is committed at once; under load many requests share a commit. Nothing is checked here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import asyncpg

from tallystick.rooms.metering.partitions import Partitions
from tallystick.rooms.metering.store import INSERT_SETTINGS, Connection, EventRow, insert

#: commits under way at once: while one waits for the disk the next one is prepared
COMMITTERS = 2
#: events in one commit, unless a single request has more
MOST_ROWS = 2_000
#: what one request can do wrong without its neighbours: bad values, too deep JSON, a deadlock
_OWN_FAULTS = (asyncpg.DataError, asyncpg.ProgramLimitExceededError, asyncpg.TransactionRollbackError)

#: told of the stored events in their transaction: what follows from an event commits with it (metering.md §1.8)
Touched: TypeAlias = Callable[[Connection, Sequence[EventRow]], Awaitable[None]]


@dataclass(slots=True, eq=False)
class _Parcel:
    """The events of one request and who waits for them: the answer is the places of refused events."""

    rows: Sequence[EventRow]
    answer: asyncio.Future[list[int]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def settle(self, outcome: list[int] | BaseException) -> None:
        """Wake the waiter, unless it has gone."""
        if self.answer.done():
            return
        if isinstance(outcome, BaseException):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class Intake:
    """The door of the event store in one process. `store` may be called by any number of requests at once."""

    def __init__(self, url: str, touched: Sequence[Touched] = ()) -> None:
        self._url = url
        self._touched = touched
        self._partitions = Partitions()
        self._waiting: deque[_Parcel] = deque()
        self._unanswered: set[asyncio.Future[list[int]]] = set()
        self._wake = asyncio.Event()
        self._pool: asyncpg.Pool[Any] | None = None
        self._committers: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Start the committers."""
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=COMMITTERS,
            reset=_leave,
            server_settings={**INSERT_SETTINGS, "application_name": "tallystick intake"},
        )
        self._committers = [asyncio.create_task(self._commit_forever()) for _ in range(COMMITTERS)]

    async def close(self) -> None:
        """Wait for what was accepted, then end."""
        while self._unanswered:
            await asyncio.wait(self._unanswered)
        for committer in self._committers:
            committer.cancel()
        await asyncio.gather(*self._committers, return_exceptions=True)
        if self._pool is not None:
            await self._pool.close()

    async def store(self, rows: Sequence[EventRow]) -> list[int]:
        """Store the events of one request, all or none; returns after the commit.

        The answer is the places of events whose identity was taken; when there are any, nothing was stored. Raises
        `asyncpg.DataError` or `ProgramLimitExceededError` for values the database cannot hold.
        """
        parcel = _Parcel(rows)
        self._unanswered.add(parcel.answer)
        parcel.answer.add_done_callback(self._unanswered.discard)
        self._waiting.append(parcel)
        self._wake.set()
        return await parcel.answer

    async def _commit_forever(self) -> None:
        while True:
            await self._wake.wait()
            parcels = self._take()
            if parcels:
                await self._commit(parcels)

    def _take(self) -> list[_Parcel]:
        taken: list[_Parcel] = []
        count = 0
        while self._waiting and count < MOST_ROWS:
            parcel = self._waiting.popleft()
            taken.append(parcel)
            count += len(parcel.rows)
        if not self._waiting:
            self._wake.clear()
        return taken

    async def _commit(self, parcels: Sequence[_Parcel]) -> None:
        """Store parcels in one transaction; if one of them spoils it, each has a transaction of its own."""
        assert self._pool is not None
        rows = [row for parcel in parcels for row in parcel.rows]
        try:
            await self._partitions.ensure(self._pool, (row.timestamp for row in rows))
            async with self._pool.acquire() as connection:
                refused = await self._store(connection, parcels, rows)
        except _OWN_FAULTS as error:
            if len(parcels) == 1:
                parcels[0].settle(error)
                return
            refused = None
        except BaseException as error:
            for parcel in parcels:
                parcel.settle(error if isinstance(error, Exception) else ConnectionError("the event store is closing"))
            if not isinstance(error, Exception):
                raise
            return
        if refused is None:
            for parcel in parcels:
                await self._commit([parcel])
            return
        for parcel, places in zip(parcels, refused, strict=True):
            parcel.settle(places)

    async def _store(
        self, connection: Connection, parcels: Sequence[_Parcel], rows: Sequence[EventRow]
    ) -> list[list[int]] | None:
        """Refused places by parcel, committed; None, and nothing stored, when parcels must be stored one by one."""
        transaction = connection.transaction()
        await transaction.start()
        try:
            refused = set(await insert(connection, rows))
            stored = [row for place, row in enumerate(rows) if place not in refused] if refused else rows
            for touched in self._touched:
                await touched(connection, stored)
        except BaseException:
            await transaction.rollback()
            raise
        found = _by_parcel(parcels, refused) if refused else [[] for _ in parcels]
        partly = any(places and len(places) < len(parcel.rows) for parcel, places in zip(parcels, found, strict=True))
        if not partly:
            await transaction.commit()
            return found
        await transaction.rollback()
        return found if len(parcels) == 1 else None


async def _leave(_: Connection) -> None:
    """Nothing to reset: what ended in a transaction left no state in the session, and a query would be its price."""


def _by_parcel(parcels: Sequence[_Parcel], refused: set[int]) -> list[list[int]]:
    """Places in the whole as places inside each parcel."""
    found: list[list[int]] = []
    start = 0
    for parcel in parcels:
        end = start + len(parcel.rows)
        found.append([place - start for place in range(start, end) if place in refused])
        start = end
    return found
