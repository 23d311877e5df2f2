"""The table of metering.md §10, and the examples of wallets.md §8 and webhooks.md §3.19."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tallystick.core.alerts import MOST_STEPS, AlertThreshold, Direction, crossed


def thresholds(once: list[int], step: int | None) -> list[AlertThreshold]:
    found = [AlertThreshold(Decimal(value), code=f"at-{value}") for value in once]
    return found if step is None else [*found, AlertThreshold(Decimal(step), recurring=True, code="step")]


@pytest.mark.parametrize(
    ("direction", "previous", "current", "once", "step", "wanted"),
    [
        ("increasing", 0, 30, [10, 30, 50], 100, [10, 30]),
        ("increasing", 30, 30, [10, 30, 50], 100, []),
        ("increasing", 33, 351, [10, 30, 50], 100, [50, 150, 250, 350]),
        ("increasing", 150, 240, [10, 30, 50], 100, []),
        ("increasing", 150, 250, [10, 30, 50], 100, [250]),
        ("increasing", 0, 9, [10], 5, []),
        ("increasing", 900, 20, [10, 30, 50], None, []),
        ("decreasing", 1000, 500, [200, 500, 800], 100, [500, 800]),
        ("decreasing", 500, 90, [200, 500, 800], 100, [200, 100]),
        ("decreasing", 50, -150, [], 100, [-100]),
        ("decreasing", 600, -100, [200, 500, 800], 100, [200, 500, -100, 0, 100]),
        ("decreasing", 500, 900, [800], 100, []),
        ("decreasing", 1000, 900, [800], 100, []),
        ("increasing", 9000, 31000, [10000], 10000, [10000, 20000, 30000]),
        ("increasing", 0, 0, [0], 1, []),
    ],
)
def test_crossed(
    direction: str, previous: int, current: int, once: list[int], step: int | None, wanted: list[int]
) -> None:
    found = crossed(Direction(direction), Decimal(previous), Decimal(current), thresholds(once, step))
    assert [one.value for one in found] == wanted
    assert [one.code for one in found] == ["step" if one.recurring else f"at-{one.value}" for one in found]
    assert [one.recurring for one in found] == sorted(one.recurring for one in found)


def test_one_look_reports_the_nearest_steps_only() -> None:
    found = crossed(Direction.INCREASING, Decimal(0), Decimal(10**9), thresholds([], 1))
    assert len(found) == MOST_STEPS
    assert found[-1].value == 10**9
