"""How many events a second are accepted over HTTP and stored durably, and how that compares with a bare COPY.

Needs `wrk`. The server is the product's own process; client, server and PostgreSQL share the machine's cores.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from bench.report import durable_postgres, publish

Figures = dict[str, float | int | str]

SECONDS = int(os.environ.get("BENCH_SECONDS", "5"))
LUA = Path(__file__).with_suffix(".lua")
COPY_ROWS, COPY_CHUNK = 200_000, 1_000


@contextmanager
def running_server(database_url: str) -> Iterator[tuple[str, str, int]]:
    """Base URL of a started `tallystick api`, the API key of a live organization, the server's process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "TALLYSTICK_DATABASE_URL": database_url,
        "TALLYSTICK_ADMIN_TOKEN": "bench",
        "TALLYSTICK_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "tallystick", "api", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        yield url, _organization(url, process), process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)


def _organization(url: str, process: subprocess.Popen[bytes]) -> str:
    """The API key of a new live organization, made as soon as the server answers."""
    while True:
        assert process.poll() is None, "the server ended"
        try:
            made = httpx.post(
                f"{url}/admin/organizations",
                json={"organization": {"name": "bench", "sandbox": False, "default_currency": "EUR"}},
                headers={"Authorization": "Bearer bench"},
            )
        except httpx.TransportError:
            time.sleep(0.05)
            continue
        made.raise_for_status()
        key: str = made.json()["api_key"]
        return key


def load(url: str, key: str, per_request: int, connections: int, seconds: int) -> dict[str, Any]:
    """What wrk saw."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(LUA), url, "--"]
    done = subprocess.run(
        [*command, str(per_request), key, uuid.uuid4().hex[:12]], capture_output=True, text=True, check=True
    )
    seen: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return seen


def _stat(pid: int) -> list[str]:
    """Fields of /proc/<pid>/stat from the third on (proc(5))."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far: on a busy machine the figure to trust."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def postgres_cpu_seconds(server_pid: int) -> float:
    """Of all processes of the PostgreSQL server, those that ended included."""
    stat = _stat(server_pid)
    ended = (int(stat[13]) + int(stat[14])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{server_pid}/task/{server_pid}/children").read_text().split()
    running = 0.0
    for child in children:
        with suppress(FileNotFoundError):  # it has just ended
            running += cpu_seconds(int(child))
    return ended + cpu_seconds(server_pid) + running


async def server_pid(database_url: str) -> int:
    """The process that all backends descend from."""
    connection = await asyncpg.connect(database_url)
    backend = await connection.fetchval("select pg_backend_pid()")
    parent = _stat(backend)[1]
    await connection.close()
    return int(parent)


async def copy_rate(database_url: str) -> float:
    """Rows a second of COPY, a commit for each chunk, into a table without any index: what the machine can do."""
    connection = await asyncpg.connect(database_url)
    columns = [name for (name,) in await connection.fetch(_COLUMNS)]
    rows = await connection.fetch(f"select {', '.join(columns)} from events limit {COPY_ROWS}")
    await connection.execute("create table copied (like events)")
    started = time.perf_counter()
    for start in range(0, len(rows), COPY_CHUNK):
        chunk = [tuple(row) for row in rows[start : start + COPY_CHUNK]]
        await connection.copy_records_to_table("copied", records=chunk, columns=columns)
    elapsed = time.perf_counter() - started
    await connection.close()
    return len(rows) / elapsed


_COLUMNS = (
    "select attname::text from pg_attribute where attrelid = 'events'::regclass and attnum > 0 and not attisdropped"
)


def charge_in_advance(url: str, key: str) -> None:
    """From now on the events sent are of a metric that a charge paid in advance uses: each is noted to be billed."""
    with httpx.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {key}"}) as http:
        metric = {"name": "calls", "code": "api_calls", "aggregation_type": "count_agg"}
        made = http.post("/billable_metrics", json={"billable_metric": metric}).raise_for_status().json()
        charge = {"charge_model": "standard", "pay_in_advance": True, "properties": {"amount": "1"}}
        charge["billable_metric_id"] = made["billable_metric"]["lago_id"]
        plan = {"name": "p", "code": "p", "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR"}
        http.post("/plans", json={"plan": {**plan, "charges": [charge]}}).raise_for_status()


def measure(server: tuple[str, str, int], postgres: int, name: str, per_request: int, connections: int) -> Figures:
    """Rates, processor time and latencies of one kind of load."""
    url, key, pid = server
    python_before, postgres_before = cpu_seconds(pid), postgres_cpu_seconds(postgres)
    seen = load(url, key, per_request, connections, SECONDS)
    python, database = cpu_seconds(pid) - python_before, postgres_cpu_seconds(postgres) - postgres_before
    events = seen["requests"] * per_request
    return {
        f"{name}: events/s": int(events * 1_000_000 / seen["microseconds"]),
        f"{name}: Python µs/event": round(python * 1_000_000 / events, 1),
        f"{name}: PostgreSQL µs/event": round(database * 1_000_000 / events, 1),
        f"{name}: p50 ms": seen["p50_ms"],
        f"{name}: p99 ms": seen["p99_ms"],
        f"{name}: errors": seen["errors"],
    }


BATCHES = ("batches of 100, 8 connections", 100, 8)
SINGLE = ("single, 32 connections", 1, 32)
ALONE = ("single, 1 connections", 1, 1)


def main() -> None:
    figures: Figures = {"at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")}
    figures["cores"] = os.cpu_count() or 0
    with durable_postgres() as database_url:
        postgres = asyncio.run(server_pid(database_url))
        with running_server(database_url) as server:
            url, key, _ = server
            load(url, key, 100, 8, 1)
            for kind in (BATCHES, SINGLE, ALONE):
                figures |= measure(server, postgres, *kind)
            copied = asyncio.run(copy_rate(database_url))
            charge_in_advance(url, key)
            for name, *how in (BATCHES, SINGLE):
                figures |= measure(server, postgres, f"{name}, paid in advance", *how)
    figures["bare COPY, rows/s"] = int(copied)
    figures["batches / COPY"] = float(figures[f"{BATCHES[0]}: events/s"]) / copied
    publish("ingestion", figures)


if __name__ == "__main__":
    main()
