"""The SQL of metering and the oracle in the core give the same usage, whatever metric, filters, groups and events."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tallystick.core.aggregate import Event, meter
from tallystick.core.contract import ChargeTerms, Metric, PriceFilter
from tallystick.core.metering import MeteredBucket, MeterWindow
from tallystick.core.rating import ChargeModel
from tallystick.ground.db import Database, Tx
from tallystick.rooms.metering import measure
from tests.support import metering as build

KINDS = ("count", "sum", "max", "latest", "unique_count", "weighted_sum", "custom")
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Auckland", "America/Sao_Paulo")
MICROSECOND = dt.timedelta(microseconds=1)

JUNK = ("abc", "1e3", "+1", ".5", "5.", "1,0", " 1", "", "1\n", "²", "٣", True, None, [1, 2], {"a": 1}, "9" * 501)
NUMBERS = st.one_of(
    st.integers(-20, 20),
    st.decimals(-50, 50, places=2, allow_nan=False),
    st.integers(-3, 3).map(str),
    st.sampled_from(["1.0", "1", "-0.00", "007", "12345678901234567890.123456789", "0.1"]),
)
#: few texts, so that they meet again
WORDS = st.sampled_from(["a", "b", "A", "é", "1", 1, "1.0", Decimal("1.0")])
PLACES = st.sampled_from(["us", "eu", "asia", "mars", "US", "", None, 7])


@st.composite
def properties(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {build.FIELD: draw(st.one_of(NUMBERS, NUMBERS, WORDS, st.sampled_from(JUNK)))}
    found["operation_type"] = draw(st.sampled_from(["add", "add", "remove", "", None, "other"]))
    for key in ("region", "tier", "target_wallet_code"):
        found[key] = draw(PLACES)
    for key in draw(st.sets(st.sampled_from(list(found)), max_size=3)):
        del found[key]
    return found


@st.composite
def metrics(draw: st.DrawFn) -> Metric:
    kind = draw(st.sampled_from(KINDS))
    rounding = draw(st.sampled_from([None, None, "round", "ceil", "floor"]))
    return build.metric(
        kind,
        recurring=kind in ("sum", "unique_count", "weighted_sum") and draw(st.booleans()),
        rounding_function=rounding,
        rounding_precision=draw(st.sampled_from([None, 0, 2, -1])) if rounding else None,
    )


GROUPS = st.lists(st.sampled_from(["region", "tier", "other"]), max_size=2, unique=True)
LISTS = st.lists(st.sampled_from(["us", "eu", "asia", "7"]), min_size=1, max_size=3, unique=True)
#: what a query asks for: mostly everything
ONLY: st.SearchStrategy[dict[str, tuple[str, ...]]] = st.one_of(
    st.just({}),
    st.just({}),
    st.dictionaries(st.sampled_from(["region", "tier"]), LISTS.map(lambda texts: (*texts, "")), max_size=2),
)
FILTER_VALUES = st.dictionaries(st.sampled_from(["region", "tier"]), LISTS, min_size=1)
FILTERS = st.lists(
    st.builds(lambda values, groups: build.price_filter(values, *groups), FILTER_VALUES, GROUPS), max_size=6
)

PERCENTAGES = st.fixed_dictionaries(
    {"rate": st.just("1")},
    optional={
        "free_units_per_events": st.integers(1, 3),
        "free_units_per_total_aggregation": st.sampled_from(["5", "0.5"]),
        "per_transaction_min_amount": st.just("1"),
        "per_transaction_max_amount": st.sampled_from(["3", None]),
    },
)


@st.composite
def charges(draw: st.DrawFn) -> ChargeTerms:
    metric = draw(metrics())
    prorates = metric.recurring and metric.aggregation_type in ("sum_agg", "unique_count_agg")
    model = draw(st.sampled_from([ChargeModel.STANDARD, ChargeModel.PERCENTAGE, ChargeModel.GRADUATED]))
    own = draw(PERCENTAGES) if model is ChargeModel.PERCENTAGE else {}
    return build.charge(
        metric,
        model=model,
        prorated=prorates and draw(st.booleans()),
        properties={**own, "pricing_group_keys": draw(GROUPS)},
        filters=tuple(_priced(one, own) for one in draw(FILTERS)),
        accepts_target_wallet=draw(st.booleans()),
    )


def _priced(one: PriceFilter, own: dict[str, Any]) -> PriceFilter:
    return replace(one, properties={**own, **one.properties})


@st.composite
def windows(draw: st.DrawFn) -> MeterWindow:
    made = build.month(
        draw(st.sampled_from(["2026-03-01", "2026-06-01", "2026-11-01"])), draw(charges()), draw(st.sampled_from(ZONES))
    )
    start, end = made.start_at, made.end_at
    match draw(st.sampled_from(["whole", "late start", "early end", "both"])):
        case "late start":
            start += dt.timedelta(days=draw(st.integers(0, 20)), microseconds=draw(st.integers(0, 5_000)))
        case "early end":
            end -= dt.timedelta(days=draw(st.integers(1, 20)), microseconds=draw(st.integers(0, 2_000_000)))
        case "both":
            start, end = start + dt.timedelta(hours=30, milliseconds=7), end - dt.timedelta(hours=100)
    return build.window(
        made.charge,
        start_at=start,
        end_at=end,
        timezone=made.timezone,
        duration_days=made.duration_days,
        only=draw(ONLY),
    )


@st.composite
def moments(draw: st.DrawFn, window: MeterWindow) -> dt.datetime:
    """Often at the bounds, often equal to others."""
    length = (window.end_at - window.start_at) // MICROSECOND
    anchor = draw(st.sampled_from([window.start_at, window.end_at, window.start_at + MICROSECOND * (length // 2)]))
    step = draw(
        st.sampled_from([MICROSECOND, dt.timedelta(milliseconds=1), dt.timedelta(hours=5), dt.timedelta(days=1)])
    )
    return anchor + step * draw(st.integers(-3, 3))


@st.composite
def cases(draw: st.DrawFn) -> tuple[MeterWindow, list[Event]]:
    window = draw(windows())
    received = st.sampled_from([build.at("2026-02-01"), build.at("2026-07-02")])
    amounts = st.one_of(st.none(), st.decimals(-99, 99, places=3, allow_nan=False))
    count = draw(st.integers(0, 12))
    return window, [
        Event(draw(moments(window)), draw(received), place + 1, draw(properties()), draw(amounts))
        for place in range(count)
    ]


async def measured(tx: Tx, window: MeterWindow, events: list[Event]) -> list[MeteredBucket]:
    """Usage of the window, with the same events of strangers beside them."""
    await build.store_events(tx, window, events)
    strangers: list[dict[str, Any]] = [
        {"organization_id": uuid.uuid4()},
        {"external_subscription_id": "x"},
        {"code": "x"},
    ]
    for place, stranger in enumerate(strangers, 1):
        await build.store_events(
            tx, window, [replace(event, id=event.id + 1000 * place) for event in events], **stranger
        )
    return await measure.meter(tx, [window])


@asynccontextmanager
async def undone(database: Database) -> AsyncIterator[Tx]:
    """A transaction that leaves no trace."""
    async with database.begin() as tx:
        yield tx
        await tx.rollback()


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(), st.sampled_from([None, -40, 0, 3]))
async def test_sql_and_oracle_agree(
    database: Database, case: tuple[MeterWindow, list[Event]], first_started: int | None
) -> None:
    window, events = case
    first_started_at = None if first_started is None else window.start_at + dt.timedelta(days=first_started)
    async with undone(database) as tx:
        await start_subscription(tx, window, first_started_at)
        assert await measured(tx, window, events) == meter(window, events, first_started_at)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(cases(), min_size=2, max_size=5))
async def test_many_windows_at_once(database: Database, drawn: list[tuple[MeterWindow, list[Event]]]) -> None:
    async with undone(database) as tx:
        expected: list[MeteredBucket] = []
        asked: list[MeterWindow] = []
        for key, (window, events) in enumerate(drawn):
            asked.append(replace(window, key=key))
            await build.store_events(tx, window, [replace(event, id=event.id + 100 * key) for event in events])
            expected += meter(asked[-1], events)
        assert await measure.meter(tx, asked) == expected


async def start_subscription(tx: Tx, window: MeterWindow, started_at: dt.datetime | None) -> None:
    """A row of the subscription, without the customer and the plan it would need."""
    if started_at is not None:
        await tx.execute(text("set local session_replication_role = replica"))
        tx.add(build.subscription_row(window, started_at))
        await tx.flush()
