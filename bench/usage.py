"""Latency of current usage over HTTP: one subscription with 100,000, then 1,000,000 events in its running period."""

from __future__ import annotations

import asyncio
import datetime as dt
import time

import asyncpg
import httpx

from bench.ingestion import running_server
from bench.population import populate
from bench.report import durable_postgres, percentile, publish
from tallystick.ground.clock import machine_now
from tallystick.ground.ids import new_id
from tallystick.rooms.organizations.keys import hash_key

SIZES = (100_000, 1_000_000)
CALLS = 40
KEY = "bench-usage"


async def _fill(url: str, events: int) -> None:
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


def _latencies(base: str) -> list[float]:
    """Milliseconds of each call, after one that warms up."""
    found = []
    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {KEY}"}, timeout=120) as client:
        for _ in range(CALLS + 1):
            began = time.perf_counter()
            client.get(
                "/api/v1/customers/c1/current_usage", params={"external_subscription_id": "s1"}
            ).raise_for_status()
            found.append((time.perf_counter() - began) * 1000)
    return found[1:]


def main() -> None:
    """Entry point."""
    figures: dict[str, float | int | str] = {}
    for events in SIZES:
        with durable_postgres() as url:
            asyncio.run(_fill(url, events))
            with running_server(url) as (base, _, _):
                found = _latencies(base)
        figures[f"{events:,} events: p50 (ms)"] = round(percentile(found, 0.5), 1)
        figures[f"{events:,} events: p99 (ms)"] = round(percentile(found, 0.99), 1)
    publish("usage", figures)


if __name__ == "__main__":
    main()
