"""The steps of events paid in advance: the SQL against a plain walk over the events (metering.md §6.2)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tallystick.core.aggregate import Event, bucket_of, group_keys, group_of, numeric_value, text_value
from tallystick.core.contract import ChargeTerms
from tallystick.core.metering import MeterWindow
from tallystick.ground.db import Database
from tallystick.rooms.metering import in_advance
from tests.support.metering import FIELD, at, charge, event_rows, events, metric, price_filter, store_rows, window

MOMENTS = ["2026-05-20T12:00", "2026-06-01T00:00", "2026-06-05T08:30", "2026-06-05T08:30", "2026-06-17T23:59"]
VALUES = [0, 1, "2.5", -3, 7, "x", "", None]
TEXTS = ["a", "b", "", None]
#: for each of five kinds 15 chunks of 40 subscriptions: 3,000 cases
CHUNKS, SIZE = 15, 40
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
Step = tuple[bool, Decimal, Decimal, Decimal, int, int]


def history(kind: str, seed: int) -> list[tuple[str, dict[str, Any]]]:
    """Up to ten events of a seed."""
    rng = Random(seed)
    return [(rng.choice(MOMENTS), _properties(rng, kind)) for _ in range(rng.randint(0, 10))]


def _properties(rng: Random, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {FIELD: rng.choice(VALUES if kind == "sum" else TEXTS)}
    more: dict[str, list[Any]] = {
        "operation_type": ["add", "remove", "other", None],
        "region": ["eu", "us"],
        "team": ["x", None],
    }
    return found | {name: rng.choice(values) for name, values in more.items() if rng.random() < 0.5}


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
@settings(max_examples=CHUNKS, phases=PHASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(seeds=st.lists(st.integers(0, 2**40), min_size=SIZE, max_size=SIZE, unique=True))
async def test_steps(database: Database, kind: str, recurring: bool, seeds: list[int]) -> None:
    cases = [_case(kind, recurring, number, seed) for number, seed in enumerate(seeds)]
    async with database.begin() as tx:
        await store_rows(tx, [row for of, its in cases for row in event_rows(of, its)])
        ids = [uuid.UUID(int=event.id) for _, its in cases for event in its]
        found = await in_advance.steps(tx, [of for of, _ in cases], ids)
        levels = await in_advance.levels(tx, [of for of, _ in cases])
        await tx.rollback()
    for of, its in cases:
        wanted = walk(of, its)
        assert {
            event_id.int: (step.counted, step.applied, step.raised, step.units, step.events, step.window_events)
            for (key, event_id), step in found.items()
            if key == of.key
        } == wanted
        raises = [raised for (key, *_), level in levels.items() if key == of.key for _, raised in level.raises]
        assert sum(raises, Decimal(0)) == sum((step[2] for step in wanted.values()), Decimal(0))


def _case(kind: str, recurring: bool, number: int, seed: int) -> tuple[MeterWindow, list[Event]]:
    """A window in June 2026 with its events, whose ids no other case of the chunk has."""
    of = window(sold(kind, recurring), key=number, start_at=at("2026-06-01"), end_at=at("2026-06-30"))
    return of, [replace(event, id=number * 100 + event.id + 1) for event in events(*history(kind, seed))]
