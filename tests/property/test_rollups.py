"""Rollups never show: whatever happened to events and rollups, in whatever order, usage is that of the raw events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tallystick.core.aggregate import Event, meter
from tallystick.core.metering import MeterWindow
from tallystick.ground.db import Database, Tx
from tallystick.rooms.metering import measure, upkeep
from tallystick.rooms.metering.questions import can_be_rolled_up
from tests.property.test_metering_oracle import cases, charges, windows
from tests.support import metering as build
from tests.support.rollups import answered, catch_up, want

TABLES = ("unrolled_events", "rollup_parts", "rollup_texts", "rolled_streams cascade", "rollups cascade")
SESSIONS = 3
_drawn: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def alike(first: MeterWindow, other: MeterWindow) -> MeterWindow:
    """The other window over the events of the first."""
    metric = replace(other.charge.metric, code=first.charge.metric.code)
    return replace(
        other,
        organization_id=first.organization_id,
        external_subscription_id=first.external_subscription_id,
        charge=replace(other.charge, metric=metric),
    )


async def check(database: Database, asked: Sequence[MeterWindow], events: Sequence[Event]) -> None:
    """Usage of all windows is what the oracle says of the events."""
    expected = [bucket for window in asked for bucket in meter(window, events)]
    async with database.begin() as tx:
        assert await measure.meter(tx, asked) == expected


@settings(max_examples=150, **_drawn)
@given(cases(), st.data())
async def test_rollups_and_raw_events_agree(
    database: Database, case: tuple[MeterWindow, list[Event]], data: st.DataObject
) -> None:
    """Built from some events, kept up with others, with others still to come."""
    window, events = case
    bounds = sorted(data.draw(st.lists(st.integers(0, len(events)), min_size=2, max_size=2)))
    first, then, last = events[: bounds[0]], events[bounds[0] : bounds[1]], events[bounds[1] :]
    rollable = {0} if can_be_rolled_up(window) else set()
    async with database.begin() as tx:
        await build.store_events(tx, window, first)
    await want(database, [window])
    await check(database, [window], first)
    await catch_up(database)
    assert await answered(database, [window]) == rollable
    await check(database, [window], first)
    for more, known in ((then, [*first, *then]), (last, events)):
        async with database.begin() as tx:
            await build.store_events(tx, window, more)
        await check(database, [window], known)
        await catch_up(database)
        assert await answered(database, [window]) == rollable
        await check(database, [window], known)


@settings(max_examples=40, **_drawn)
@given(cases(), charges(), windows())
async def test_other_questions_about_the_same_events(
    database: Database, case: tuple[MeterWindow, list[Event]], other_charge: Any, other_window: MeterWindow
) -> None:
    """Filters, groups or periods that change ask anew, beside what is rolled up already."""
    window, events = case
    asked = [window, alike(window, replace(window, charge=other_charge)), alike(window, other_window)]
    asked = [replace(one, key=key) for key, one in enumerate(asked)]
    half = len(events) // 2
    async with database.begin() as tx:
        await build.store_events(tx, window, events[:half])
    await want(database, asked[:1])
    await catch_up(database)
    async with database.begin() as tx:
        await build.store_events(tx, window, events[half:])
    await want(database, asked)
    await check(database, asked, events)
    await catch_up(database)
    await check(database, asked, events)


STEPS = st.one_of(
    st.tuples(st.just("store"), st.integers(0, SESSIONS - 1)),
    st.tuples(st.just("store"), st.integers(0, SESSIONS - 1)),
    st.tuples(st.just("end"), st.integers(0, SESSIONS - 1), st.booleans()),
    st.tuples(st.just("want"), st.integers(0, 1)),
    st.tuples(st.just("want"), st.integers(0, 1)),
    st.tuples(st.just("upkeep")),
    st.tuples(st.just("upkeep")),
    st.tuples(st.just("upkeep")),
    st.tuples(st.just("drop")),
    st.tuples(st.just("truncate"), st.sampled_from(TABLES)),
)


@dataclass
class World:
    """Transactions that store events side by side, and what is committed."""

    database: Database
    asked: list[MeterWindow]
    coming: list[Event]
    stack: AsyncExitStack
    committed: list[Event] = field(default_factory=list)
    open: dict[int, tuple[Tx, Any, list[Event]]] = field(default_factory=dict)

    async def store(self, session: int) -> None:
        """One more event in a transaction that stays open."""
        if not self.coming:
            return
        if session not in self.open:
            block = self.database.begin()
            self.open[session] = await block.__aenter__(), block, []
        tx, _, events = self.open[session]
        events.append(self.coming.pop())
        await build.store_events(tx, self.asked[0], events[-1:])

    async def end(self, session: int, commits: bool) -> None:
        """Commit or roll back."""
        if session not in self.open:
            return
        tx, block, events = self.open.pop(session)
        if commits:
            self.committed += events
        else:
            await tx.rollback()
        await block.__aexit__(None, None, None)

    async def end_all(self) -> None:
        """Commit what is open."""
        for session in list(self.open):
            await self.end(session, True)

    async def take(self, step: tuple[Any, ...]) -> None:
        """One step of the walk."""
        match step:
            case ("store", session):
                await self.store(session)
            case ("end", session, commits):
                await self.end(session, commits)
            case ("want", place):
                await want(self.database, [self.asked[place]])
            case ("upkeep",):
                await upkeep.catch_up(self.database)
            case ("drop",):
                async with self.database.begin() as tx:
                    await upkeep.drop(tx)
            case ("truncate", table):
                await self.end_all()  # it waits for whoever stores events
                async with self.database.begin() as tx:
                    await tx.execute(text(f"truncate {table}"))
        await check(self.database, self.asked, self.committed)


@settings(max_examples=60, **_drawn)
@given(cases(), charges(), st.lists(STEPS, min_size=5, max_size=30))
async def test_whatever_happens_in_whatever_order(
    database: Database, case: tuple[MeterWindow, list[Event]], other: Any, steps: Iterable[tuple[Any, ...]]
) -> None:
    """Transactions that overlap, upkeep between any two statements, caches that are emptied: nothing shows."""
    window, events = case
    asked = [window, replace(alike(window, replace(window, charge=other)), key=1)]
    async with AsyncExitStack() as stack:
        world = World(database, asked, list(events), stack)
        try:
            for step in steps:
                await world.take(step)
        finally:
            await world.end_all()
    await want(database, asked)
    await catch_up(database)
    await check(database, asked, world.committed)
    assert await answered(database, asked) == {one.key for one in asked if can_be_rolled_up(one)}
