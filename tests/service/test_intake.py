"""Group commit of events: what shares a commit does not share a fate."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest
from sqlalchemy import text

from tallystick.ground.db import Database
from tallystick.ground.ids import new_id
from tallystick.rooms.metering.intake import Intake
from tallystick.rooms.metering.store import Connection, EventRow
from tests.support import metering as build

AT = build.at("2026-06-05")


@pytest.fixture
async def intake(database: Database) -> AsyncIterator[Intake]:
    opened = Intake(database.url)
    await opened.open()
    yield opened
    await opened.close()


def row(organization_id: uuid.UUID, transaction_id: str, properties: str = "{}", month: str = "2026-06") -> EventRow:
    at = build.at(f"{month}-05")
    return EventRow(organization_id, new_id(), transaction_id, "sub", "code", at, properties, None, AT)


async def stored(database: Database, organization_id: uuid.UUID) -> list[str]:
    async with database.begin() as tx:
        statement = text("select transaction_id from events where organization_id = :id order by transaction_id")
        found = list(await tx.scalars(statement, {"id": organization_id}))
        keys = text("select count(*) from event_keys where organization_id = :id")
        assert await tx.scalar(keys, {"id": organization_id}) == len(found)
    return found


async def test_a_bad_request_does_not_harm_its_neighbours(database: Database, intake: Intake) -> None:
    organization_id = uuid.uuid4()
    bad = intake.store([row(organization_id, "bad", '{"a": 1e200000}')])
    batch = intake.store([row(organization_id, name) for name in ("b1", "b2", "b1")])
    good = [intake.store([row(organization_id, f"g{place}")]) for place in range(20)]
    *answers, failed, refused = await asyncio.gather(*good, bad, batch, return_exceptions=True)
    assert answers == [[]] * 20
    assert isinstance(failed, asyncpg.DataError)
    assert refused == [2]
    assert await stored(database, organization_id) == sorted(f"g{place}" for place in range(20))


async def test_equal_requests_at_once_are_stored_once(database: Database, intake: Intake) -> None:
    organization_id = uuid.uuid4()
    answers = await asyncio.gather(*(intake.store([row(organization_id, "same")]) for _ in range(40)))
    assert sorted(answers) == [[], *[[0]] * 39]
    batches = await asyncio.gather(*(intake.store([row(organization_id, name) for name in "xyz"]) for _ in range(10)))
    assert sorted(batches) == [[], *[[0, 1, 2]] * 9]
    overlapping = await asyncio.gather(
        *(intake.store([row(organization_id, name) for name in names]) for names in ("pq", "qr", "rs"))
    )
    assert overlapping == [[], [0], []]
    assert await stored(database, organization_id) == ["p", "q", "r", "s", "same", "x", "y", "z"]


async def test_processes_race_for_a_partition(database: Database) -> None:
    organization_id = uuid.uuid4()
    intakes = [Intake(database.url) for _ in range(4)]
    await asyncio.gather(*(one.open() for one in intakes))
    answers = await asyncio.gather(
        *(
            one.store([row(organization_id, f"{number}-{place}", month=f"2038-{1 + place % 12:02d}")])
            for place in range(24)
            for number, one in enumerate(intakes)
        )
    )
    await asyncio.gather(*(one.close() for one in intakes))
    assert answers == [[]] * 96
    async with database.begin() as tx:
        statement = text("select count(distinct tableoid) from only events_default where organization_id = :id")
        assert await tx.scalar(statement, {"id": organization_id}) == 0
    assert len(await stored(database, organization_id)) == 96


async def test_what_follows_an_event_commits_with_it(database: Database) -> None:
    seen: list[list[str]] = []

    async def refuse(connection: Connection, rows: Sequence[EventRow]) -> None:
        seen.append([one.transaction_id for one in rows])
        raise ConnectionResetError

    organization_id = uuid.uuid4()
    intake = Intake(database.url, [refuse])
    await intake.open()
    with pytest.raises(ConnectionResetError):
        await intake.store([row(organization_id, "a")])
    await intake.close()
    assert seen == [["a"]]
    assert await stored(database, organization_id) == []


async def test_closing_waits_for_what_was_accepted(database: Database) -> None:
    organization_id = uuid.uuid4()
    intake = Intake(database.url)
    await intake.open()
    accepted = [asyncio.ensure_future(intake.store([row(organization_id, str(place))])) for place in range(30)]
    await asyncio.sleep(0)
    await intake.close()
    assert await asyncio.gather(*accepted) == [[]] * 30
    assert len(await stored(database, organization_id)) == 30
