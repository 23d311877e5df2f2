"""The worker's loop: due entries of live organizations on the real clock, and sandbox organizations left unsettled."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Sequence
from functools import partial
from operator import attrgetter

from sqlalchemy import text

from tallystick.flows.clockwork.chunks import carry_out_next
from tallystick.flows.clockwork.sandbox import settle_if_due
from tallystick.ground import agenda
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.clock import machine_now
from tallystick.ground.db import Database
from tallystick.ground.notices import listening
from tallystick.ground.outlets import Outlets
from tallystick.rooms.webhooks import log as webhook_log

#: how long the loop sleeps when nothing is due and nobody calls
IDLE_SECONDS = 1.0
#: how often old delivery records are removed
CLEANING = dt.timedelta(hours=6)


async def work(database: Database, outlets: Outlets, stop: asyncio.Event) -> None:
    """Run until `stop`: never idle while something is due."""
    called = asyncio.Event()
    channels = {"tallystick_agenda": called.set, "tallystick_outbox": called.set}
    async with listening(database.url, channels):
        cleaned_at = machine_now() - CLEANING
        while not stop.is_set():
            called.clear()
            now = machine_now()
            if await work_off_due(database, outlets, now):
                continue
            if now - cleaned_at >= CLEANING:
                async with database.begin() as tx:
                    await webhook_log.delete_old(tx, now)
                cleaned_at = now
            waiting = [asyncio.ensure_future(event.wait()) for event in (called, stop)]
            await asyncio.wait(waiting, timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()


async def work_off_due(database: Database, outlets: Outlets, now: dt.datetime) -> int:
    """One round: live entries, and every sandbox organization that has something due."""
    done = await work_off_live(database, now)
    for organization_id in await _unsettled(database, now):
        await settle_if_due(database, outlets, organization_id)
    return done


async def work_off_live(database: Database, now: dt.datetime) -> int:
    """A chunk of live entries; with a full one of bills, another at its side. Returns how many were dealt with.

    The database works on one of them while this process rates the other. Bills of one instant have no order, and the
    second chunk is claimed when all entries of the first one's customers are held, so it cannot part them.
    """
    beside: list[asyncio.Task[int]] = []
    async with asyncio.TaskGroup() as chunks:

        def begun(entries: Sequence[Due]) -> None:
            if entries[0].kind is Kind.BILL and len(entries) >= agenda.CHUNK:
                like = partial(agenda.claim_like, pattern=max(entries, key=attrgetter("due_at")))
                beside.append(chunks.create_task(carry_out_next(database, like)))

        done = await carry_out_next(database, partial(agenda.claim_live, until=now), begun)
    return done + sum(chunk.result() for chunk in beside)


async def _unsettled(database: Database, now: dt.datetime) -> list[uuid.UUID]:
    async with database.begin() as tx:
        return list(await tx.scalars(_UNSETTLED, {"now": now}))


_UNSETTLED = text("""
    select o.id from organizations o
    where o.sandbox and (
      exists (
        select from agenda a
        where a.organization_id = o.id and a.failed_at is null and a.due_at <= coalesce(o.clock_at, :now))
      or exists (select from outbox m where m.organization_id = o.id and m.failed_at is null)
      or exists (
        select from webhook_deliveries d
        where d.organization_id = o.id and d.next_attempt_at <= coalesce(o.clock_at, :now))
      or exists (
        select from procrastinate_jobs j
        where j.queue_name = 'sandbox-' || replace(cast(o.id as text), '-', '') and j.status = 'todo'
          and (j.scheduled_at is null or j.scheduled_at <= :now))
    )
""")
