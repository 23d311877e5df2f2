"""`kill -9` in the middle of a billing run: after a restart the same invoices, once each, and every webhook sent."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import signal
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest
from bench.population import populate

from tallystick.ground.clock import machine_now
from tallystick.ground.db import plain_url
from tallystick.ground.migrations import migrate
from tests.support.command import Serving
from tests.support.webhooks import Receiver, receiving

pytestmark = pytest.mark.slow

SUBSCRIPTIONS = 2_500
EVENTS = 10_000


@pytest.fixture
def own_database(postgres_url: str) -> Any:
    """A database that no other test shares."""
    name = f"crash_{uuid.uuid4().hex}"
    url = plain_url(postgres_url).rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(plain_url(postgres_url), autocommit=True) as admin:
        admin.execute(f'create database "{name}"'.encode())
        migrate(url)
        yield url
        admin.execute(f'drop database "{name}" with (force)'.encode())


async def test_worker_and_server_killed_during_a_run(own_database: str, tmp_path: Path) -> None:
    month_end = machine_now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    month_start = (month_end - dt.timedelta(days=1)).replace(day=1)
    async with receiving() as receiver:
        connection = await asyncpg.connect(own_database)
        world = await populate(own_database, SUBSCRIPTIONS, EVENTS, month_start)
        await _listen(connection, world.organization_id, receiver.url("/hooks"))
        settings = {
            "TALLYSTICK_DATABASE_URL": own_database,
            "TALLYSTICK_WEBHOOK_BLOCK_PRIVATE": "false",
            "TALLYSTICK_DISABLE_PDF_GENERATION": "true",
        }
        for share in (0.0, 0.3, 0.7):
            serving = Serving(tmp_path, "serve", "--port", "0", **settings)
            worker = await asyncio.to_thread(_worker_of, serving)
            await _until(connection, "select count(*) from invoices", int(SUBSCRIPTIONS * share))
            os.kill(worker, signal.SIGKILL)
            await _until(connection, "select count(*) from webhook_deliveries", 1)
            serving.kill()
            # what the dead dispatcher held is free after half a minute; the test does not wait that long
            await connection.execute("update webhook_endpoints set leased_until = now()")
        last = Serving(tmp_path, "serve", "--port", "0", **settings)
        try:
            await _until(connection, "select count(*) from invoices", SUBSCRIPTIONS)
            await _until(connection, _SENT, SUBSCRIPTIONS)
            await _same_invoices_once_each(connection)
            _every_message_of_every_invoice(receiver, await connection.fetch("select id from invoices"))
        finally:
            await asyncio.to_thread(last.stop)
            await connection.close()


_SENT = "select count(*) from webhook_deliveries where status = 'succeeded'"


def _worker_of(serving: Serving) -> int:
    return int(json.loads(serving.wait_for("the worker is started"))["pid"])


async def _listen(connection: asyncpg.Connection[Any], organization_id: uuid.UUID, url: str) -> None:
    await connection.execute(
        "insert into webhook_endpoints (id, organization_id, webhook_url, signature_algo, secret,"
        " created_at, updated_at) values ($1, $2, $3, 'hmac', 'whsec_c2VjcmV0', now(), now())",
        uuid.uuid4(),
        organization_id,
        url,
    )


async def _until(connection: asyncpg.Connection[Any], count: str, wanted: int) -> None:
    """Wait until a count is reached; the suite's own time limit ends a wait in vain."""
    while await connection.fetchval(count) < wanted:  # noqa: ASYNC110  what is waited for is another process
        await asyncio.sleep(0.05)


async def _same_invoices_once_each(connection: asyncpg.Connection[Any]) -> None:
    """One invoice for each subscription and tick, numbers without gaps, nothing left to do, nothing poisoned."""
    periods = await connection.fetch("select subscription_id, billing_on from invoice_subscriptions")
    assert len(periods) == len(set(map(tuple, periods))) == SUBSCRIPTIONS
    numbers = await connection.fetch("select customer_id, array_agg(sequential_id) as ids from invoices group by 1")
    assert all(row["ids"] == [1] for row in numbers)
    assert await connection.fetchval("select count(*) from agenda where failed_at is not null") == 0
    assert await connection.fetchval("select count(*) from agenda where kind = 'bill' and due_at <= now()") == 0
    sums = "select sum(total_amount_cents) - sum(fees_amount_cents + taxes_amount_cents) from invoices"
    assert await connection.fetchval(sums) == 0


def _every_message_of_every_invoice(receiver: Receiver, invoices: list[Any]) -> None:
    """At least once, always under the same unique key for the same message."""
    keys: dict[str, set[str]] = {}
    types: Counter[str] = Counter()
    for request in receiver.received:
        body = json.loads(request.body)
        types[body["webhook_type"]] += 1
        keys.setdefault(body["invoice"]["lago_id"], set()).add(request.headers["x-lago-unique-key"])
    assert set(types) == {"invoice.created"}
    assert set(keys) == {str(row["id"]) for row in invoices}
    assert all(len(found) == 1 for found in keys.values())
