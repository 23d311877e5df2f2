"""Carry out one chunk of agenda entries in one transaction; a poisoned entry is found by halving and set aside.

Killed at any instruction, the transaction is gone and the entries are still due: run again, they happen once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog
from sqlalchemy.exc import DBAPIError

from tallystick.flows.billing.ticks import whole_customers
from tallystick.flows.clockwork.handlers import HANDLERS
from tallystick.ground import agenda
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.clock import machine_now
from tallystick.ground.db import Database, Tx

log = structlog.get_logger(__name__)

Claim = Callable[[Tx], Awaitable[list[Due]]]

#: told of the entries of a chunk once all of them are held, with their customers
Begun = Callable[[Sequence[Due]], None]

#: PostgreSQL states after which the same work may succeed: lost connections, deadlocks, serialization failures
_PASSING = ("08", "40", "53", "57", "55P03")


async def carry_out_next(database: Database, claim: Claim, begun: Begun | None = None) -> int:
    """Claim a chunk and carry it out; returns how many entries were dealt with, 0 when nothing was claimed."""
    claimed: list[Due] = []
    try:
        async with database.begin() as tx:
            claimed = await claim(tx)
            await _carry_out(tx, claimed, begun)
    except Exception as error:
        if not claimed or _passes(error):
            raise
        log.error("a chunk of the agenda failed", kind=claimed[0].kind, entries=len(claimed), exc_info=error)
        await _bisect(database, claimed, error)
    return len(claimed)


async def _carry_out(tx: Tx, entries: Sequence[Due], begun: Begun | None = None) -> None:
    if entries and entries[0].kind is Kind.BILL:
        entries = await whole_customers(tx, entries)
    if entries:
        if begun is not None:
            begun(entries)
        await HANDLERS[entries[0].kind](tx, entries)
        await agenda.done(tx, entries)


async def _bisect(database: Database, entries: Sequence[Due], error: Exception) -> None:
    """Halve until the culprit is alone, mark it, and let the others go on."""
    if len(entries) == 1:
        async with database.begin() as tx:
            await agenda.mark_failed(tx, entries[0], f"{type(error).__name__}: {error}", machine_now())
        return
    middle = len(entries) // 2
    for half in (entries[:middle], entries[middle:]):
        try:
            async with database.begin() as tx:
                await _carry_out(tx, await agenda.hold(tx, half))
        except Exception as again:
            if _passes(again):
                raise
            await _bisect(database, half, again)


def _passes(error: Exception) -> bool:
    """Whether trying again later may help: then nothing is marked."""
    if isinstance(error, OSError):
        return True
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return isinstance(error, DBAPIError) and (error.connection_invalidated or (state or "").startswith(_PASSING))
