"""Watching the embedded PostgreSQL while a process runs on it. Starting and stopping are ground/postgres's work."""

from __future__ import annotations

import asyncio

import structlog

from tallystick.cli.processes.stopping import pause
from tallystick.ground.postgres import EmbeddedPostgresError, Server

log = structlog.get_logger(__name__)

EVERY_SECONDS = 1.0


async def keep_postgres(server: Server, stop: asyncio.Event) -> None:
    """Look every second until `stop`; start it again when it died."""
    while not stop.is_set():
        await pause(stop, EVERY_SECONDS)
        if stop.is_set():
            return
        try:
            if await asyncio.to_thread(server.ensure_running):
                log.warning("the embedded PostgreSQL had died and was started again", port=server.port)
        except EmbeddedPostgresError as error:
            log.error("the embedded PostgreSQL cannot be started", error=str(error))
