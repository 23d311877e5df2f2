"""What a day added to the usage of a period (metering.md §11)."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from tallystick.core.daily_usage import Item, Part, differences

CHARGE, METRIC = uuid.uuid4(), uuid.uuid4()


def item(units: str, cents: int, events: int = 1, **more: Any) -> Item:
    fields: dict[str, Any] = {"filter_id": None, "grouped_by": {}, **more}
    return Item(CHARGE, METRIC, units=Decimal(units), events_count=events, amount_cents=cents, **fields)


def test_the_first_row_of_a_period_counts_whole() -> None:
    assert differences([item("3", 30)], []) == [item("3", 30)]


def test_later_rows_count_what_was_added() -> None:
    assert differences([item("5", 50, 3)], [item("3.5", 35, 2)]) == [item("1.5", 15, 1)]
    assert differences([item("2", 20, 3)], [item("3", 30, 2)]) == [item("-1", -10, 1)]


def test_what_is_new_counts_whole_and_what_vanished_is_not_taken_back() -> None:
    us: dict[str, Any] = {"grouped_by": {"r": "us"}}
    eu: dict[str, Any] = {"grouped_by": {"r": "eu"}}
    wide: dict[str, Any] = {"filter_id": uuid.uuid4()}
    found = differences([item("1", 10, **us), item("4", 40, **wide)], [item("1", 10, **eu), item("1", 10, **us)])
    assert found == [item("0", 0, 0, **us), item("4", 40, **wide)]
    assert [one.says_something for one in found] == [False, True]


def test_parts_differ_alike() -> None:
    now = item("5", 50, parts=(Part({"d": "x"}, Decimal(3)), Part({"d": None}, Decimal(2))))
    before = item("2", 20, parts=(Part({"d": "x"}, Decimal(2)),))
    (found,) = differences([now], [before])
    assert found.parts == (Part({"d": "x"}, Decimal(1)), Part({"d": None}, Decimal(2)))
