"""Usage of windows from rollups: what they hold and what they do not hold yet, seen at one instant.

A cache: an answer is what raw events say, or there is none. Rollups are built and kept in `upkeep.py`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tallystick.core.aggregate import window_start
from tallystick.core.metering import MeterWindow
from tallystick.ground.db import Tx, raw_connection
from tallystick.rooms.metering.questions import Questions, can_be_rolled_up
from tallystick.rooms.metering.selection import SELECTED_NOTED, Plan, RollupRef, carries_since_start, fetch, read_query

#: below so many events in a window, reading them takes about as long as reading a rollup
WORTHWHILE = 5_000
#: above so many events that wait to be rolled up, the raw events are read instead
MOST_WAITING = 20_000

#: aggregation -> what it reads of the metric's property
READS = {
    "count": "nothing",
    "sum": "number",
    "max": "number",
    "latest": "number",
    "unique_count": "text",
    "weighted_sum": "number",
}


def figures_query(kind: str) -> str:
    """The CTE `figures` of selected events, behind a selection; for unique counts `changed` comes before it."""
    if kind == "unique_count":
        return read_query("rollups/unique_count")
    return f", figures as (\n{read_query(kind)})\n"


_ANSWERS = {kind: SELECTED_NOTED + figures_query(kind) + read_query("rollups/answer") for kind in READS}
_KNOWN, _HELD, _WANT = (read_query(f"rollups/{name}") for name in ("known", "held", "want"))

Stream = tuple[uuid.UUID, str, str]
#: place of a window -> a row for each bucket and group
Answers = dict[int, list[Mapping[str, Any]]]


def kind_of(window: MeterWindow) -> str:
    """The aggregation of a window's metric."""
    return window.charge.metric.aggregation_type.removesuffix("_agg")


@dataclass(slots=True)
class _Known:
    """What is known of a stream. `asked`: definition -> its rollup if that is built, and whether this is old news."""

    stream_id: uuid.UUID
    waiting: int
    first_started_at: dt.datetime | None
    asked: dict[bytes, tuple[uuid.UUID | None, bool]] = field(default_factory=dict)


class Rolled:
    """The rollups of some windows. First `answers`; then `remember` asks for what would have helped."""

    def __init__(self, tx: Tx, windows: Sequence[MeterWindow]) -> None:
        self._tx = tx
        self._windows = windows
        self._questions = Questions()
        self._known: dict[Stream, _Known] = {}

    async def answers(self) -> Answers:
        """place of a window -> a row for each bucket and group with events; windows without a rollup are absent.

        One statement says which rollups there are and another what they hold; where events wait to be rolled up, one
        for each aggregation adds those.
        """
        found, waiting = await self._held(await self._find())
        by_kind: dict[str, dict[int, RollupRef]] = {}
        for place, rollup in waiting.items():
            by_kind.setdefault(kind_of(self._windows[place]), {})[place] = rollup
        for kind, rollups in by_kind.items():
            query, reads = _ANSWERS[kind], READS[kind]
            rows = await fetch(
                self._tx, query, self._windows, list(rollups), reads, kind, None, rollups=rollups, plan=Plan.GENERAL
            )
            found.update(_by_window(rows))
        return found

    async def _held(self, rollups: Mapping[int, RollupRef]) -> tuple[Answers, dict[int, RollupRef]]:
        """Answers of rollups that hold all there is, and the rollups for whose streams events wait."""
        if not rollups:
            return {}, {}
        ids = [(place, one.rollup_id, one.stream_id) for place, one in rollups.items()]
        connection = await raw_connection(self._tx)
        rows = [dict(row) for row in await connection.fetch(_HELD, *map(list, zip(*ids, strict=True)))]
        waiting = {row["no"] for row in rows if row.pop("waits")}
        answers = _by_window(row for row in rows if row["no"] not in waiting)
        return answers, {place: rollups[place] for place in waiting}

    async def remember(self, events: Mapping[int, int]) -> None:
        """Ask for rollups of the windows that had so many raw events, and keep those that answered."""
        wanted: dict[tuple[Stream, bytes | None], str | None] = {}
        for place, window in enumerate(self._windows):
            known, worthwhile = self._known.get(_stream(window)), events.get(place, 0) >= WORTHWHILE
            if not can_be_rolled_up(window) or (known is None and not worthwhile):
                continue
            if known is None and carries_since_start(window):
                wanted[_stream(window), None] = None  # when it first started is known next time
                continue
            question = self._questions.of(window, _earliest(window, known))
            asked = known.asked.get(question.definition) if known else None
            if asked[1] if asked else worthwhile:
                wanted[_stream(window), question.definition] = question.text
        if wanted:
            rows = [(*stream, definition, text) for (stream, definition), text in wanted.items()]
            connection = await raw_connection(self._tx)
            await connection.execute(_WANT, *map(list, zip(*rows, strict=True)))

    async def _find(self) -> dict[int, RollupRef]:
        places = [place for place, window in enumerate(self._windows) if can_be_rolled_up(window)]
        streams: dict[Stream, bool] = {}
        for place in places:
            window = self._windows[place]
            streams[_stream(window)] = streams.get(_stream(window), False) or carries_since_start(window)
        if not streams:
            return {}
        await self._load(streams)
        found: dict[int, RollupRef] = {}
        for place in places:
            window = self._windows[place]
            known = self._known.get(_stream(window))
            if known is None or known.waiting >= MOST_WAITING or not known.asked:
                continue
            earliest_at = _earliest(window, known)
            rollup_id, _ = known.asked.get(self._questions.of(window, earliest_at).definition, (None, False))
            if rollup_id is not None:
                found[place] = RollupRef(rollup_id, known.stream_id, earliest_at)
        return found

    async def _load(self, streams: Mapping[Stream, bool]) -> None:
        asked = list(streams)
        columns = map(list, zip(*asked, strict=True))
        connection = await raw_connection(self._tx)
        for row in await connection.fetch(_KNOWN, *columns, MOST_WAITING, list(streams.values())):
            stream = asked[row["place"] - 1]
            known = self._known.setdefault(stream, _Known(row["stream_id"], row["waiting"], row["first_started_at"]))
            if row["rollup_id"] is not None:
                known.asked[row["definition"]] = (row["rollup_id"] if row["built"] else None, row["is_old"])


def _by_window(rows: Iterable[Mapping[str, Any]]) -> Answers:
    """Rows by window; one without a bucket only says that the window's rollup is there."""
    seen = list(rows)
    found: Answers = {row["no"]: [] for row in seen if row["grp"] is None}
    for row in seen:
        if row["grp"] is not None and row["no"] in found:
            found[row["no"]].append(row)
    return found


def _stream(window: MeterWindow) -> Stream:
    return window.organization_id, window.external_subscription_id, window.charge.metric.code


def _earliest(window: MeterWindow, known: _Known | None) -> dt.datetime | None:
    """How far back a weighted sum carries; None where the window itself says it."""
    if not carries_since_start(window):
        return None
    start = window_start(window)
    first = known.first_started_at if known else None
    return start if first is None else min(start, first)
