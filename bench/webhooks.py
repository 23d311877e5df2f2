"""Webhook deliveries to one fast receiver, alone and beside an endpoint that never answers, on a durable PostgreSQL.

The receiver is a process of its own. Sizes: `--messages`, `--bytes` of each body, `--signature` jwt or hmac.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import socket
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import uvloop
from sqlalchemy import text

from bench.report import durable_postgres, peak_memory_mib, percentile, publish
from tallystick.app import assemble
from tallystick.flows.wire.messages import render
from tallystick.ground import outbox
from tallystick.ground.clock import machine_now
from tallystick.ground.ids import new_id
from tallystick.ground.installation import Installation
from tallystick.ground.outbox import Message
from tallystick.ground.settings import Settings
from tallystick.ground.tables import Organization
from tallystick.rooms.webhooks import verbs
from tallystick.rooms.webhooks.deliver import Dispatcher
from tallystick.rooms.webhooks.fan_out import FanOut

FAST, NEVER = "/fast", "/never"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def receive(listening: socket.socket, fast: Synchronized[int], never: Synchronized[int]) -> None:
    """Count requests; answer those to the fast path at once, the others never."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                await reader.readexactly(int(head.lower().split("content-length: ")[1].split("\r\n")[0]))
                if head.startswith(f"POST {NEVER}"):
                    never.value += 1
                    continue
                fast.value += 1
                writer.write(ANSWER)

    async def run() -> None:
        server = await asyncio.start_server(serve, sock=listening, limit=2**20)
        await server.serve_forever()

    uvloop.run(run())


@contextmanager
def receiver() -> Iterator[tuple[str, Synchronized[int], Synchronized[int]]]:
    """The base URL of a receiver in its own process, and its two counters."""
    context = multiprocessing.get_context("spawn")
    fast, never = context.Value("i", 0), context.Value("i", 0)
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        process = context.Process(target=receive, args=(listening, fast, never), daemon=True)
        process.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", fast, never
        process.kill()
        process.join()


async def organization(installation: Installation, urls: list[str], signature: str) -> uuid.UUID:
    """A live organization with these endpoints."""
    made, at = new_id(), machine_now()
    async with installation.database.begin() as tx:
        row = Organization(
            id=made, name="bench", slug=str(made), sandbox=False, hmac_key=str(made), created_at=at, updated_at=at
        )
        tx.add(row)
        await tx.flush()
        for url in urls:
            await verbs.create(tx, made, at, {"webhook_url": url, "signature_algo": signature})
    return made


async def emit(installation: Installation, organization_id: uuid.UUID, count: int, size: int) -> None:
    """Messages with different bodies of about `size` bytes."""
    at = machine_now()
    messages = [
        Message(organization_id, "events.errors", organization_id, at, {"number": n, "filler": "x" * size})
        for n in range(count)
    ]
    async with installation.database.begin() as tx:
        await outbox.emit(tx, messages)


async def measured(installation: Installation, count: int, fast: Synchronized[int]) -> tuple[float, list[float]]:
    """Seconds from the first delivery to the last, and how long each attempt took by the record, in milliseconds."""
    before = fast.value
    running = asyncio.create_task(Dispatcher(installation, render).run())
    while fast.value == before:  # noqa: ASYNC110 - another process counts
        await asyncio.sleep(0.001)
    started = time.perf_counter()
    while fast.value < before + count:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    seconds = time.perf_counter() - started
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    async with installation.database.begin() as tx:
        found = await tx.scalars(text("select duration_ms from webhook_attempts where http_status = 200"))
        durations = [float(value) for value in found]
        await tx.execute(text("truncate webhook_endpoints, webhook_messages, outbox cascade"))
    return seconds, durations


async def run(url: str, count: int, size: int, signature: str) -> None:
    """Fan out, deliver alone, deliver beside a silent endpoint, print."""
    with tempfile.TemporaryDirectory() as directory, receiver() as (base, fast, never):
        settings = Settings(database_url=url, data_dir=Path(directory), webhook_block_private=False)
        installation = assemble(settings)
        first = await organization(installation, [base + FAST], signature)
        await emit(installation, first, count, size)
        fan_out = FanOut(installation.database, render, {})
        started = time.perf_counter()
        while (await fan_out.step(first)).taken:
            pass
        fanned_out = time.perf_counter() - started
        worked = time.process_time()
        alone, durations = await measured(installation, count, fast)
        worked = time.process_time() - worked
        second = await organization(installation, [base + FAST, base + NEVER], signature)
        await emit(installation, second, count, size)
        beside, durations_beside = await measured(installation, count, fast)
        await installation.close()
        publish(
            f"webhooks_{signature}",
            {
                "messages": count,
                "body (bytes)": size,
                "fan-out (messages/s)": round(count / fanned_out),
                "deliveries/s, alone": round(count / alone),
                "processor time of the dispatcher per delivery (ms)": round(worked / count * 1000, 2),
                "attempt p50 (ms)": percentile(durations, 0.5),
                "attempt p99 (ms)": percentile(durations, 0.99),
                "deliveries/s, beside an endpoint that never answers": round(count / beside),
                "attempt p99 beside it (ms)": percentile(durations_beside, 0.99),
                "requests that were never answered": never.value,
                "peak memory (MiB)": peak_memory_mib(),
            },
        )


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--bytes", type=int, default=2_000)
    parser.add_argument("--signature", choices=("jwt", "hmac"), default="jwt")
    options = parser.parse_args()
    with durable_postgres() as url:
        uvloop.run(run(url, options.messages, options.bytes, options.signature))


if __name__ == "__main__":
    main()
