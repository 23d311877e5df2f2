"""PostgreSQL's LISTEN: what one process changed, the others forget at once. Not a queue: notices may be missed.

Whoever remembers something also lets it grow old by itself, so that a lost connection only delays.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

import asyncpg
import structlog

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = 1.0


@contextlib.asynccontextmanager
async def listening(url: str, listeners: Mapping[str, Callable[[], None]]) -> AsyncIterator[None]:
    """While the block runs, a notice on a channel calls its listener; so does every new connection."""
    task = asyncio.create_task(_listen_forever(url, listeners), name="notices")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _listen_forever(url: str, listeners: Mapping[str, Callable[[], None]]) -> None:
    while True:
        try:
            await _listen(url, listeners)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("not listening for notices", error=str(error))
        await asyncio.sleep(RECONNECT_SECONDS)


async def _listen(url: str, listeners: Mapping[str, Callable[[], None]]) -> None:
    """Until the connection ends."""
    ended = asyncio.Event()
    connection = await asyncpg.connect(url, server_settings={"application_name": "tallystick notices"})
    try:
        connection.add_termination_listener(lambda _: ended.set())
        for channel, listener in listeners.items():
            await connection.add_listener(channel, lambda *_, forget=listener: forget())
            listener()  # what was said before this connection is not known
        await ended.wait()
    finally:
        connection.terminate()
