"""Usage paid in advance: metering.md §6.1 (which events), §6.5 (proration), §7.3 (what current usage shows)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.in_advance import Level, is_billed_at_once, prorated_raise, shown_usage
from tallystick.core.money import dec_text
from tallystick.core.rating import Usage
from tests.support.metering import at, charge, dec, metric, month


@pytest.mark.parametrize(
    ("kind", "properties", "billed"),
    [
        ("sum", {"value": 0}, True),
        ("sum", {"value": "0"}, True),
        ("sum", {"value": "many"}, True),
        ("sum", {"value": ""}, False),
        ("sum", {"value": "  "}, False),
        ("sum", {"value": None}, False),
        ("sum", {}, False),
        ("unique_count", {"value": "a"}, True),
        ("unique_count", {}, False),
        ("count", {}, True),
        ("custom", {}, True),
    ],
)
def test_which_events_make_a_fee(kind: str, properties: dict[str, Any], billed: bool) -> None:
    sold = charge(metric(kind), pay_in_advance=True)
    assert is_billed_at_once(sold, "metric", properties) is billed
    assert not is_billed_at_once(sold, "other", properties)
    assert not is_billed_at_once(charge(metric(kind)), "metric", properties)


@pytest.mark.parametrize(
    ("moment", "raised", "expected"),
    [
        ("2024-02-06T01:00", 10, "8.27587"),
        ("2024-02-06T02:00", 0, "0.0"),
        ("2024-02-20T12:00", 5, "1.72414"),
        ("2024-02-01T00:00", 3, "3.0"),
        ("2024-02-29T23:59", 29, "1.0"),
    ],
)
def test_prorated_raises(moment: str, raised: int, expected: str) -> None:
    window = month("2024-02-01", charge())
    last_at = at("2024-02-29T23:59:59.999999")
    assert dec_text(prorated_raise(dec(raised), at(moment), last_at, "UTC", window.duration_days)) == expected


def level(current: int, peak: int, *raises: tuple[str, int]) -> Level:
    return Level(dec(current), dec(peak), tuple((at(moment), dec(raised)) for moment, raised in raises))


def shown(real: str, of: Level | None, prorated: str | None = None, days: int = 29, **more: Any) -> tuple[str, str]:
    """(shown units, rated units) of February 2024."""
    sold = charge(metric(recurring=prorated is not None, **more), pay_in_advance=True, prorated=prorated is not None)
    window = month("2024-02-01", sold, window_days=days)
    found = shown_usage(window, sold, Usage(dec(prorated or real), dec(real)), of)
    return dec_text(found.full_units), dec_text(found.units)


@pytest.mark.parametrize(
    ("real", "of", "expected"),
    [
        ("6", level(6, 10), ("6.0", "10.0")),
        ("-6", level(-6, 14), ("0.0", "14.0")),
        ("25", level(10, 10), ("25.0", "25.0")),  # 15 carried into the period
        ("7", None, ("7.0", "7.0")),
        ("-7", None, ("0.0", "0.0")),
    ],
)
def test_peaks_stay_visible(real: str, of: Level | None, expected: tuple[str, str]) -> None:
    assert shown(real, of) == expected


@pytest.mark.parametrize(
    ("real", "of", "expected"),
    [
        ("10", level(10, 10, ("2024-02-06T01:00", 10)), ("10.0", "8.27587")),
        ("5", level(5, 10, ("2024-02-06T01:00", 10)), ("5.0", "8.27587")),
        ("15", level(15, 15, ("2024-02-06T01:00", 10), ("2024-02-20T12:00", 5)), ("15.0", "10.00001")),
        ("19", level(15, 15, ("2024-02-06T01:00", 10), ("2024-02-20T12:00", 5)), ("19.0", "14.00001")),
        ("2", level(-3, 0), ("2.0", "2.0")),  # what is below zero does not add to what was carried
    ],
)
def test_prorated_peaks_of_a_whole_period(real: str, of: Level, expected: tuple[str, str]) -> None:
    assert shown(real, of, prorated="0") == expected


def test_prorated_usage_of_a_part_of_a_period() -> None:
    paid = level(10, 10, ("2024-02-06T01:00", 10))
    assert shown("14", paid, prorated="0", days=20) == ("14.0", dec_text(Decimal("2.75863") + Decimal("8.27587")))
    assert shown("14", None, prorated="9.5", days=20) == ("14.0", "9.5")
    assert shown("14", None, prorated="9.5") == ("14.0", "14.0")


def test_shown_units_are_rounded_at_last() -> None:
    assert shown("2.6", level(2, 3), rounding_function="floor") == ("2.0", "3.0")


def test_prorated_arrears_never_fall_below_zero() -> None:
    sold = charge(metric(recurring=True), prorated=True)
    found = shown_usage(month("2024-02-01", sold), sold, Usage(dec(-2), dec(3)), None)
    assert (found.units, found.full_units) == (dec(0), dec(3))
