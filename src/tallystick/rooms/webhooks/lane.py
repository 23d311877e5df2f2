"""One endpoint's deliveries on their way: a few requests in flight, started in order, each answer recorded.

Every endpoint has a lane of its own, so a slow one delays nobody else. Which endpoints are served is `deliver.py`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import uuid
from dataclasses import dataclass

import structlog

from tallystick.ground.db import Database, Tx
from tallystick.rooms.webhooks import queue
from tallystick.rooms.webhooks.attempt import Sender
from tallystick.rooms.webhooks.fan_out import is_passing
from tallystick.rooms.webhooks.queue import Due, Outcome

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
#: on a sandbox clock, how long a request waits for the answer to the one before it
PATIENCE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Road:
    """What all lanes of a dispatcher share. `turns` bounds how many of them use the database at one time."""

    database: Database
    sender: Sender
    turns: asyncio.Semaphore
    concurrency: int


class Lane:
    """The deliveries of one endpoint: with `at` those due then on a sandbox clock, else those `holder` is leased."""

    def __init__(
        self,
        road: Road,
        endpoint_id: uuid.UUID,
        *,
        holder: uuid.UUID | None = None,
        at: dt.datetime | None = None,
        silent: bool = False,
    ) -> None:
        """A `silent` endpoint, one that failed lately or does not answer at all, gets one request until it answers."""
        self._road = road
        self._endpoint_id = endpoint_id
        self._holder = holder
        self._at = at
        self._flying: dict[asyncio.Task[Outcome], uuid.UUID] = {}
        self._queue = asyncio.Lock()
        self._before: asyncio.Task[Outcome] | None = None
        self._bell = asyncio.Event()
        self._stopping = False
        self._silent = silent

    def ring(self) -> None:
        """Look for new deliveries now."""
        self._bell.set()

    def stop(self) -> None:
        """Start no more attempts; `run` returns when those in flight are recorded."""
        self._stopping = True
        self._bell.set()

    async def run(self) -> None:
        """Send until nothing is due and nothing is in flight."""
        try:
            while True:
                # no answer is lost while the turn is written: what comes back meanwhile rings again
                self._bell.clear()
                for due in await self._turn():
                    self._start(due)
                if not self._flying:
                    return
                await self._next_ring()
        finally:
            for task in self._flying:
                task.cancel()

    async def _next_ring(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if self._stopping else POLL_SECONDS):
                await self._bell.wait()

    def _start(self, due: Due) -> None:
        task = asyncio.create_task(self._road.sender.attempt(due) if self._at is None else self._in_order(due))
        self._flying[task] = due.id
        task.add_done_callback(lambda _: self._bell.set())

    async def _in_order(self, due: Due) -> Outcome:
        """One attempt after the answer to the one before: tests read messages in the order in which they were made.

        A receiver that is slow to answer gets several at a time like everybody else's.
        """
        async with self._queue:
            if self._before is not None:
                await asyncio.wait([self._before], timeout=PATIENCE_SECONDS)
            self._before = attempt = asyncio.create_task(self._road.sender.attempt(due))
        return await attempt

    async def _turn(self) -> list[Due]:
        """In one transaction, record what came back and read what is next for the free places."""
        outcomes = [task.result() for task in self._flying if task.done()]
        self._flying = {task: delivery for task, delivery in self._flying.items() if not task.done()}
        while True:
            try:
                return await self._write_and_read(outcomes)
            except Exception as error:
                # answers must not be lost while the database is away: they are written when it is back
                if not is_passing(error) or self._at is not None:
                    raise
                log.warning("webhook attempts not recorded yet", error=str(error))
                await asyncio.sleep(POLL_SECONDS)

    async def _write_and_read(self, outcomes: list[Outcome]) -> list[Due]:
        if outcomes:
            self._silent = outcomes[-1].http_status is None
        async with self._road.turns, self._road.database.begin() as tx:
            if outcomes:
                await queue.record(tx, outcomes, self._at)
            found = await self._due(tx)
            if not found and not self._flying and self._holder is not None:
                await queue.release(tx, self._holder, [self._endpoint_id])
        return found

    async def _due(self, tx: Tx) -> list[Due]:
        places = (1 if self._silent else self._road.concurrency) - len(self._flying)
        if places <= 0 or self._stopping:
            return []
        busy = list(self._flying.values())
        return await queue.due(tx, self._endpoint_id, self._at, holder=self._holder, busy=busy, limit=places)
