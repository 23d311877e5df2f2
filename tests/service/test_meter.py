"""Usage measured in the database: a constant number of queries, partitions, and what the oracle is not asked about."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from tallystick.core.aggregate import Event, meter
from tallystick.core.contract import ChargeTerms
from tallystick.core.metering import MeteredBucket, MeterWindow
from tallystick.core.rating import ChargeModel
from tallystick.ground.db import Database, Tx, raw_connection
from tallystick.rooms.metering import measure, partitions
from tests.support import metering as build

KINDS = ("count", "sum", "max", "latest", "unique_count", "weighted_sum")


async def counted(tx: Tx, windows: Sequence[MeterWindow]) -> tuple[int, list[MeteredBucket]]:
    """How many statements the driver sent, and the answer."""
    connection = await raw_connection(tx)
    sent: list[str] = []
    with connection.query_logger(lambda record: sent.append(record.query)):
        found = await measure.meter(tx, windows)
    return len(sent), found


def charges_of_all_kinds(filters: int) -> list[ChargeTerms]:
    """Every kind, prorated and with prices for single events too, each with many filters."""
    made = [build.charge(build.metric(kind, code=kind)) for kind in KINDS]
    for kind in ("sum", "unique_count"):
        made.append(
            build.charge(build.metric(kind, code=kind, recurring=True), prorated=True, model=ChargeModel.GRADUATED)
        )
    lists = tuple(build.price_filter({"region": [f"r{place}", f"s{place}"]}) for place in range(filters))
    return [
        build.charge(
            one.metric,
            prorated=one.prorated,
            model=one.model,
            filters=lists,
            properties={"pricing_group_keys": ["tier"]},
        )
        for one in made
    ]


async def test_the_number_of_queries_is_constant(database: Database) -> None:
    few = [build.window(one) for one in charges_of_all_kinds(1)]
    many = [
        build.window(one, key=key, external_subscription_id=f"s{key}", organization_id=few[0].organization_id)
        for key in range(50)
        for one in charges_of_all_kinds(200)
    ]
    async with database.begin() as tx:
        await measure.meter(tx, few[:1])
        for place, window in enumerate(many[::7]):
            properties = {build.FIELD: place, "region": f"r{place % 200}", "tier": str(place % 3)}
            await build.store_events(tx, window, [Event(build.at("2026-06-05"), window.start_at, place, properties)])
        count, _ = await counted(tx, few)
        same_count, found = await counted(tx, many)
        await tx.rollback()
    assert count == same_count
    assert len(found) >= len(many) * 201
    assert sum(1 for one in found if one.usage.events_count) >= len(many[::7])


async def test_nothing_to_measure(database: Database) -> None:
    async with database.begin() as tx:
        assert await measure.meter(tx, []) == []


async def test_empty_buckets_come_in_order(database: Database) -> None:
    filters = (build.price_filter({"a": ["1"]}, "zone"), build.price_filter({"b": ["1"]}))
    of = build.window(build.charge(filters=filters, properties={"pricing_group_keys": ["x", "y"]}), key=7)
    async with database.begin() as tx:
        found = await measure.meter(tx, [of])
    assert [(one.key, one.filter_id, one.grouped_by) for one in found] == [
        (7, filters[0].id, {"zone": None}),
        (7, filters[1].id, {}),
        (7, None, {"x": None, "y": None}),
    ]
    assert all(one.usage.units == 0 for one in found)


async def test_precedence_that_no_fixed_order_has(database: Database) -> None:
    filters = tuple(build.price_filter({"n": list(values)}) for values in ("124", "123", "14"))
    of = build.window(build.charge(build.metric("count"), filters=filters))
    events = build.events(*((f"2026-06-0{n}", {"n": str(n)}) for n in (1, 2, 2, 3, 3, 3, 4, 5)))
    async with database.begin() as tx:
        await build.store_events(tx, of, events)
        found = await measure.meter(tx, [of])
        await tx.rollback()
    # 1 -> second (first is wider than third, second is older than third), 2 -> first, 3 -> second, 4 -> third
    assert [one.usage.units for one in found] == [2, 4, 1, 1]
    assert found == meter(of, events)


async def test_one_charge_in_two_windows_and_two_charges_in_one(database: Database) -> None:
    one, other = build.charge(), build.charge(build.metric("count"))
    june = build.month("2026-06-01", one)
    july = build.month("2026-07-01", one, key=1, organization_id=june.organization_id)
    both = build.month("2026-06-01", other, key=2, organization_id=june.organization_id)
    async with database.begin() as tx:
        await build.store_events(tx, june, build.events(("2026-06-30", 5), ("2026-07-01", 7)))
        found = await measure.meter(tx, [june, july, both])
        await tx.rollback()
    assert [(bucket.key, int(bucket.usage.units)) for bucket in found] == [(0, 5), (1, 7), (2, 1)]


async def test_equal_ids_with_other_terms_are_told_apart(database: Database) -> None:
    grouped = build.charge(properties={"pricing_group_keys": ["region"]})
    plain = build.charge(**{name: getattr(grouped, name) for name in ("id", "metric")})
    of = build.window(grouped)
    ungrouped = build.window(plain, key=1, organization_id=of.organization_id)
    async with database.begin() as tx:
        await build.store_events(tx, of, build.events(("2026-06-05", {build.FIELD: 1, "region": "us"})))
        found = await measure.meter(tx, [of, ungrouped])
        await tx.rollback()
    assert [bucket.grouped_by for bucket in found] == [{"region": "us"}, {}]


async def test_numbers_of_any_size(database: Database) -> None:
    of = build.window(build.charge(build.metric("sum")))
    events = build.events(("2026-06-05", "9" * 60), ("2026-06-06", "9" * 200_000), ("2026-06-07", "1"))
    async with database.begin() as tx:
        await build.store_events(tx, of, events)
        (found,) = await measure.meter(tx, [of])
        await tx.rollback()
    assert found.usage.units == Decimal(10**60)
    assert [found] == meter(of, events)


# -- partitions ------------------------------------------------------------------------------------


async def partition_of(tx: Tx, of: MeterWindow) -> Any:
    connection = await raw_connection(tx)
    return await connection.fetchval(
        "select tableoid::regclass::text from events where organization_id = $1", of.organization_id
    )


@pytest.mark.parametrize(("month", "name"), [("2033-12", "events_2033_12"), ("2034-01", "events_2034_01")])
async def test_partitions_are_made_once(database: Database, month: str, name: str) -> None:
    at = build.at(f"{month}-31T23:59:59.999999")
    async with database.begin() as tx:
        connection = await raw_connection(tx)
        for _ in range(2):
            await partitions.create(connection, (at.year, at.month))
        of = build.window(organization_id=uuid.uuid4())
        await build.store_events(tx, of, [Event(at, at, 1)])
        assert await partition_of(tx, of) == name
        await tx.rollback()


async def test_a_month_of_the_default_partition_stays_there(database: Database) -> None:
    at = build.at("2035-05-05")
    of = build.window(start_at=build.at("2035-05-01"), end_at=build.at("2035-06-01"))
    pool = await asyncpg.create_pool(database.url, min_size=1, max_size=2)
    async with database.begin() as tx:
        await build.store_events(tx, of, build.events((at.isoformat(), 3)))
    known = partitions.Partitions()
    assert known.missing([at]) == {(2035, 5)}
    await known.ensure(pool, [at, build.at("2014-12-31"), build.at("2041-01-01")])
    assert known.missing([at]) == set()
    async with database.begin() as tx:
        assert await partition_of(tx, of) == "events_default"
        (found,) = await measure.meter(tx, [of])
    assert found.usage.units == 3
    await pool.close()
