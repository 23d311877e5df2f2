"""What tests do with rollups: have them built, and see whether they answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sqlalchemy import text

from tallystick.core.metering import MeterWindow
from tallystick.ground.db import Database
from tallystick.rooms.metering import rolled, upkeep
from tallystick.rooms.metering.rolled import Rolled


async def want(database: Database, windows: Sequence[MeterWindow]) -> None:
    """Ask for rollups of the windows, as if they had many events; twice, as the first time may only note streams."""
    for _ in range(2):
        async with database.begin() as tx:
            asking = Rolled(tx, windows)
            await asking.answers()
            await asking.remember(dict.fromkeys(range(len(windows)), rolled.WORTHWHILE))


async def catch_up(database: Database) -> None:
    """Have everything built and rolled up; waits for transactions of strangers on the same server."""
    while await upkeep.catch_up(database) or await _unbuilt(database):  # noqa: ASYNC110
        await asyncio.sleep(0.005)


async def _unbuilt(database: Database) -> bool:
    async with database.begin() as tx:
        return bool(await tx.scalar(text("select exists (select from rollups where not built)")))


async def answered(database: Database, windows: Sequence[MeterWindow]) -> set[int]:
    """The places of windows that rollups answer."""
    async with database.begin() as tx:
        return set(await Rolled(tx, windows).answers())
