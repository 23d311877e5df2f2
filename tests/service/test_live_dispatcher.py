"""The dispatcher of live organizations: leases, fair shares, start and end (webhooks.md §1.1)."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest_asyncio
from sqlalchemy import text

from tallystick.flows.wire.messages import render
from tallystick.ground.installation import Installation
from tallystick.ground.tables import WebhookDelivery
from tallystick.rooms.webhooks import log
from tallystick.rooms.webhooks.deliver import Dispatcher
from tests.support.webhooks import Receiver, Reply, World, receiving


@pytest_asyncio.fixture
async def world(installation: Installation) -> AsyncIterator[World]:
    made = await World(installation.database, sandbox=False).create()
    yield made
    await made.forget()


@pytest_asyncio.fixture
async def other(installation: Installation) -> AsyncIterator[World]:
    made = await World(installation.database, sandbox=False).create()
    yield made
    await made.forget()


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@asynccontextmanager
async def dispatching(installation: Installation) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(Dispatcher(installation, render).run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def settled(world: World, count: int) -> list[WebhookDelivery]:
    """The deliveries once so many were attempted."""
    while await world.attempts() < count:  # noqa: ASYNC110 - only the database knows
        await asyncio.sleep(0.02)
    return await world.deliveries()


async def lease(world: World, endpoint_id: uuid.UUID, seconds: int) -> None:
    """As a dispatcher that died leaves it: leased, until so many seconds from now."""
    async with world.database.begin() as tx:
        await tx.execute(
            text("""
                update webhook_endpoints
                set leased_by = :holder, leased_until = now() + make_interval(secs => :seconds) where id = :id
            """),
            {"holder": uuid.uuid4(), "seconds": seconds, "id": endpoint_id},
        )


async def test_messages_are_sent_before_and_while_it_runs(
    installation: Installation, world: World, receiver: Receiver
) -> None:
    endpoint_id = await world.endpoint(receiver.url("/"))
    await world.emit(30)
    async with dispatching(installation):
        await receiver.until(30)
        await world.emit(30)
        await receiver.until(60)
        found = await settled(world, 60)
    assert sorted(request.number for request in receiver.received) == list(range(60))
    assert {(row.status, row.next_attempt_at) for row in found} == {("succeeded", None)}
    assert receiver.most_in_flight["/"] <= installation.settings.webhook_endpoint_concurrency
    assert (await world.endpoint_row(endpoint_id)).leased_by is None


async def test_an_endpoint_that_never_answers_holds_up_no_other(
    installation: Installation, world: World, other: World, receiver: Receiver
) -> None:
    never = asyncio.Event()
    receiver.reply = lambda request, earlier: Reply(hold=never if request.path.startswith("/never") else None)
    await world.endpoint(receiver.url("/never"))
    await world.endpoint(receiver.url("/beside"))
    await other.endpoint(receiver.url("/never-either"))
    await other.endpoint(receiver.url("/other"))
    await world.emit(200)
    await other.emit(200)
    async with dispatching(installation):
        await receiver.until(200, "/beside")
        await receiver.until(200, "/other")
        most = installation.settings.webhook_endpoint_concurrency
        assert 1 <= len(receiver.at("/never")) <= most
        assert 1 <= len(receiver.at("/never-either")) <= most
        never.set()


async def test_first_attempts_start_in_the_order_of_the_outbox(
    installation: Installation, world: World, receiver: Receiver
) -> None:
    await world.endpoint(receiver.url("/"))
    changed = installation.settings.model_copy(update={"webhook_endpoint_concurrency": 1})
    one = replace(installation, settings=changed)
    async with dispatching(one), dispatching(one), dispatching(one):
        for _ in range(20):
            await world.emit(5)
        await receiver.until(100)
    assert [request.number for request in receiver.received] == list(range(100))
    assert receiver.most_in_flight == {"/": 1}


async def test_endpoints_of_a_dead_dispatcher_are_taken_over(
    installation: Installation, world: World, other: World, receiver: Receiver
) -> None:
    await lease(world, await world.endpoint(receiver.url("/dead")), -1)
    await lease(other, await other.endpoint(receiver.url("/alive")), 3600)
    await world.emit(3)
    await other.emit(3)
    async with dispatching(installation):
        await receiver.until(3, "/dead")
        await settled(world, 3)
    assert receiver.at("/alive") == []
    assert {row.status for row in await other.deliveries()} == {"pending"}


async def test_requests_in_flight_are_recorded_at_the_end(
    installation: Installation, world: World, receiver: Receiver
) -> None:
    gate = asyncio.Event()
    receiver.reply = lambda request, earlier: Reply(hold=gate)
    endpoint_id = await world.endpoint(receiver.url("/"))
    await world.emit(20)
    async with dispatching(installation) as task:
        await receiver.until(8)
        task.cancel()
        await asyncio.sleep(0)
        gate.set()
    assert len(receiver.received) == 8
    assert sorted(row.status for row in await world.deliveries()) == ["pending"] * 12 + ["succeeded"] * 8
    assert (await world.endpoint_row(endpoint_id)).leased_by is None


async def test_sandbox_organizations_are_left_alone(
    installation: Installation, world: World, receiver: Receiver
) -> None:
    sandbox = await World(installation.database).create()
    await sandbox.endpoint(receiver.url("/sandbox"))
    await world.endpoint(receiver.url("/live"))
    await sandbox.emit()
    await world.emit()
    async with dispatching(installation):
        await receiver.until(1, "/live")
        await settled(world, 1)
    assert receiver.at("/sandbox") == []
    assert len(await sandbox.outbox()) == 1


async def test_a_manual_retry_is_sent_at_once(installation: Installation, world: World, receiver: Receiver) -> None:
    receiver.reply = lambda request, earlier: Reply(200 if earlier else 503, {"Retry-After": "86400"})
    await world.endpoint(receiver.url("/"))
    await world.emit()
    async with dispatching(installation):
        (row,) = await settled(world, 1)
        assert row.status == "retrying"
        async with world.database.begin() as tx:
            await log.retry(tx, world.id, str(row.id), None)
        (row,) = await settled(world, 2)
    assert (row.status, row.retries) == ("succeeded", 1)
