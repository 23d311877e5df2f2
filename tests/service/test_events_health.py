"""The hourly health check of events (webhooks.md §3.14, §5.4)."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from tallystick.core.aggregate import Event
from tallystick.ground.db import Database, Tx
from tallystick.rooms.metering import health
from tests.support import metering as build
from tests.support.api import Api

HOUR_START, HOUR_END = build.at("2026-06-01T10:00"), build.at("2026-06-01T11:00")
LISTS = ("invalid_code", "missing_aggregation_property", "invalid_filter_values")


async def add_metric(tx: Tx, organization_id: uuid.UUID, kind: str, **more: Any) -> None:
    values = {"field_name": "value", "filters": {}, "deleted_at": None, **more}
    await tx.execute(text("set local session_replication_role = replica"))
    await tx.execute(
        text(
            """insert into billable_metrics (id, organization_id, code, name, aggregation_type, field_name, recurring,
                   filters, created_at, updated_at, deleted_at)
               values (gen_random_uuid(), :organization, 'metric', 'm', :kind, :field_name, false,
                   cast(:filters as jsonb), now(), now(), :deleted_at)"""
        ),
        {**values, "organization": organization_id, "kind": kind, "filters": json.dumps(values["filters"])},
    )


async def problems_of(database: Database, kind: str | None, properties: dict[str, Any], **metric: Any) -> set[str]:
    """The lists that name an event with these properties."""
    of = build.window(build.charge(build.metric("sum")))
    async with database.begin() as tx:
        if kind is not None:
            await add_metric(tx, of.organization_id, f"{kind}_agg", **metric)
        await build.store_events(tx, of, [Event(build.at("2020-01-01"), HOUR_START, 1, properties)])
        found = await health.check(tx, of.organization_id, HOUR_START, HOUR_END)
        await tx.rollback()
    return set() if found is None else {name for name in LISTS if getattr(found, name)}


NUMERIC = ("sum", "max", "weighted_sum", "latest")
MISSING = {"missing_aggregation_property"}


@pytest.mark.parametrize("kind", ["sum", "max", "weighted_sum", "latest", "unique_count", "count", "custom"])
async def test_properties(database: Database, kind: str) -> None:
    for properties in ({}, {"value": None}):
        assert await problems_of(database, kind, properties) == (set() if kind == "count" else MISSING)
    for junk in ("1e3", "+1", ".5", "1,0", " 1", "", True):
        assert await problems_of(database, kind, {"value": junk}) == (MISSING if kind in NUMERIC else set())
    assert await problems_of(database, "custom", {}, field_name=None) == set()
    for number in ("12", 12, "-3.50"):
        assert await problems_of(database, kind, {"value": number}) == set()


async def test_codes(database: Database) -> None:
    assert await problems_of(database, None, {}) == {"invalid_code"}
    assert await problems_of(database, "count", {}, deleted_at=build.at("2026-01-01")) == {"invalid_code"}


async def test_filter_values(database: Database) -> None:
    filters = {"region": ["us", "eu"], "tier": ["7"]}
    for properties in ({}, {"region": "us"}, {"region": None}, {"tier": 7}, {"other": "x"}):
        assert await problems_of(database, "count", properties, filters=filters) == set()
    for properties in ({"region": "US"}, {"region": ""}, {"tier": 8}, {"region": "us", "tier": "x"}):
        assert await problems_of(database, "count", properties, filters=filters) == {"invalid_filter_values"}
    assert await problems_of(database, "sum", {"region": "x"}, filters=filters) == {*MISSING, "invalid_filter_values"}


async def test_ids_are_distinct_and_sorted_and_of_the_hour(database: Database) -> None:
    of = build.window()
    async with database.begin() as tx:
        for place, (name, received_at) in enumerate(
            [
                ("b", HOUR_START),
                ("a", HOUR_START),
                ("B", HOUR_START),
                ("x", HOUR_END),
                ("y", HOUR_START - dt.timedelta(1)),
            ]
        ):
            for subscription in ("s1", "s2"):
                event = Event(HOUR_START, received_at, 2 * place + (subscription == "s2"))
                more = {"transaction_id": name, "external_subscription_id": subscription}
                await build.store_events(tx, of, [event], **more)
        found = await health.check(tx, of.organization_id, HOUR_START, HOUR_END)
        assert await health.first_received_at(tx, of.organization_id, HOUR_END) == HOUR_END
        assert await health.first_received_at(tx, of.organization_id, HOUR_END + dt.timedelta(seconds=1)) is None
        await tx.rollback()
    assert found is not None
    assert found.payload() == {
        "invalid_code": ["B", "a", "b"],
        "missing_aggregation_property": [],
        "missing_group_key": None,
        "invalid_filter_values": [],
    }


def test_the_check_is_put_on_the_agenda(api: Api, database_url: str) -> None:
    organization_id = api.organization["lago_id"]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "update organizations set clock_at = '2031-05-06T07:08:09Z' where id = %s", [organization_id]
        )
        for transaction_id in "ab":
            api.post("/events", {"event": {"transaction_id": transaction_id, "code": "x"}})
        rows = connection.execute(
            "select due_at from agenda where kind = 'check_events' and subject_id = %s", [organization_id]
        ).fetchall()
    assert rows == [(build.at("2031-05-06T08:00"),)]
