"""The dispatcher on the clock of a sandbox organization: order, limits, retries, states (webhooks.md §1.1 to §1.8)."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import jwt
import pytest
import pytest_asyncio

from tallystick.core import signing
from tallystick.flows.wire.messages import render
from tallystick.ground.installation import Installation
from tallystick.ground.tables import WebhookEndpoint
from tallystick.rooms.webhooks import log, verbs
from tallystick.rooms.webhooks.deliver import Dispatcher
from tests.support.webhooks import START, Receiver, Reply, World, receiving

SECOND = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)
MakeDispatcher = Callable[..., Dispatcher]


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
async def make_dispatcher(installation: Installation) -> AsyncIterator[MakeDispatcher]:
    made: list[Dispatcher] = []

    def make(**settings: Any) -> Dispatcher:
        changed = installation.settings.model_copy(update=settings)
        made.append(Dispatcher(replace(installation, settings=changed), render))
        return made[-1]

    yield make
    for dispatcher in made:
        await dispatcher.close()


async def run_out(world: World, dispatcher: Dispatcher) -> list[dt.datetime]:
    """Do what falls due, each thing at its time, until nothing is left; those times."""
    times: list[dt.datetime] = []
    while True:
        async with world.database.begin() as tx:
            at = await dispatcher.next_due_at(tx, world.id)
        if at is None:
            return times
        times.append(at)
        await dispatcher.deliver_due(world.id, at)


async def edit(world: World, endpoint_id: Any, change: Callable[[Any, WebhookEndpoint], Awaitable[Any]]) -> None:
    async with world.database.begin() as tx:
        await change(tx, await tx.get_one(WebhookEndpoint, endpoint_id))


async def test_what_is_sent(
    world: World, receiver: Receiver, make_dispatcher: MakeDispatcher, installation: Installation
) -> None:
    endpoints = {path: await world.endpoint(receiver.url(path), signature_algo=path[1:]) for path in ("/hmac", "/jwt")}
    await world.emit(name="Café")
    await make_dispatcher().deliver_due(world.id, START)
    (hmac,), (token,) = receiver.at("/hmac"), receiver.at("/jwt")
    assert hmac.body == token.body
    assert hmac.headers["content-type"] == "application/json"
    assert hmac.headers["user-agent"].startswith("Tallystick-Webhooks/")
    assert hmac.headers["x-lago-signature-algorithm"] == "hmac"
    assert hmac.headers["x-lago-signature"] == signing.hmac_signature(world.hmac_key, hmac.body)
    assert token.headers["x-lago-signature-algorithm"] == "jwt"
    pem = base64.b64decode(installation.key.public_key_base64())
    claims = jwt.decode(token.headers["x-lago-signature"], pem, algorithms=["RS256"])
    assert claims == {"data": token.body.decode(), "iss": installation.settings.public_api_url}
    keys = {row.endpoint_id: str(row.id) for row in await world.deliveries()}
    for request in (hmac, token):
        endpoint = await world.endpoint_row(endpoints[request.path])
        assert request.headers["x-lago-unique-key"] == keys[endpoint.id] == request.headers["webhook-id"]
        sent_at = int(request.headers["webhook-timestamp"])
        wanted = signing.standard_headers(keys[endpoint.id], sent_at, request.body, [endpoint.secret])
        assert request.headers["webhook-signature"] == wanted["webhook-signature"]
    assert {(row.status, row.retries, row.http_status, row.response) for row in await world.deliveries()} == {
        ("succeeded", 0, 200, "{}")
    }


async def test_both_secrets_sign_while_a_rotation_overlaps(
    world: World, receiver: Receiver, make_dispatcher: MakeDispatcher
) -> None:
    endpoint_id = await world.endpoint(receiver.url("/"))
    await edit(world, endpoint_id, lambda tx, endpoint: verbs.rotate_secret(tx, endpoint, START))
    dispatcher = make_dispatcher()
    for at in (START + 23 * dt.timedelta(hours=1), START + 25 * dt.timedelta(hours=1)):
        await world.emit(at=at)
        await dispatcher.deliver_due(world.id, at)
    signatures = [request.headers["webhook-signature"].split(" ") for request in receiver.received]
    assert [len(each) for each in signatures] == [2, 1]


async def test_one_place_is_strict_order(world: World, receiver: Receiver, make_dispatcher: MakeDispatcher) -> None:
    await world.endpoint(receiver.url("/"))
    await world.emit(60)
    await make_dispatcher(webhook_endpoint_concurrency=1).deliver_due(world.id, START)
    assert [request.number for request in receiver.received] == list(range(60))
    assert receiver.most_in_flight == {"/": 1}


async def test_a_sandbox_receives_in_order(world: World, receiver: Receiver, make_dispatcher: MakeDispatcher) -> None:
    await world.endpoint(receiver.url("/"))
    await world.emit(60)
    await make_dispatcher(webhook_endpoint_concurrency=8).deliver_due(world.id, START)
    assert [request.number for request in receiver.received] == list(range(60))
    assert receiver.most_in_flight == {"/": 1}


async def test_no_endpoint_gets_more_at_once_than_allowed(
    world: World, receiver: Receiver, make_dispatcher: MakeDispatcher
) -> None:
    for path in ("/a", "/b"):
        await world.endpoint(receiver.url(path))
    gate = asyncio.Event()
    receiver.reply = lambda request, earlier: Reply(hold=gate)
    await world.emit(40)
    sending = asyncio.create_task(make_dispatcher(webhook_endpoint_concurrency=3).deliver_due(world.id, START))
    await receiver.until(6)
    assert sorted(request.number for request in receiver.at("/a")) == [0, 1, 2]
    gate.set()
    await sending
    assert receiver.most_in_flight == {"/a": 3, "/b": 3}
    assert {path: sorted(r.number for r in receiver.at(path)) for path in ("/a", "/b")} == {
        path: list(range(40)) for path in ("/a", "/b")
    }


@pytest.mark.parametrize(("schedule", "attempts"), [("standard", 10), ("lago", 3)])
async def test_a_dead_endpoint_is_given_up(
    world: World, receiver: Receiver, make_dispatcher: MakeDispatcher, schedule: str, attempts: int
) -> None:
    await world.endpoint(receiver.url("/"))
    receiver.reply = lambda request, earlier: Reply(500, body=b"broken\x00")
    await world.emit()
    dispatcher = make_dispatcher(webhook_schedule=schedule)
    times = await run_out(world, dispatcher)
    assert len(receiver.received) == attempts == len(times)
    assert (
        len({(r.body, r.headers["x-lago-unique-key"], r.headers["x-lago-signature"]) for r in receiver.received}) == 1
    )
    (row,) = await world.deliveries()
    assert (row.status, row.retries, row.http_status, row.response) == ("failed", attempts, 500, "broken")
    assert row.last_retried_at == row.updated_at == times[-1]
    assert await world.attempts() == attempts
    # a manual retry is one attempt more
    async with world.database.begin() as tx:
        await log.retry(tx, world.id, str(row.id), times[-1] + DAY)
    assert len(await run_out(world, dispatcher)) == 1
    (row,) = await world.deliveries()
    assert (row.status, row.retries) == ("failed", attempts + 1)


async def test_two_failures_then_success(world: World, receiver: Receiver, make_dispatcher: MakeDispatcher) -> None:
    endpoint_id = await world.endpoint(receiver.url("/"))
    receiver.reply = lambda request, earlier: Reply(500 if earlier < 2 else 202, body=b"thanks" if earlier else b"")
    await world.emit()
    times = await run_out(world, make_dispatcher())
    assert len(receiver.received) == len(times) == 3
    assert 4 * SECOND <= times[1] - START <= 6 * SECOND
    assert 240 * SECOND <= times[2] - times[1] <= 360 * SECOND
    (row,) = await world.deliveries()
    assert (row.status, row.retries, row.http_status, row.response) == ("succeeded", 2, 202, "thanks")
    assert row.last_retried_at == times[1]
    assert (await world.endpoint_row(endpoint_id)).failing_since_at is None


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204, 206, 301, 404, 500])
async def test_four_statuses_are_success(
    world: World, receiver: Receiver, make_dispatcher: MakeDispatcher, status: int
) -> None:
    await world.endpoint(receiver.url("/"))
    receiver.reply = lambda request, earlier: Reply(status, {"Location": "/elsewhere"})
    await world.emit()
    await make_dispatcher().deliver_due(world.id, START)
    (row,) = await world.deliveries()
    assert row.status == ("succeeded" if status in (200, 201, 202, 204) else "retrying")
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("status", "header", "wait"),
    [
        (429, "3600", 3600 * SECOND),
        (503, "3600", 3600 * SECOND),
        (503, "9999999", DAY),
        (429, "1", None),
        (500, "3600", None),
    ],
)
async def test_retry_after_makes_the_wait_longer(
    world: World,
    receiver: Receiver,
    make_dispatcher: MakeDispatcher,
    status: int,
    header: str,
    wait: dt.timedelta | None,
) -> None:
    await world.endpoint(receiver.url("/"))
    receiver.reply = lambda request, earlier: Reply(status, {"Retry-After": header})
    await world.emit()
    await make_dispatcher().deliver_due(world.id, START)
    (row,) = await world.deliveries()
    assert row.next_attempt_at is not None
    waited = row.next_attempt_at - START
    assert waited == wait if wait is not None else 4 * SECOND <= waited <= 6 * SECOND


async def test_no_answer_has_no_status(world: World, receiver: Receiver, make_dispatcher: MakeDispatcher) -> None:
    endpoint_id = await world.endpoint(receiver.url("/"))
    receiver.reply = lambda request, earlier: Reply(500)
    await world.emit()
    dispatcher = make_dispatcher()
    await dispatcher.deliver_due(world.id, START)
    await edit(
        world, endpoint_id, lambda tx, row: verbs.update(tx, row, START, {"webhook_url": "http://127.0.0.1:1/gone"})
    )
    await dispatcher.deliver_due(world.id, START + 10 * SECOND)
    (row,) = await world.deliveries()
    assert (row.status, row.retries, row.http_status) == ("retrying", 2, None)
    assert row.endpoint_url == "http://127.0.0.1:1/gone"
    assert row.response is not None
    assert "127.0.0.1" in row.response


async def test_private_addresses_are_refused_when_sending(
    world: World, receiver: Receiver, make_dispatcher: MakeDispatcher
) -> None:
    await world.endpoint(receiver.url("/"))
    await world.emit()
    await make_dispatcher(webhook_block_private=True).deliver_due(world.id, START)
    (row,) = await world.deliveries()
    assert (row.status, row.retries, row.http_status, receiver.received) == ("retrying", 1, None, [])


async def test_a_message_waiting_for_its_retry_blocks_no_other(
    world: World, receiver: Receiver, make_dispatcher: MakeDispatcher
) -> None:
    await world.endpoint(receiver.url("/"))
    receiver.reply = lambda request, earlier: Reply(500 if request.number == 0 and earlier == 0 else 200)
    await world.emit(5)
    dispatcher = make_dispatcher(webhook_endpoint_concurrency=1)
    await dispatcher.deliver_due(world.id, START)
    await dispatcher.deliver_due(world.id, START + 10 * SECOND)
    assert [request.number for request in receiver.received] == [0, 1, 2, 3, 4, 0]


async def test_url_and_algorithm_are_read_at_each_attempt(
    world: World, receiver: Receiver, make_dispatcher: MakeDispatcher
) -> None:
    endpoint_id = await world.endpoint(receiver.url("/old"))
    receiver.reply = lambda request, earlier: Reply(500 if request.path == "/old" else 200)
    await world.emit()
    dispatcher = make_dispatcher()
    await dispatcher.deliver_due(world.id, START)
    new = {"webhook_url": receiver.url("/new"), "signature_algo": "jwt", "event_types": []}
    await edit(world, endpoint_id, lambda tx, row: verbs.update(tx, row, START, new))
    await dispatcher.deliver_due(world.id, START + 10 * SECOND)
    (old,), (sent,) = receiver.at("/old"), receiver.at("/new")
    assert (old.body, old.headers["x-lago-unique-key"]) == (sent.body, sent.headers["x-lago-unique-key"])
    assert sent.headers["x-lago-signature-algorithm"] == "jwt"
    (row,) = await world.deliveries()
    assert (row.status, row.endpoint_url) == ("succeeded", receiver.url("/new"))


async def test_a_deleted_endpoint_is_dropped_silently(
    world: World, receiver: Receiver, make_dispatcher: MakeDispatcher
) -> None:
    gone, kept = await world.endpoint(receiver.url("/gone")), await world.endpoint(receiver.url("/kept"))
    gate = asyncio.Event()
    receiver.reply = lambda request, earlier: Reply(hold=gate if request.path == "/gone" else None)
    await world.emit(20)
    sending = asyncio.create_task(make_dispatcher(webhook_endpoint_concurrency=2).deliver_due(world.id, START))
    await receiver.until(22)
    await edit(world, gone, verbs.delete)
    gate.set()
    await sending
    assert (len(receiver.at("/gone")), len(receiver.at("/kept"))) == (2, 20)
    assert {row.endpoint_id for row in await world.deliveries()} == {kept}


async def test_an_endpoint_that_only_fails_is_disabled(
    world: World, receiver: Receiver, make_dispatcher: MakeDispatcher
) -> None:
    endpoint_id = await world.endpoint(receiver.url("/"))
    receiver.reply = lambda request, earlier: Reply(500)
    dispatcher = make_dispatcher()
    await world.emit(19)
    await run_out(world, dispatcher)
    later_at = START + 5 * DAY + SECOND
    await world.emit(at=later_at)
    await dispatcher.deliver_due(world.id, later_at)
    row = await world.endpoint_row(endpoint_id)
    assert (row.failing_since_at, row.disabled_at) == (START, later_at)
    assert {delivery.status for delivery in await world.deliveries()} == {"failed"}
    await world.emit(at=later_at)  # nothing is recorded for a disabled endpoint
    assert await run_out(world, dispatcher) == []
    assert len(await world.deliveries()) == 20
    # any edit enables it again, then what failed is replayed
    receiver.reply = lambda request, earlier: Reply()
    receiver.received.clear()
    await edit(world, endpoint_id, lambda tx, row: verbs.update(tx, row, later_at, {"name": "back"}))
    async with world.database.begin() as tx:
        assert await log.replay_failed(tx, await tx.get_one(WebhookEndpoint, endpoint_id), START, later_at) == 20
    await dispatcher.deliver_due(world.id, later_at)
    assert sorted(request.number for request in receiver.received) == list(range(20))
    assert {delivery.status for delivery in await world.deliveries()} == {"succeeded"}


async def test_what_is_in_flight_while_its_endpoint_is_disabled_is_not_tried_again(
    world: World, receiver: Receiver, make_dispatcher: MakeDispatcher
) -> None:
    endpoint_id = await world.endpoint(receiver.url("/"))
    gate = asyncio.Event()
    receiver.reply = lambda request, earlier: Reply(500, hold=gate if request.number > 20 else None)
    dispatcher = make_dispatcher()
    await world.emit(20)
    await run_out(world, dispatcher)
    later_at = START + 6 * DAY
    await world.emit(at=START + 5 * DAY - SECOND)
    await dispatcher.deliver_due(world.id, START + 5 * DAY - SECOND)
    await world.emit(3, at=later_at)
    sending = asyncio.create_task(dispatcher.deliver_due(world.id, later_at))
    await receiver.until(20 * 10 + 1 + 4)
    while (await world.endpoint_row(endpoint_id)).disabled_at is None:  # noqa: ASYNC110 - only the database knows
        await asyncio.sleep(0.01)
    gate.set()
    await sending
    assert {(row.status, row.next_attempt_at) for row in await world.deliveries()} == {("failed", None)}
    assert await run_out(world, dispatcher) == []


async def test_few_failures_or_one_success_keep_it_enabled(
    world: World, receiver: Receiver, make_dispatcher: MakeDispatcher
) -> None:
    few = await world.endpoint(receiver.url("/few"), event_types=["events.errors"])
    mixed = await world.endpoint(receiver.url("/mixed"))
    receiver.reply = lambda request, earlier: Reply(200 if request.path == "/mixed" and request.number == 5 else 500)
    dispatcher = make_dispatcher()
    await world.emit(5)
    await run_out(world, dispatcher)
    await world.emit(14, at=START + 4 * DAY)
    await run_out(world, dispatcher)
    for endpoint_id in (few, mixed):
        assert (await world.endpoint_row(endpoint_id)).disabled_at is None


async def test_a_range_is_replayed_in_order(world: World, receiver: Receiver, make_dispatcher: MakeDispatcher) -> None:
    endpoint_id = await world.endpoint(receiver.url("/"))
    dispatcher = make_dispatcher(webhook_endpoint_concurrency=1)
    for day in range(4):
        await world.emit(2, at=START + day * DAY)
        await dispatcher.deliver_due(world.id, START + day * DAY)
    keys = [request.headers["x-lago-unique-key"] for request in receiver.received]
    receiver.received.clear()
    async with world.database.begin() as tx:
        endpoint = await tx.get_one(WebhookEndpoint, endpoint_id)
        assert await log.replay_range(tx, endpoint, START + DAY, START + 3 * DAY, START + 4 * DAY) == 4
    await dispatcher.deliver_due(world.id, START + 4 * DAY)
    assert [request.number for request in receiver.received] == [2, 3, 4, 5]
    assert [request.headers["x-lago-unique-key"] for request in receiver.received] == keys[2:6]
