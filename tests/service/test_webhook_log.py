"""The delivery log: filters, manual retry, replay over HTTP, retention (webhooks.md §1.7, §1.8)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import update

from tallystick.flows.wire.messages import render
from tallystick.ground.installation import Installation
from tallystick.ground.tables import Organization, WebhookDelivery
from tallystick.rooms.organizations import keys
from tallystick.rooms.webhooks import log
from tallystick.rooms.webhooks.deliver import Dispatcher
from tallystick.rooms.webhooks.log import Filters
from tests.support.server import Running
from tests.support.webhooks import START, Received, Receiver, Reply, World, receiving

HOUR = dt.timedelta(hours=1)
#: of the five messages; message 3 finds no receiver at all
STATUSES = {0: 200, 1: 404, 2: 500, 4: 201}


@pytest_asyncio.fixture
async def world(installation: Installation) -> AsyncIterator[World]:
    made = await World(installation.database).create()
    yield made
    await made.forget()


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest_asyncio.fixture
async def dispatcher(installation: Installation) -> AsyncIterator[Dispatcher]:
    made = Dispatcher(installation, render)
    yield made
    await made.close()


def by_number(request: Received, earlier: int) -> Reply:
    # 99 is no HTTP status: broken HTTP is no answer
    return Reply(STATUSES.get(request.number, 99))


async def five_deliveries(world: World, receiver: Receiver, dispatcher: Dispatcher) -> uuid.UUID:
    """One message an hour, all attempted once; the refused ones ended `failed`."""
    receiver.reply = by_number
    endpoint_id = await world.endpoint(receiver.url("/"))
    for number in range(5):
        await world.emit(at=START + number * HOUR)
        await dispatcher.deliver_due(world.id, START + number * HOUR)
        async with world.database.begin() as tx:
            for row in await tx.scalars(log.listing(endpoint_id, Filters(statuses=["retrying"]))):
                row.status, row.next_attempt_at = "failed", None
    return endpoint_id


async def numbers(world: World, endpoint_id: uuid.UUID, filters: Filters) -> list[int]:
    """Which of the five are found, in the order of the log."""
    positions = [row.position for row in await world.deliveries()]
    async with world.database.begin() as tx:
        rows: Sequence[WebhookDelivery] = list(await tx.scalars(log.listing(endpoint_id, filters)))
    return [positions.index(row.position) for row in rows]


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (Filters(), [4, 3, 2, 1, 0]),
        (Filters(statuses=["succeeded"]), [4, 0]),
        (Filters(statuses=["failed", "pending"]), [3, 2, 1]),
        (Filters(webhook_types=["events.errors"]), [4, 3, 2, 1, 0]),
        (Filters(webhook_types=["plan.created"]), []),
        (Filters(http_statuses=["404"]), [1]),
        (Filters(http_statuses=["2xx"]), [4, 0]),
        (Filters(http_statuses=["200-404"]), [4, 1, 0]),
        (Filters(http_statuses=["timeout"]), [3]),
        (Filters(http_statuses=["timeout", "5xx"]), [3, 2]),
        (Filters(updated_from=START + 3 * HOUR), [4, 3]),
        (Filters(updated_from=START + HOUR, updated_to=START + 2 * HOUR), [2, 1]),
    ],
)
async def test_filters(
    world: World, receiver: Receiver, dispatcher: Dispatcher, filters: Filters, wanted: list[int]
) -> None:
    endpoint_id = await five_deliveries(world, receiver, dispatcher)
    assert await numbers(world, endpoint_id, filters) == wanted


async def test_a_term_is_part_of_an_id(world: World, receiver: Receiver, dispatcher: Dispatcher) -> None:
    endpoint_id = await five_deliveries(world, receiver, dispatcher)
    second = (await world.deliveries())[1]
    assert await numbers(world, endpoint_id, Filters(search_term=str(second.id)[9:].upper())) == [1]
    assert await numbers(world, endpoint_id, Filters(search_term=str(world.id)[4:30])) == [4, 3, 2, 1, 0]
    assert await numbers(world, endpoint_id, Filters(search_term="%")) == []


async def test_the_log_over_http(world: World, receiver: Receiver, dispatcher: Dispatcher, running: Running) -> None:
    endpoint_id = await five_deliveries(world, receiver, dispatcher)
    async with world.database.begin() as tx:
        _, key = await keys.create_key(tx, world.id, START)
    async with httpx.AsyncClient(
        base_url=f"{running.url}/api/v1", headers={"Authorization": f"Bearer {key}"}
    ) as client:
        path = f"/webhook_endpoints/{endpoint_id}/deliveries"
        answer = (await client.get(path, params={"http_statuses[]": "404", "statuses[]": "failed"})).json()
        (row,) = answer["webhook_deliveries"]
        assert answer["meta"]["total_count"] == 1
        assert row["payload"]["events_errors"] == {"number": 1}
        shown: dict[str, Any] = {
            "object_type": "Organization",
            "object_id": str(world.id),
            "endpoint": receiver.url("/"),
            "status": "failed",
            "retries": 1,
            "http_status": 404,
            "response": "{}",
            "last_retried_at": "2025-06-01T01:00:00Z",
            "next_attempt_at": None,
            "created_at": "2025-06-01T01:00:00Z",
        }
        assert {name: row[name] for name in shown} == shown
        retried = (await client.post(f"/webhook_deliveries/{row['lago_id']}/retry")).json()["webhook_delivery"]
        assert retried["next_attempt_at"] is not None
        (done,) = (await client.get(path, params={"http_statuses[]": "201"})).json()["webhook_deliveries"]
        refused = await client.post(f"/webhook_deliveries/{done['lago_id']}/retry")
        assert (refused.status_code, refused.json()["code"]) == (405, "is_succeeded")
        replay = await client.post(
            f"/webhook_endpoints/{endpoint_id}/replay", json={"failed_since": "2025-06-01T02:00Z"}
        )
        assert replay.json()["replay"]["deliveries_count"] == 2


async def test_old_records_are_deleted(world: World, receiver: Receiver, dispatcher: Dispatcher) -> None:
    await five_deliveries(world, receiver, dispatcher)
    live = await World(world.database, sandbox=False).create()
    try:
        await live.endpoint(receiver.url("/live"))
        await live.emit()
        async with world.database.begin() as tx:
            # live organizations age together, a sandbox one on its own clock
            await tx.execute(update(Organization).where(Organization.id == world.id).values(clock_at=START + 4 * HOUR))
            await log.delete_old(tx, START + 100 * HOUR + log.RETENTION)
        assert len(await world.deliveries()) == 5
        async with world.database.begin() as tx:
            clock_at = START + 3 * HOUR + log.RETENTION
            await tx.execute(update(Organization).where(Organization.id == world.id).values(clock_at=clock_at))
            assert await log.delete_old(tx, START) == 3
        assert (len(await world.deliveries()), len(await world.messages()), await world.attempts()) == (2, 2, 2)
    finally:
        await live.forget()
