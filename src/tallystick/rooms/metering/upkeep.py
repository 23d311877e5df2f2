"""Builds rollups and keeps them up with new events, in the background. Every step is a transaction of its own.

Between the events that a rollup holds and those that are noted as unrolled, none is missing and none is twice, at any
instant (docs/decisions/0011). Whoever changes that holds the row of the stream.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
import structlog
from sqlalchemy import TextClause, text

from tallystick.ground.db import Database, Tx, raw_connection
from tallystick.rooms.metering.questions import read_question
from tallystick.rooms.metering.rolled import READS, figures_query, kind_of
from tallystick.rooms.metering.selection import SELECTED_NOTED, SELECTED_ROLLED, RollupRef, fetch, read_query

log = structlog.get_logger(__name__)

#: how long the loop sleeps when nothing is to do
IDLE_SECONDS = 1.0
#: what is rolled up in one transaction: notes, and events in them
NOTES, EVENTS = 5_000, 20_000
#: rollups that nobody asked for so many days are dropped
DAYS_KEPT = 7
#: how often that is looked at
CLEANING_SECONDS = 3_600.0

Stored = tuple[uuid.UUID, uuid.UUID, str]


def _keeping(selection: str, kind: str) -> str:
    texts = read_query("rollups/keep_texts") if kind == "unique_count" else ""
    return selection + figures_query(kind) + texts + read_query("rollups/keep")


_BUILD = {kind: _keeping(SELECTED_ROLLED, kind) for kind in READS}
_FOLD = {kind: _keeping(SELECTED_NOTED, kind) for kind in READS}

#: the transactions that may not have seen a stream are below the number that the next one gets
_SETTLE = text("""
    update rolled_streams set horizon = cast(cast(pg_snapshot_xmax(pg_current_snapshot()) as text) as bigint)
    where horizon is null
""")
_UNBUILT = text("""
    select s.id from rolled_streams s
    where s.horizon <= cast(cast(pg_snapshot_xmin(pg_current_snapshot()) as text) as bigint)
      and exists (select from rollups r where r.stream_id = s.id and not r.built)
    limit 1
    for no key update skip locked
""")
_BEHIND = text("""
    select s.id from rolled_streams s
    where exists (select from unrolled_events u where u.stream_id = s.id)
      and exists (select from rollups r where r.stream_id = s.id and r.built)
    limit 200
    for no key update skip locked
""")
_FORGET = text("delete from rolled_streams where id = any(:ids)")
_UNASKED = text("delete from rollups where asked_on < current_date - cast(:days as int)")
_EMPTY = text("delete from rolled_streams s where not exists (select from rollups r where r.stream_id = s.id)")
_UNCLAIMED = text("delete from unrolled_events where stream_id not in (select id from rolled_streams)")
_ROLLUPS = "select id, stream_id, question::text from rollups where stream_id = any($1) and built = $2"
_ROLLED = "delete from unrolled_events where stream_id = any($1) and id = any($2)"
_NOTES = """
    select id
    from (
      select id, sum(cardinality(event_ids)) over (order by id rows unbounded preceding exclude current row) as before
      from (select id, event_ids from unrolled_events where stream_id = any($1) order by id limit $2) n
    ) n
    where coalesce(before, 0) < $3
"""


async def keep(database: Database) -> None:
    """Keep rollups until cancelled, which may happen anywhere. What takes long to build holds nothing else up."""
    async with asyncio.TaskGroup() as loops:
        loops.create_task(_repeat(build, database, IDLE_SECONDS))
        loops.create_task(_repeat(roll_up, database, IDLE_SECONDS))
        loops.create_task(_repeat(drop_unasked, database, CLEANING_SECONDS))


async def _repeat(step: Callable[[Database], Awaitable[bool]], database: Database, idle_seconds: float) -> None:
    while True:
        if not await step(database):
            await asyncio.sleep(idle_seconds)


async def catch_up(database: Database) -> bool:
    """One round of everything that events make necessary. Whether there was any."""
    built = await build(database)
    return await roll_up(database) or built


async def build(database: Database) -> bool:
    """Settle new streams, and build the rollups of a stream. Whether there were any."""
    async with database.begin() as tx:
        settled = (await tx.execute(_SETTLE)).rowcount  # type: ignore[attr-defined]
    return await _attempt(database, _UNBUILT, _build) or bool(settled)


async def roll_up(database: Database) -> bool:
    """Add new events to the rollups of some streams. Whether there were any."""
    return await _attempt(database, _BEHIND, _fold)


async def _attempt(
    database: Database, claim: TextClause, work: Callable[[Tx, Sequence[uuid.UUID]], Awaitable[None]]
) -> bool:
    """Do the work on the streams it claims, if any; what cannot be done is not needed: the streams are dropped."""
    stream_ids: list[uuid.UUID] = []
    try:
        async with database.begin() as tx:
            stream_ids += await tx.scalars(claim)
            if stream_ids:
                await work(tx, stream_ids)
    except asyncpg.PostgresError as error:
        log.error("rollups were dropped after an error", streams=len(stream_ids), exc_info=error)
        async with database.begin() as tx:
            await tx.execute(_FORGET, {"ids": stream_ids})
    return bool(stream_ids)


async def _build(tx: Tx, stream_ids: Sequence[uuid.UUID]) -> None:
    """Build rollups from all events that are not noted as unrolled."""
    connection = await raw_connection(tx)
    stored = [tuple(row) for row in await connection.fetch(_ROLLUPS, stream_ids, False)]
    await _add(tx, stored, _BUILD)
    await connection.execute("update rollups set built = true where id = any($1)", [row[0] for row in stored])


async def _fold(tx: Tx, stream_ids: Sequence[uuid.UUID]) -> None:
    """Add what is noted as unrolled to the rollups of the streams."""
    connection = await raw_connection(tx)
    stored = [tuple(row) for row in await connection.fetch(_ROLLUPS, stream_ids, True)]
    notes = [row["id"] for row in await connection.fetch(_NOTES, stream_ids, NOTES, EVENTS)]
    await _add(tx, stored, _FOLD, notes)
    await connection.execute(_ROLLED, stream_ids, notes)


async def _add(tx: Tx, stored: Sequence[Stored], queries: dict[str, str], *notes: list[int]) -> None:
    """Add events to rollups, by one statement for each aggregation."""
    questions = [read_question(question) for _, _, question in stored]
    windows = [question.window for question in questions]
    by_kind: dict[str, dict[int, RollupRef]] = {}
    for place, (rollup_id, stream_id, _) in enumerate(stored):
        reference = RollupRef(rollup_id, stream_id, questions[place].earliest_at)
        by_kind.setdefault(kind_of(windows[place]), {})[place] = reference
    for kind, rollups in by_kind.items():
        await fetch(tx, queries[kind], windows, list(rollups), READS[kind], kind, *notes, rollups=rollups)


async def drop_unasked(database: Database) -> bool:
    """Drop rollups that nobody asked for lately, streams without rollups, and notes of streams that are gone.

    There is never more to do at once.
    """
    async with database.begin() as tx:
        # whoever asks for rollups holds this lock: a stream does not go while a rollup comes
        if await tx.scalar(text("select pg_try_advisory_xact_lock(hashtextextended('rollups', 0))")):
            await tx.execute(
                text("delete from rollups where asked_on < current_date - cast(:days as int)"), {"days": DAYS_KEPT}
            )
            await tx.execute(
                text("delete from rolled_streams s where not exists (select from rollups r where r.stream_id = s.id)")
            )
        await tx.execute(_UNCLAIMED)
    return False


async def drop(tx: Tx) -> int:
    """Forget all rollups, and how many; usage is read from raw events until they are built anew. Nobody waits."""
    dropped = await tx.scalar(text("select count(*) from rollups"))
    await tx.execute(text("delete from rolled_streams"))
    await tx.execute(_UNCLAIMED)
    return dropped or 0
