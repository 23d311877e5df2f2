"""The test clock of a sandbox organization: advancing it does all work that falls due on the way, each at its time.

One process at a time works on one sandbox organization: an advisory lock on a connection of its own holds the others.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy import select, text, update

from tallystick.flows.clockwork.chunks import carry_out_next
from tallystick.ground import agenda
from tallystick.ground.clock import machine_now
from tallystick.ground.db import Database, Tx
from tallystick.ground.errors import Forbidden, Invalid
from tallystick.ground.outlets import Outlets
from tallystick.ground.tables import AgendaEntry, Organization


async def now_of(tx: Tx, organization_id: uuid.UUID) -> dt.datetime:
    """The organization's now; 403 `not_a_sandbox` for a live one."""
    return await _clock_of(tx, organization_id) or machine_now()


async def _clock_of(tx: Tx, organization_id: uuid.UUID) -> dt.datetime | None:
    """The clock as it was set, None before the first time."""
    organization = await tx.get_one(Organization, organization_id)
    if not organization.sandbox:
        raise Forbidden("not_a_sandbox")
    return organization.clock_at


async def advance(database: Database, outlets: Outlets, organization_id: uuid.UUID, to: dt.datetime) -> dt.datetime:
    """Move the clock to `to` in the steps of the agenda, then settle; 422 when `to` lies in the clock's past."""
    async with _lock(database, organization_id, "pg_advisory_lock"):
        async with database.begin() as tx:
            clock_at = await _clock_of(tx, organization_id)
        if clock_at is not None and to < clock_at:
            raise Invalid.field("now", "value_is_out_of_range")
        await _settle(database, outlets, organization_id, clock_at if clock_at is not None else to)
        while (step_at := await _next_step(database, outlets, organization_id)) is not None and step_at <= to:
            reached = step_at if clock_at is None else max(clock_at, step_at)
            await _set_clock(database, organization_id, reached)
            await _settle(database, outlets, organization_id, reached)
            clock_at = reached
        await _set_clock(database, organization_id, to)
        await _settle(database, outlets, organization_id, to)
    return to


async def settle_if_due(database: Database, outlets: Outlets, organization_id: uuid.UUID) -> None:
    """What the worker does for a sandbox organization between two calls of its owner: work that is due already."""
    async with _lock(database, organization_id, "pg_try_advisory_lock") as mine:
        if mine:
            async with database.begin() as tx:
                now = await now_of(tx, organization_id)
            await _settle(database, outlets, organization_id, now)


async def _settle(database: Database, outlets: Outlets, organization_id: uuid.UUID, at: dt.datetime) -> None:
    """Agenda, jobs and deliveries that are due at `at`, until none is left; one may cause another."""
    claim = partial(agenda.claim_of, organization_id=organization_id, until=at)
    busy = True
    while busy:
        while await carry_out_next(database, claim):
            pass
        busy = await outlets.drain_jobs(organization_id)
        await outlets.deliver_due(organization_id, at)


async def _next_step(database: Database, outlets: Outlets, organization_id: uuid.UUID) -> dt.datetime | None:
    """The next instant at which something falls due."""
    async with database.begin() as tx:
        entry_at = await tx.scalar(
            select(AgendaEntry.due_at)
            .where(AgendaEntry.organization_id == organization_id, AgendaEntry.failed_at.is_(None))
            .order_by(AgendaEntry.due_at)
            .limit(1)
        )
        delivery_at = await outlets.next_delivery_at(tx, organization_id)
    return min((at for at in (entry_at, delivery_at) if at is not None), default=None)


async def _set_clock(database: Database, organization_id: uuid.UUID, at: dt.datetime) -> None:
    async with database.begin() as tx:
        await tx.execute(update(Organization).where(Organization.id == organization_id).values(clock_at=at))


@asynccontextmanager
async def _lock(database: Database, organization_id: uuid.UUID, function: str) -> AsyncIterator[bool]:
    """Nobody else moves or settles this organization's clock; the lock dies with this process.

    `function` is PostgreSQL's that waits, or the one that only tries; yields whether the lock was taken.
    """
    key = {"key": f"clock:{organization_id}"}
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        taken = await connection.scalar(text(f"select {function}(hashtextextended(:key, 0))"), key) is not False
        try:
            yield taken
        finally:
            if taken:
                await connection.execute(text("select pg_advisory_unlock(hashtextextended(:key, 0))"), key)
