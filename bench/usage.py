"""Latency of current usage over HTTP: one subscription with 100,000, then 1,000,000 events in its running period.

First with raw events alone, then from rollups, then from rollups while events arrive that are late; with the processor
time that PostgreSQL and the server spent for each call, which other load on the machine hardly changes.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx
import psycopg

from bench.ingestion import running_server
from bench.population import Population, populate
from bench.report import durable_postgres, percentile, publish
from tallystick.ground.clock import machine_now
from tallystick.ground.db import Database
from tallystick.ground.ids import new_id
from tallystick.rooms.metering import upkeep
from tallystick.rooms.organizations.keys import hash_key

SIZES = tuple(int(size) for size in os.environ.get("BENCH_EVENTS", "100000,1000000").split(","))
RAW_CALLS, CALLS = 10, 200
#: late events a second, sent one by one
LATE = 50
KEY = "bench-usage"


async def _fill(url: str, events: int) -> Population:
    month_start = machine_now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    world = await populate(url, 1, events, month_start)
    connection = await asyncpg.connect(url)
    await connection.execute(
        "insert into api_keys (id, organization_id, key_hash, last_characters, created_at) values ($1, $2, $3, '', $4)",
        new_id(),
        world.organization_id,
        hash_key(KEY),
        dt.datetime.now(dt.UTC),
    )
    await connection.close()
    return world


def _seconds(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Calls:
    """Calls of current usage, one after the other, on one connection."""

    def __init__(self, base: str, url: str, server_pid: int) -> None:
        self._client = httpx.Client(base_url=base, headers={"Authorization": f"Bearer {KEY}"}, timeout=120)
        self._url, self._server_pid = url, server_pid

    def one(self) -> None:
        """One call."""
        parameters = {"external_subscription_id": "s1"}
        self._client.get("/api/v1/customers/c1/current_usage", params=parameters).raise_for_status()

    def figures(self, name: str, calls: int) -> dict[str, float]:
        """Milliseconds of these calls."""
        spent, found = self._spent(), []
        for _ in range(calls):
            began = time.perf_counter()
            self.one()
            found.append((time.perf_counter() - began) * 1000)
        return {
            f"{name}: p50 (ms)": round(percentile(found, 0.5), 1),
            f"{name}: p99 (ms)": round(percentile(found, 0.99), 1),
            f"{name}: processor time a call (ms)": round((self._spent() - spent) * 1000 / calls, 1),
        }

    def _spent(self) -> float:
        """Seconds of the server and of its connections to PostgreSQL, which stay the same."""
        with psycopg.connect(self._url) as connection:
            rows = connection.execute("select pid from pg_stat_activity where application_name = 'tallystick'")
            return _seconds(self._server_pid) + sum(_seconds(pid) for (pid,) in rows)


@contextmanager
def _late_events(base: str) -> Iterator[None]:
    """Events of the past days arrive while the block runs."""
    stop = threading.Event()

    def send() -> None:
        with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {KEY}"}) as client:
            number = 0
            while not stop.wait(1 / LATE):
                number += 1
                event = {
                    "transaction_id": f"late-{number}",
                    "external_subscription_id": "s1",
                    "code": ("calls", "bytes", "peak")[number % 3],
                    "timestamp": time.time() - number % 3600,
                    "properties": {"n": number % 90},
                }
                client.post("/api/v1/events", json={"event": event}).raise_for_status()

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        stop.set()
        sender.join()


@contextmanager
def _upkeep(url: str) -> Iterator[None]:
    """The worker's loop that keeps rollups, in this process."""
    stop = threading.Event()

    async def keep() -> None:
        database = Database(url, pool_size=1)
        keeping = asyncio.create_task(upkeep.keep(database))
        while not stop.is_set():
            await asyncio.wait([keeping], timeout=0.1)
        keeping.cancel()
        await asyncio.wait([keeping])
        await database.close()

    keeper = threading.Thread(target=lambda: asyncio.run(keep()))
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def _wait_until_built(url: str) -> float:
    began = time.perf_counter()
    with psycopg.connect(url, autocommit=True) as connection:
        while not connection.execute("select count(*) = 3 from rollups where built").fetchone()[0]:  # type: ignore[index]
            time.sleep(0.1)
    return round(time.perf_counter() - began, 1)


def main() -> None:
    """Entry point."""
    figures: dict[str, float | int | str] = {}
    for events in SIZES:
        name = f"{events:,} events"
        with durable_postgres() as url:
            asyncio.run(_fill(url, events))
            with running_server(url) as (base, _, pid):
                calls = Calls(base, url, pid)
                calls.one()
                figures.update(calls.figures(f"{name}, raw", RAW_CALLS))
                with _upkeep(url):
                    figures[f"{name}: rollups built after (s)"] = _wait_until_built(url)
                    figures.update(calls.figures(f"{name}, rolled up", CALLS))
                    with _late_events(base):
                        figures.update(calls.figures(f"{name}, with {LATE} late events a second", CALLS))
    publish("usage", figures)


if __name__ == "__main__":
    main()
