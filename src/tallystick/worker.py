"""The worker process: the agenda, webhooks, jobs and rollups side by side, each started again when it fails.

What they do is theirs; how the process starts and ends is the command line's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from tallystick.flows.clockwork.live import work
from tallystick.ground import garbage
from tallystick.ground.installation import Installation
from tallystick.rooms.metering import upkeep
from tallystick.rooms.webhooks.deliver import Dispatcher
from tallystick.rooms.webhooks.ports import Renderer

log = structlog.get_logger(__name__)

RESTART_SECONDS = 2.0


async def run(installation: Installation, renderer: Renderer, stop: asyncio.Event) -> None:
    """Run all loops until `stop`; then what is under way gets its time to finish."""
    concurrency = installation.settings.worker_concurrency
    garbage.calm()
    await asyncio.gather(
        _keep("clockwork", lambda: work(installation.database, installation.outlets, stop), stop),
        # a dispatcher that has ended does not start again
        _keep("webhooks", lambda: _until(stop, Dispatcher(installation, renderer).run()), stop),
        _keep("rollups", lambda: _until(stop, upkeep.keep(installation.database)), stop),
        _keep("jobs", lambda: _until(stop, installation.jobs.run_worker(concurrency)), stop),
    )


async def _keep(name: str, loop: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Run the loop until `stop`; one that fails or ends is logged and started again after a while."""
    while not stop.is_set():
        try:
            await loop()
        except Exception as error:
            log.error("a loop of the worker failed and is started again", loop=name, exc_info=error)
        if not stop.is_set():
            await _until(stop, asyncio.sleep(RESTART_SECONDS))


async def _until(stop: asyncio.Event, running: Awaitable[None]) -> None:
    """Wait for `running`, and cancel it at `stop`."""
    task = asyncio.ensure_future(running)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if not task.done():
            task.cancel()
        await asyncio.wait((task,))
    if not task.cancelled():
        task.result()
