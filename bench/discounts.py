"""What discounts and taxes cost a billing run: composing and writing with two coupons and two taxes, and without any.

Fees are rated beforehand; measured is `issue` with its commit, in chunks as the worker has them. Size: `--invoices`.
"""

from __future__ import annotations

import argparse
import time
import uuid

import asyncpg
import uvloop
from sqlalchemy import select

from bench.population import Population, populate
from bench.report import durable_postgres, publish
from tallystick.core.occasion import Occasion, Reason
from tallystick.flows.billing.compose import Rated
from tallystick.flows.billing.due import bill_of
from tallystick.flows.billing.lines import fees_of
from tallystick.flows.billing.load import load_contracts
from tallystick.flows.billing.run import issue, lock_customers
from tallystick.ground import garbage
from tallystick.ground.db import Database
from tallystick.ground.tables import Subscription

CHUNK = 1000
EVENTS_EACH = 10

_PLAIN = "delete from tax_links where organization_id = $1"

_TAXES = """
with tax as (
  insert into taxes (id, organization_id, code, name, rate, auto_generated, created_at, updated_at)
  values (gen_random_uuid(), $1, 'city', 'City', 2.5, false, now(), now()) returning id
)
insert into tax_links (owner_kind, owner_id, tax_id, organization_id, created_at)
select 'billing_entity', $1, id, $1, now() from tax
"""

_COUPONS = """
with coupon as (
  insert into coupons (id, organization_id, code, name, coupon_type, amount_cents, amount_currency, percentage_rate,
    frequency, expiration, reusable, status, created_at, updated_at)
  values
    (gen_random_uuid(), $1, 'tenth', 'Tenth', 'percentage', null, null, 10, 'forever', 'no_expiration', true, 'active',
      now(), now()),
    (gen_random_uuid(), $1, 'euro', 'Euro', 'fixed_amount', 100, 'EUR', null, 'forever', 'no_expiration', true,
      'active', now(), now())
  returning *
)
insert into applied_coupons (id, organization_id, coupon_id, customer_id, status, amount_cents, amount_currency,
  percentage_rate, frequency, created_at, updated_at)
select gen_random_uuid(), $1, k.id, c.id, 'active', k.amount_cents, k.amount_currency, k.percentage_rate, k.frequency,
  now(), now()
from coupon k cross join customers c where c.organization_id = $1
"""


async def run(url: str, invoices: int, *, discounted: bool) -> float:
    """Invoices composed and written in a second."""
    world = await populate(url, invoices, invoices * EVENTS_EACH)
    connection = await asyncpg.connect(url)
    for statement in (_TAXES, _COUPONS) if discounted else (_PLAIN,):
        await connection.execute(statement, world.organization_id)
    await connection.execute("vacuum analyze")
    await connection.close()
    database = Database(url, pool_size=2)
    garbage.calm()
    async with database.begin() as tx:
        ids = list(await tx.scalars(select(Subscription.id).order_by(Subscription.id)))
    seconds = 0.0
    for start in range(0, len(ids), CHUNK):
        seconds += await _issue(database, world, ids[start : start + CHUNK])
    await database.close()
    return len(ids) / seconds


async def _issue(database: Database, world: Population, ids: list[uuid.UUID]) -> float:
    """The seconds of one chunk: its fees are rated before the watch starts, its commit is in it."""
    async with database.begin() as tx:
        contracts = await load_contracts(tx, ids)
        await lock_customers(tx, [contract.customer.id for contract in contracts])
        bills = [bill_of(one, Occasion(one.subscription_id, Reason.PERIODIC, world.month_end_at)) for one in contracts]
        rated = [Rated(bill, tuple(fees)) for bill, fees in zip(bills, await fees_of(tx, bills), strict=True)]
        started = time.perf_counter()
        await issue(tx, rated)
    return time.perf_counter() - started


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=5_000)
    invoices = parser.parse_args().invoices
    found = {}
    for name, discounted in (("plain", False), ("two coupons, two taxes", True)):
        with durable_postgres() as url:
            found[name] = uvloop.run(run(url, invoices, discounted=discounted))
    plain, reduced = found.values()
    figures = {f"{name} (invoices/s)": round(rate, 1) for name, rate in found.items()}
    publish("discounts", {"invoices": invoices, **figures, "share of the plain rate": f"{reduced / plain:.1%}"})


if __name__ == "__main__":
    main()
