"""The steps of events paid in advance: the SQL against a plain walk over the events (metering.md §6.2)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.core.aggregate import Event, bucket_of, group_keys, group_of, numeric_value, text_value
from tallystick.core.contract import ChargeTerms
from tallystick.core.metering import MeterWindow
from tallystick.ground.db import Database
from tallystick.rooms.metering import in_advance
from tests.support.metering import FIELD, at, charge, events, metric, price_filter, store_events, window

MOMENTS = ["2026-05-20T12:00", "2026-06-01T00:00", "2026-06-05T08:30", "2026-06-05T08:30", "2026-06-17T23:59"]
VALUES = [0, 1, "2.5", -3, 7, "x", "", None]
TEXTS = ["a", "b", "", None]
Step = tuple[bool, Decimal, Decimal, Decimal, int, int]


def properties(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {FIELD: st.sampled_from(VALUES if kind == "sum" else TEXTS)},
        optional={
            "operation_type": st.sampled_from(["add", "remove", "other", None]),
            "region": st.sampled_from(["eu", "us"]),
            "team": st.sampled_from(["x", None]),
        },
    )


def histories(kind: str) -> st.SearchStrategy[list[tuple[str, dict[str, Any]]]]:
    return st.lists(st.tuples(st.sampled_from(MOMENTS), properties(kind)), max_size=10)


def sold(kind: str, recurring: bool) -> ChargeTerms:
    found = charge(metric(kind, recurring=recurring), pay_in_advance=True, filters=(price_filter({"region": ["eu"]}),))
    return replace(found, properties={"pricing_group_keys": ["team"]})


def walk(of: MeterWindow, given: Sequence[Event]) -> dict[int, Step]:
    """event -> (counted, applied, raised, units, events, events of the period), one event after the other."""
    found: dict[int, Step] = {}
    levels: dict[Any, dict[str, Any]] = {}
    for event in sorted(given, key=lambda one: one.position):
        inside = event.timestamp >= of.start_at
        if event.timestamp >= of.end_at or not (inside or of.charge.metric.recurring):
            continue
        bucket = bucket_of(of.charge, event.properties)
        key = (bucket.id if bucket else None, group_of(group_keys(of.charge, bucket), event.properties))
        level = levels.setdefault(
            key, {"units": Decimal(0), "events": 0, "inside": 0, "current": None, "peak": None, "there": {}}
        )
        applied, counted = _applied(of, event, level["there"])
        if applied is None:
            continue
        level["units"] += applied
        level["events"] += counted
        level["inside"] += counted and inside
        if not inside:
            continue
        if level["current"] is None:
            sums = of.charge.metric.aggregation_type == "sum_agg"
            level["current"] = level["peak"] = applied if sums else max(applied, Decimal(0))
            raised = max(applied, Decimal(0))
        else:
            level["current"] += applied
            raised = max(level["current"] - level["peak"], Decimal(0))
            level["peak"] = max(level["peak"], level["current"])
        found[event.id] = (bool(counted), applied, raised, level["units"], level["events"], level["inside"])
    return found


def _applied(of: MeterWindow, event: Event, there: dict[str, bool]) -> tuple[Decimal | None, int]:
    """What the event adds to the aggregate, and 1 when it is selected; None when it makes no step."""
    kind, text = of.charge.metric.aggregation_type, text_value(event.properties, FIELD)
    if kind == "count_agg":
        return Decimal(1), 1
    if not text:
        return None, 0
    if kind == "sum_agg":
        number = numeric_value(event.properties, FIELD)
        return (Decimal(0), 0) if number is None else (number, 1)
    operation = text_value(event.properties, "operation_type") or "add"
    if operation not in ("add", "remove"):
        return None, 0
    was, there[text] = there.get(text, False), operation == "add"
    return Decimal(there[text] - was), 1


@pytest.mark.parametrize(
    ("kind", "recurring"),
    [("count", False), ("sum", False), ("sum", True), ("unique_count", False), ("unique_count", True)],
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_steps(database: Database, kind: str, recurring: bool, data: st.DataObject) -> None:
    of = window(sold(kind, recurring), start_at=at("2026-06-01"), end_at=at("2026-06-30"))
    given = events(*data.draw(histories(kind)))
    async with database.begin() as tx:
        await store_events(tx, of, given)
        found = await in_advance.steps(tx, [of], [uuid.UUID(int=event.id) for event in given])
        levels = await in_advance.levels(tx, [of])
        await tx.rollback()
    wanted = walk(of, given)
    assert {
        event_id.int: (step.counted, step.applied, step.raised, step.units, step.events, step.window_events)
        for (_, event_id), step in found.items()
    } == wanted
    raised = sum((raised for level in levels.values() for _, raised in level.raises), Decimal(0))
    assert raised == sum((step[2] for step in wanted.values()), Decimal(0))
