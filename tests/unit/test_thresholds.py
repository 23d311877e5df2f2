"""Tables of metering.md §9.2 and §9.3, and the worked table of subscriptions.md §5.4."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from tallystick.core.thresholds import MOST_STEPS, LifetimeUsage, Threshold, completions, passed


def thresholds(fixed: list[int], step: int | None) -> list[Threshold]:
    found = [Threshold(UUID(int=amount), amount) for amount in fixed]
    return found if step is None else [*found, Threshold(UUID(int=0), step, recurring=True)]


@pytest.mark.parametrize(
    ("historical", "invoiced", "billed", "current", "fixed", "step", "wanted"),
    [
        (0, 0, 0, 99, [100, 200], None, []),
        (0, 0, 0, 150, [100, 200], None, [100]),
        (0, 0, 150, 190, [100, 200], None, []),
        (0, 0, 150, 260, [100, 200], 50, [200, 50]),
        (0, 0, 260, 299, [100, 200], 50, []),
        (0, 0, 260, 300, [100, 200], 50, [50]),
        (500, 0, 0, 10, [100, 200], None, []),
        (0, 200, 0, 100, [200], 150, [150]),
        (0, 0, 300, 250, [100], 50, []),
        # subscriptions.md §5.4
        (0, 0, 0, 220, [200, 500, 700], 1000, [200]),
        (0, 0, 220, 440, [200, 500, 700], 1000, []),
        (0, 0, 220, 660, [200, 500, 700], 1000, [500]),
        (0, 0, 660, 880, [200, 500, 700], 1000, [700]),
        (0, 0, 880, 3080, [200, 500, 700], 1000, [1000]),
        (0, 0, 3080, 5280, [200, 500, 700], 1000, [1000]),
        (0, 5280, 0, 2200, [200, 500, 700], 1000, [1000]),
        # exactly on it, several at once, and nothing without thresholds
        (0, 0, 0, 100, [200, 100], None, [100]),
        (0, 0, 0, 250, [200, 100], None, [100, 200]),
        (0, 0, 0, 250, [], None, []),
        (0, 0, 0, 50, [], 50, [50]),
    ],
)
def test_passed(
    historical: int, invoiced: int, billed: int, current: int, fixed: list[int], step: int | None, wanted: list[int]
) -> None:
    usage = LifetimeUsage(historical, invoiced, current, billed)
    assert [one.amount_cents for one in passed(usage, thresholds(fixed, step))] == wanted


@pytest.mark.parametrize(
    ("total", "fixed", "step", "wanted"),
    [
        (0, [100], None, [(100, "0")]),
        (23, [100], None, [(100, "0.23")]),
        (120, [100, 200], 50, [(100, "1"), (200, "0.2"), (250, "0")]),
        (180, [100], 50, [(100, "1"), (150, "1"), (200, "0.6")]),
        (130, [70], 50, [(70, "1"), (120, "1"), (170, "0.2")]),
        (30, [], 50, [(50, "0.6")]),
        (200, [100, 200], None, [(100, "1"), (200, "1")]),
        (50, [100, 200, 300], None, [(100, "0.5"), (200, "0"), (300, "0")]),
        (200, [100, 200], 50, [(100, "1"), (200, "1"), (250, "0")]),
    ],
)
def test_completions(total: int, fixed: list[int], step: int | None, wanted: list[tuple[int, str]]) -> None:
    found = completions(total, thresholds(fixed, step))
    assert [(one.amount_cents, one.ratio) for one in found] == [(amount, Decimal(ratio)) for amount, ratio in wanted]
    assert [one.is_reached for one in found] == [ratio == "1" for _, ratio in wanted]


def test_what_is_almost_reached_is_not_reached() -> None:
    (row,) = completions(10**18 - 1, thresholds([10**18], None))
    assert not row.is_reached


def test_a_list_shows_the_newest_steps_only() -> None:
    found = completions(10**12, thresholds([], 1))
    assert len(found) == MOST_STEPS + 1
    assert found[-2].amount_cents == 10**12
