"""A billing run: 10,000 subscriptions × 3 charges × 1 million events become invoices, on a durable PostgreSQL.

The yardstick is the plain COPY of the very rows the run wrote. Sizes: `--subscriptions`, `--events`.
"""

from __future__ import annotations

import argparse
import time

import asyncpg
import uvloop

from bench.population import populate
from bench.report import durable_postgres, peak_memory_mib, publish
from tallystick.flows.clockwork.live import work_off_live
from tallystick.ground import garbage
from tallystick.ground.db import Database

WRITTEN = ("invoices", "fees", "fee_taxes", "invoice_taxes", "invoice_subscriptions")


async def run(url: str, subscriptions: int, events: int) -> None:
    """Fill the database, bill the month end, copy the same rows again, print."""
    filled = time.perf_counter()
    world = await populate(url, subscriptions, events)
    filled = time.perf_counter() - filled
    database = Database(url, pool_size=4)
    garbage.calm()
    started = time.perf_counter()
    rounds = 0
    while await work_off_live(database, world.month_end_at):
        rounds += 1
    seconds = time.perf_counter() - started
    await database.close()
    connection = await asyncpg.connect(url)
    invoices = await connection.fetchval("select count(*) from invoices")
    rows, copied = await _copy_again(connection)
    await connection.close()
    publish(
        "billing_run",
        {
            "subscriptions": subscriptions,
            "events": events,
            "filled in (s)": round(filled, 1),
            "invoices": invoices,
            "rounds": rounds,
            "billed in (s)": round(seconds, 2),
            "invoices/s": round(invoices / seconds, 1),
            "rows written": rows,
            "rows written/s": round(rows / seconds),
            "plain COPY of the same rows/s": round(rows / copied),
            "share of the COPY rate": f"{rows / seconds / (rows / copied):.1%}",
            "peak memory (MiB)": peak_memory_mib(),
        },
    )


async def _copy_again(connection: asyncpg.Connection) -> tuple[int, float]:
    """COPY what was written into bare tables of the same shape: rows, and seconds."""
    count, seconds = 0, 0.0
    for table in WRITTEN:
        records = [tuple(row) for row in await connection.fetch(f"select * from {table}")]
        await connection.execute(f"create table copy_of_{table} as select * from {table} with no data")
        began = time.perf_counter()
        await connection.copy_records_to_table(f"copy_of_{table}", records=records)
        seconds += time.perf_counter() - began
        count += len(records)
    return count, seconds


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscriptions", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    with durable_postgres() as url:
        uvloop.run(run(url, options.subscriptions, options.events))


if __name__ == "__main__":
    main()
