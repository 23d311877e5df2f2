"""The dispatcher: serves endpoints of live organizations for ever, those of a sandbox one when its clock says so.

Not for what is sent or when it is tried again; it only decides which endpoints this process serves.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import uuid
from collections.abc import Awaitable, Callable

import structlog

from tallystick.ground.db import Tx
from tallystick.ground.installation import Installation
from tallystick.ground.notices import listening
from tallystick.ground.outbox import CHANNEL
from tallystick.rooms.webhooks import queue
from tallystick.rooms.webhooks.attempt import Sender
from tallystick.rooms.webhooks.fan_out import FanOut
from tallystick.rooms.webhooks.lane import POLL_SECONDS, Lane, Road
from tallystick.rooms.webhooks.ports import Renderer

log = structlog.get_logger(__name__)

#: a dispatcher that was killed loses its endpoints after so long; a living one renews in time
LEASE_SECONDS = 30
RENEW_SECONDS = 10.0
#: how long requests in flight may finish when the process ends
GRACE_SECONDS = 5.0
#: lanes that use the database at the same time
TURNS = 4


class Dispatcher:
    """Sends webhooks (webhooks.md §1.1 steps 3 to 5). Make one for each event loop; `run` or `close` ends it."""

    def __init__(self, installation: Installation, renderer: Renderer) -> None:
        settings = installation.settings
        self._database = installation.database
        self._id = uuid.uuid4()
        self._sender = Sender(installation)
        self._fan_out = FanOut(installation.database, renderer, settings.webhook_name_aliases)
        self._road = Road(
            installation.database, self._sender, asyncio.Semaphore(TURNS), settings.webhook_endpoint_concurrency
        )
        self._lanes: dict[uuid.UUID, Lane] = {}
        self._tasks: dict[asyncio.Task[None], uuid.UUID] = {}
        self._outbox_bell = asyncio.Event()
        self._due_bell = asyncio.Event()

    # -- sandbox organizations: driven by their clock -----------------------------------------------

    async def deliver_due(self, organization_id: uuid.UUID, at: dt.datetime) -> None:
        """Fan out the organization's outbox and attempt every delivery due at `at`, until none is.

        The next wait of a failed attempt counts from `at`. The caller holds the organization's clock.
        """
        while True:
            while (await self._fan_out.step(organization_id, at)).taken:
                pass
            async with self._database.begin() as tx:
                endpoint_ids = await queue.due_endpoints(tx, organization_id, at)
            if not endpoint_ids:
                return
            async with asyncio.TaskGroup() as lanes:
                for endpoint_id in endpoint_ids:
                    lanes.create_task(Lane(self._road, endpoint_id, at=at).run())

    async def next_due_at(self, tx: Tx, organization_id: uuid.UUID) -> dt.datetime | None:
        """When `deliver_due` has something to do next; None: nothing waits."""
        return await queue.next_due_at(tx, organization_id)

    async def close(self) -> None:
        """Close all connections to receivers."""
        await self._sender.close()

    # -- live organizations: served until cancelled -------------------------------------------------

    async def run(self) -> None:
        """Serve live organizations until cancelled; then requests in flight get a few seconds to finish."""
        try:
            async with listening(self._database.url, {CHANNEL: self._ring}), asyncio.TaskGroup() as loops:
                loops.create_task(_repeat(self._fan_out_all, self._outbox_bell, POLL_SECONDS))
                loops.create_task(_repeat(self._take_endpoints, self._due_bell, POLL_SECONDS))
                loops.create_task(_repeat(self._renew_leases, asyncio.Event(), RENEW_SECONDS))
        finally:
            await self._end()

    def _ring(self) -> None:
        self._outbox_bell.set()
        self._due_bell.set()

    async def _fan_out_all(self) -> None:
        """One transaction for each organization in turn, so that a large one does not keep the others waiting."""
        while waiting := await self._fan_out.waiting():
            taken = 0
            for organization_id in waiting:
                step = await self._fan_out.step(organization_id)
                taken += step.taken
                for endpoint_id in step.endpoint_ids:
                    if endpoint_id in self._lanes:
                        self._lanes[endpoint_id].ring()
                if step.endpoint_ids - self._lanes.keys():
                    self._due_bell.set()
            if not taken:
                return  # other dispatchers are at them

    async def _take_endpoints(self) -> None:
        async with self._database.begin() as tx:
            taken = await queue.take(tx, self._id, LEASE_SECONDS, list(self._lanes))
        for endpoint_id, failing in taken:
            lane = self._lanes[endpoint_id] = Lane(self._road, endpoint_id, holder=self._id, silent=failing)
            task = asyncio.create_task(lane.run(), name=f"webhooks {endpoint_id}")
            self._tasks[task] = endpoint_id
            task.add_done_callback(self._lane_ended)

    def _lane_ended(self, task: asyncio.Task[None]) -> None:
        self._lanes.pop(self._tasks.pop(task), None)
        if not task.cancelled() and (error := task.exception()) is not None:
            # the lease is not given back: the endpoint rests until it lapses
            log.error("webhook lane broke", exc_info=error)
        # something may have fallen due between its last look and now
        self._due_bell.set()

    async def _renew_leases(self) -> None:
        if self._lanes:
            async with self._database.begin() as tx:
                await queue.renew(tx, self._id, LEASE_SECONDS, list(self._lanes))

    async def _end(self) -> None:
        for lane in self._lanes.values():
            lane.stop()
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
            left = [self._tasks[task] for task in unfinished]
            for task in unfinished:
                task.cancel()
            with contextlib.suppress(Exception):  # leases lapse by themselves
                async with self._database.begin() as tx:
                    await queue.release(tx, self._id, left)
        await self.close()


async def _repeat(step: Callable[[], Awaitable[None]], bell: asyncio.Event, seconds: float) -> None:
    """Do the step for ever: whenever the bell rings, and every so many seconds; an error is logged and waited out."""
    while True:
        bell.clear()
        try:
            await step()
        except Exception as error:
            log.error("webhook dispatcher", step=getattr(step, "__name__", ""), exc_info=error)
            await asyncio.sleep(POLL_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await bell.wait()
