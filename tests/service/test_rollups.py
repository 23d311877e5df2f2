"""Rollups under the hands of others: transactions that overlap, tables that are emptied, upkeep that is interrupted."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import text

from tallystick.core.aggregate import Event
from tallystick.core.metering import MeterWindow
from tallystick.ground.db import Database, Tx, raw_connection
from tallystick.rooms.metering import measure, rolled, upkeep
from tests.support import metering as build
from tests.support.rollups import answered, catch_up, want

KINDS = ("count", "sum", "max", "latest", "unique_count", "weighted_sum")
JUNE = build.at("2026-06-01")


def events(count: int, first: int = 1) -> list[Event]:
    """Events of June, an hour apart."""
    return [
        Event(JUNE + dt.timedelta(hours=place % 700), JUNE, place, {build.FIELD: place % 7, "region": f"r{place % 3}"})
        for place in range(first, first + count)
    ]


async def store(database: Database, window: MeterWindow, given: Sequence[Event]) -> None:
    async with database.begin() as tx:
        await build.store_events(tx, window, given)


async def count(tx: Tx, window: MeterWindow) -> int:
    """How many events usage has."""
    (bucket,) = await measure.meter(tx, [window])
    return bucket.usage.events_count


async def counted(database: Database, window: MeterWindow) -> int:
    async with database.begin() as tx:
        return await count(tx, window)


def windows(filters: int = 0) -> list[MeterWindow]:
    """A window of each kind over events of its own."""
    lists = tuple(build.price_filter({"region": [f"r{place}"]}, "tier") for place in range(filters))
    return [build.window(build.charge(build.metric(kind), filters=lists), key=key) for key, kind in enumerate(KINDS)]


async def test_what_began_before_is_waited_for(database: Database) -> None:
    """A transaction that stored events before their stream was known ends after the rollup was asked for."""
    window = build.window(build.charge(build.metric("count")))
    async with database.begin() as late:
        await build.store_events(late, window, events(3))
        await want(database, [window])
        for _ in range(3):
            await upkeep.catch_up(database)
        assert await answered(database, [window]) == set()
    assert await counted(database, window) == 3
    await catch_up(database)
    assert await answered(database, [window]) == {0}
    assert await counted(database, window) == 3


async def test_what_begins_later_is_noted(database: Database) -> None:
    """A transaction stores events once their stream is known, and ends after the rollup was built without them."""
    window = build.window(build.charge(build.metric("count")))
    await store(database, window, events(2))
    await want(database, [window])
    await upkeep.catch_up(database)  # the stream is settled
    async with database.begin() as late:
        await build.store_events(late, window, events(3, first=10))
        await catch_up(database)
        assert await answered(database, [window]) == {0}
        assert await counted(database, window) == 2
    assert await counted(database, window) == 5
    await catch_up(database)
    assert await counted(database, window) == 5


async def test_events_need_read_committed(database: Database) -> None:
    """A snapshot older than the transaction's number would break the proof (rollups.sql)."""
    window = build.window(build.charge(build.metric("count")))
    async with database.begin() as tx:
        await tx.execute(text("set transaction isolation level repeatable read"))
        with pytest.raises(asyncpg.RaiseError, match="read committed"):
            await build.store_events(tx, window, events(1))
        await tx.rollback()


@pytest.mark.parametrize(
    "table", ["unrolled_events", "rollup_parts", "rollup_texts", "rollups cascade", "rolled_streams cascade"]
)
async def test_any_table_can_be_emptied(database: Database, table: str) -> None:
    asked = windows()
    for window in asked:
        await store(database, window, events(20))
    async with database.begin() as tx:
        expected = await measure.meter(tx, asked)
    await want(database, asked)
    await catch_up(database)
    for window in asked:
        await store(database, window, events(5, first=30))
    async with database.begin() as tx:
        expected = await measure.meter(tx, asked)
        await tx.execute(text(f"truncate {table}"))
        assert await measure.meter(tx, asked) == expected
    assert await answered(database, asked) == set()
    await catch_up(database)
    async with database.begin() as tx:
        assert await measure.meter(tx, asked) == expected


async def test_upkeep_can_be_interrupted_anywhere(database: Database) -> None:
    asked = windows(2)
    for window in asked:
        await store(database, window, events(50))
    await want(database, asked)
    for pause in range(25):
        keeping = asyncio.create_task(catch_up(database))
        await asyncio.wait([keeping], timeout=pause / 1000)
        keeping.cancel()
        await asyncio.wait([keeping])
        for window in asked:
            await store(database, window, events(2, first=100 + pause * 2))
    async with database.begin() as tx:
        found = await measure.meter(tx, asked)
    await catch_up(database)
    assert await answered(database, asked) == set(range(len(asked)))
    async with database.begin() as tx:
        assert await measure.meter(tx, asked) == found
        await upkeep.drop(tx)
        assert await measure.meter(tx, asked) == found


async def test_the_number_of_queries_is_constant(database: Database) -> None:
    """With rollups, with and without events that wait, however many charges and filters there are."""
    numbers: dict[str, set[int]] = {"rolled up": set(), "waiting": set()}
    for charges, filters in ((1, 1), (20, 200)):
        asked = [replace(one, organization_id=uuid.uuid4()) for _ in range(charges) for one in windows(filters)]
        for window in asked:
            await store(database, window, events(4))
        await want(database, asked)
        await catch_up(database)
        numbers["rolled up"].add(await statements(database, asked))
        for window in asked:
            await store(database, window, events(1, first=90))
        numbers["waiting"].add(await statements(database, asked))
    assert {name: len(seen) for name, seen in numbers.items()} == {"rolled up": 1, "waiting": 1}


async def statements(database: Database, asked: Sequence[MeterWindow]) -> int:
    """How many statements usage of rolled up windows takes."""
    assert await answered(database, asked) == set(range(len(asked)))
    async with database.begin() as tx:
        connection = await raw_connection(tx)
        sent: list[str] = []
        with connection.query_logger(lambda record: sent.append(record.query)):
            await measure.meter(tx, asked)
    return len(sent)


async def test_only_what_is_worth_it_is_asked_for(database: Database) -> None:
    """Many events, and a caller that measures again; a billing run does not."""
    few, many = (build.window(build.charge(build.metric("count"))) for _ in range(2))
    await store(database, few, events(rolled.WORTHWHILE - 1))
    await store(database, many, events(rolled.WORTHWHILE))
    async with database.begin() as tx:
        await measure.meter(tx, [few, many])
    await catch_up(database)
    assert await answered(database, [few, many]) == set()
    async with database.begin() as tx:
        await measure.meter(tx, [few, many], again=True)
    await catch_up(database)
    assert await answered(database, [few, many]) == {1}


async def test_what_nobody_asks_for_is_dropped(database: Database) -> None:
    used, unused = (build.window(build.charge(build.metric("count"))) for _ in range(2))
    for window in (used, unused):
        await store(database, window, events(3))
    await want(database, [used, unused])
    await catch_up(database)
    async with database.begin() as tx:
        await tx.execute(text("update rollups set asked_on = current_date - 8"))
        await measure.meter(tx, [used], again=True)
    await upkeep.drop_unasked(database)
    assert await answered(database, [used, unused]) == {0}
    assert await counted(database, unused) == 3


async def test_too_many_waiting_events_are_not_collected(database: Database) -> None:
    """While upkeep is far behind, raw events are read."""
    window = build.window(build.charge(build.metric("count")))
    await want(database, [window])
    await catch_up(database)
    await store(database, window, events(rolled.MOST_WAITING))
    assert await answered(database, [window]) == set()
    assert await counted(database, window) == rolled.MOST_WAITING
    await catch_up(database)
    assert await answered(database, [window]) == {0}
