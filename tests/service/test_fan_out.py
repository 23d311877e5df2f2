"""From the outbox to deliveries: order, filters, bytes, and rows that cannot be rendered (webhooks.md §1.1, §1.2)."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest_asyncio

from tallystick.flows.wire.messages import CONTENTS, render
from tallystick.ground.ids import new_id
from tallystick.ground.installation import Installation
from tallystick.ground.outbox import Message, emit
from tallystick.ground.tables import BillingEntity, Customer
from tallystick.rooms.webhooks import catalogue
from tallystick.rooms.webhooks.fan_out import CHUNK, FanOut
from tests.support.webhooks import START, TYPE, World


@pytest_asyncio.fixture
async def world(installation: Installation) -> AsyncIterator[World]:
    made = await World(installation.database).create()
    yield made
    await made.forget()


@pytest_asyncio.fixture
async def live(installation: Installation) -> AsyncIterator[World]:
    made = await World(installation.database, sandbox=False).create()
    yield made
    await made.forget()


def fan_out_of(world: World, **aliases: str) -> FanOut:
    return FanOut(world.database, render, aliases)


async def drain(world: World, fan_out: FanOut | None = None) -> None:
    fan_out = fan_out or fan_out_of(world)
    while (await fan_out.step(world.id, START)).taken:
        pass


async def test_the_envelope_is_four_members_of_compact_json(world: World) -> None:
    await world.endpoint("https://hooks.test/")
    await world.emit(missing_group_key=None, name="Café <b>&", invalid_code=["tx-1"])
    await drain(world)
    (message,) = await world.messages()
    # members of the object keep the order in which they were given
    wanted = (
        f'{{"webhook_type":"events.errors","object_type":"events_errors","organization_id":"{world.id}",'
        '"events_errors":{"number":0,"missing_group_key":null,"name":"Café <b>&","invalid_code":["tx-1"]}}'
    )
    assert message.payload.decode() == wanted
    assert (message.webhook_type, message.object_type, message.object_id) == (TYPE, "Organization", world.id)


async def test_aliases_are_names_on_the_wire_only(world: World) -> None:
    await world.endpoint("https://hooks.test/", event_types=[TYPE])
    await world.emit()
    await drain(world, FanOut(world.database, render, {TYPE: "events.problems"}))
    (message,) = await world.messages()
    assert json.loads(message.payload)["webhook_type"] == "events.problems"
    assert message.webhook_type == TYPE


async def test_each_endpoint_gets_what_its_filter_accepts(world: World) -> None:
    every = await world.endpoint("https://hooks.test/every")
    one = await world.endpoint("https://hooks.test/one", event_types=["event.error", TYPE])
    await world.endpoint("https://hooks.test/none", event_types=[])
    await world.endpoint("https://hooks.test/other", event_types=["plan.created"])
    await world.emit(2)
    await drain(world)
    found = await world.deliveries()
    assert Counter(row.endpoint_id for row in found) == {every: 2, one: 2}
    assert len({row.id for row in found}) == 4
    assert {row.status for row in found} == {"pending"}
    assert len(await world.messages()) == 2
    assert await world.outbox() == []


def test_both_names_of_a_type_are_the_same_type() -> None:
    for name in ("credit_note.refund_failure", "credit_note.provider_refund_failure"):
        assert catalogue.accepts([name], "credit_note.refund_failure")
        assert catalogue.accepts([name], "credit_note.provider_refund_failure")
    for name in ("event.error", "events.error"):
        assert catalogue.accepts([name], "events.error")
        assert catalogue.accepts([name], "event.error")
        assert not catalogue.accepts([name], "events.errors")


def test_what_is_sent_can_be_filtered() -> None:
    assert CONTENTS.keys() <= catalogue.TYPES


async def test_what_nobody_wants_leaves_nothing(world: World) -> None:
    await world.endpoint("https://hooks.test/", event_types=[])
    await world.emit(3)
    await drain(world)
    assert (await world.messages(), await world.deliveries(), await world.outbox()) == ([], [], [])


async def test_without_endpoints_nothing_is_written_and_nothing_is_replayed(world: World) -> None:
    await world.emit()
    await world.endpoint("https://hooks.test/")
    await drain(world)
    assert await world.deliveries() == []


async def test_a_subject_that_is_gone_is_skipped(world: World) -> None:
    await world.endpoint("https://hooks.test/")
    async with world.database.begin() as tx:
        await emit(tx, [Message(world.id, "customer.created", new_id(), START)])
    await world.emit()
    await drain(world)
    assert [row.webhook_type for row in await world.messages()] == [TYPE]
    assert await world.outbox() == []


async def test_deleted_subjects_are_rendered(world: World) -> None:
    await world.endpoint("https://hooks.test/")
    common = {"organization_id": world.id, "created_at": START, "updated_at": START}
    async with world.database.begin() as tx:
        tx.add(BillingEntity(id=world.id, code="main", name="Main", document_number_prefix="M", **common))
        await tx.flush()
        customer = Customer(
            id=new_id(),
            billing_entity_id=world.id,
            external_id="acme",
            sequential_id=1,
            slug="A-1",
            deleted_at=START,
            **common,
        )
        tx.add(customer)
        await emit(tx, [Message(world.id, "customer.updated", customer.id, START)])
    await drain(world)
    (message,) = await world.messages()
    body = json.loads(message.payload)
    assert list(body) == ["webhook_type", "object_type", "organization_id", "customer"]
    assert body["customer"]["external_id"] == "acme"
    assert body["customer"]["integration_customers"] == []


async def test_a_row_that_cannot_be_rendered_is_set_aside(world: World) -> None:
    await world.endpoint("https://hooks.test/")
    await world.emit(40)
    await world.emit(webhook_type="nothing.known")
    await world.emit(40)
    await drain(world)
    numbers = [json.loads(row.payload)["events_errors"]["number"] for row in await world.messages()]
    assert numbers == [n for n in range(81) if n != 40]
    (left,) = await world.outbox()
    assert left.error == "KeyError('nothing.known')"
    assert left.failed_at is not None


async def test_two_dispatchers_keep_the_order_of_an_organization(live: World) -> None:
    await live.endpoint("https://hooks.test/")
    total = 3 * CHUNK + 7
    await live.emit(total)
    assert live.id in await fan_out_of(live).waiting()

    async def dispatch() -> None:
        fan_out = fan_out_of(live)
        while await live.outbox():
            await fan_out.step(live.id)

    await asyncio.gather(dispatch(), dispatch())
    found = await live.deliveries()
    assert len(found) == total
    assert all(before.position < after.position for before, after in pairwise(found))
    due = [row.next_attempt_at for row in found]
    assert due == sorted(due, key=lambda at: at or START)


async def test_sandbox_organizations_wait_for_their_clock(world: World) -> None:
    await world.endpoint("https://hooks.test/")
    await world.emit()
    assert world.id not in await fan_out_of(world).waiting()
