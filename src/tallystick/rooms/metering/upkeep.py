"""Builds rollups and keeps them up with new events, in the background. Every step is a transaction of its own.

Between the events that a rollup holds and those that are noted as unrolled, none is missing and none is twice, at any
instant (docs/decisions/0011). Whoever changes that holds the row of the stream.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
import structlog
from sqlalchemy import TextClause, text

from tallystick.ground.clock import machine_now
from tallystick.ground.db import Database, Tx, raw_connection
from tallystick.rooms.metering.questions import read_question
from tallystick.rooms.metering.rolled import READS, figures_query, kind_of
from tallystick.rooms.metering.selection import SELECTED_NOTED, SELECTED_ROLLED, RollupRef, fetch, read_query

log = structlog.get_logger(__name__)

#: how long the loop sleeps when nothing is to do
IDLE_SECONDS = 1.0
#: notes that are rolled up in one transaction
NOTES = 2_000
#: rollups that nobody asked for so many days are dropped
DAYS_KEPT = 7
#: how often that is looked at
CLEANING = dt.timedelta(hours=1)

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
_NOTES = "select id from unrolled_events where stream_id = any($1) order by id limit $2"


async def keep(database: Database) -> None:
    """Keep rollups until cancelled, which may happen anywhere; idle while there is nothing to do."""
    cleaned_at = None
    while True:
        now = machine_now()
        if cleaned_at is None or now - cleaned_at >= CLEANING:
            await drop_unasked(database)
            cleaned_at = now
        if not await catch_up(database):
            await asyncio.sleep(IDLE_SECONDS)


async def catch_up(database: Database) -> bool:
    """One round: new streams, one stream with rollups to build, some streams with new events. Whether it did any."""
    async with database.begin() as tx:
        settled = (await tx.execute(_SETTLE)).rowcount  # type: ignore[attr-defined]
    built = await _attempt(database, _UNBUILT, _build)
    folded = await _attempt(database, _BEHIND, _fold)
    return bool(settled or built or folded)


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
    notes = [row["id"] for row in await connection.fetch(_NOTES, stream_ids, NOTES)]
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


async def drop_unasked(database: Database) -> None:
    """Drop rollups that nobody asked for lately, streams without rollups, and notes of streams that are gone."""
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


async def drop(tx: Tx) -> int:
    """Forget all rollups, and how many; usage is read from raw events until they are built anew. Nobody waits."""
    dropped = await tx.scalar(text("select count(*) from rollups"))
    await tx.execute(text("delete from rolled_streams"))
    await tx.execute(_UNCLAIMED)
    return dropped or 0
