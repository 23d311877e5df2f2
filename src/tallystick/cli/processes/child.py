"""The worker as a child process: started, watched, started again when it dies. Not what the worker does."""

from __future__ import annotations

import asyncio
import os
import sys

import structlog

from tallystick.cli.processes.stopping import pause
from tallystick.ground.clock import machine_monotonic

log = structlog.get_logger(__name__)

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
#: a worker that ran this long had started well: its death is a first one again
HEALTHY_SECONDS = 60.0
#: how long a worker may take to end after its lifeline is cut
GRACE_SECONDS = 40


async def keep_worker(stop: asyncio.Event) -> None:
    """Keep one `tallystick worker` running until `stop`; it reads the same environment."""
    deaths = 0
    while not stop.is_set():
        started = machine_monotonic()
        code = await _run_once(stop)
        if stop.is_set():
            return
        deaths = 0 if machine_monotonic() - started > HEALTHY_SECONDS else deaths + 1
        wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(deaths, 10))
        log.error("the worker died and is started again", exit_status=code, wait_seconds=wait)
        await pause(stop, wait)


async def _run_once(stop: asyncio.Event) -> int:
    """One life of the worker. It ends when the other end of its pipe, which only this process holds, is closed."""
    inherited, kept = os.pipe()
    try:
        # a session of its own: Ctrl-C reaches this process only, which ends the worker in order
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tallystick", "worker", "--lifeline", str(inherited)),
            pass_fds=[inherited],
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except BaseException:
        os.close(kept)
        raise
    finally:
        os.close(inherited)
    log.info("the worker is started", pid=process.pid)
    ended = asyncio.create_task(process.wait())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((ended, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    os.close(kept)
    try:
        return await asyncio.wait_for(asyncio.shield(ended), GRACE_SECONDS)
    except TimeoutError:
        log.error("the worker does not end and is killed", pid=process.pid)
        process.kill()
        return await ended
