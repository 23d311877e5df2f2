"""Charge properties: rating.md §2, §4-§11, metering.md §4.2-§4.4."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.rating import DEFAULTS, ChargeModel, InvalidProperties, normalize, tariff, validate


def errors(model: str, properties: dict[str, Any], aggregation_type: str = "sum_agg") -> list[str]:
    return validate(model, properties, aggregation_type=aggregation_type)


def tier(start: Any, end: Any, price: Any = "1", flat: Any = "0", key: str = "per_unit_amount") -> dict[str, Any]:
    return {"from_value": start, "to_value": end, key: price, "flat_amount": flat}


@pytest.mark.parametrize("model", list(ChargeModel))
def test_blank_properties_mean_the_default(model: ChargeModel) -> None:
    assert errors(model, {}) == []
    assert normalize(model, {}) == DEFAULTS[model]
    assert errors(model, dict(DEFAULTS[model])) == []


@pytest.mark.parametrize("amount", ["0", "10", "0.0000015", "1e-7", "1E3", "+2", ".5"])
def test_prices_are_decimal_strings(amount: str) -> None:
    assert errors("standard", {"amount": amount}) == []


@pytest.mark.parametrize(
    "amount", [10, 0.5, None, "", "x", "-1", "NaN", "Infinity", "1,0", " 1", "1_0", "1e999", True, ["1"], "٣"]
)
def test_anything_else_is_no_price(amount: object) -> None:
    assert errors("standard", {"amount": amount}) == ["invalid_amount"]
    with pytest.raises(InvalidProperties):
        tariff("standard", {"amount": amount}, prorated=False, currency="USD")


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"amount": "x", "package_size": 0}, ["invalid_amount", "invalid_package_size", "invalid_free_units"]),
        ({"amount": "1", "package_size": 10, "free_units": 0}, []),
        ({"amount": "1", "package_size": "10", "free_units": 0}, ["invalid_package_size"]),
        ({"amount": "1", "package_size": True, "free_units": 0}, ["invalid_package_size"]),
        ({"amount": "1", "package_size": 10, "free_units": -1}, ["invalid_free_units"]),
        ({"amount": "1", "package_size": 10}, ["invalid_free_units"]),
        ({"amount": "1", "package_size": 1.5, "free_units": 0}, ["invalid_package_size"]),
    ],
)
def test_package(properties: dict[str, Any], expected: list[str]) -> None:
    assert errors("package", properties) == expected


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"rate": "1.5"}, []),
        ({"fixed_amount": "1"}, ["invalid_rate"]),
        ({"rate": "1", "fixed_amount": None, "free_units_per_events": None}, []),
        ({"rate": "1", "fixed_amount": 1}, ["invalid_fixed_amount"]),
        ({"rate": "1", "free_units_per_events": 0}, ["invalid_free_units_per_events"]),
        ({"rate": "1", "free_units_per_events": "3"}, ["invalid_free_units_per_events"]),
        ({"rate": "1", "free_units_per_total_aggregation": 3}, ["invalid_free_units_per_total_aggregation"]),
        ({"rate": "1", "per_transaction_min_amount": "x"}, ["invalid_amount"]),
        (
            {"rate": "1", "per_transaction_min_amount": "2", "per_transaction_max_amount": "1.99"},
            ["per_transaction_max_lower_than_per_transaction_min"],
        ),
        ({"rate": "1", "per_transaction_min_amount": "2", "per_transaction_max_amount": "2"}, []),
        ({"rate": 1, "fixed_amount": "-1"}, ["invalid_rate", "invalid_fixed_amount"]),
    ],
)
def test_percentage(properties: dict[str, Any], expected: list[str]) -> None:
    assert errors("percentage", properties) == expected


@pytest.mark.parametrize("model", ["percentage", "graduated_percentage"])
def test_latest_metrics_have_no_percentage(model: str) -> None:
    assert errors(model, dict(DEFAULTS[ChargeModel(model)]), "latest_agg") == ["invalid_value"]


@pytest.mark.parametrize(
    ("rows", "graduated", "volume"),
    [
        ([tier(0, None)], True, True),
        ([tier(1, None)], True, True),
        ([tier(2, None)], False, False),
        ([tier(0, 10), tier(11, None)], True, True),
        ([tier(0, 10), tier(10, None)], True, False),
        ([tier(0, 10), tier(12, None)], False, False),
        ([tier(0, "10"), tier("11", None)], True, True),
        ([tier(0, 0.5), tier(0.5, None)], True, False),
        ([tier(0, Decimal("0.5")), tier(Decimal("1.5"), None)], True, True),
        ([tier(0, 10), tier(11, 20)], False, False),
        ([tier(0, None), tier(11, None)], False, False),
        ([tier(0, 0), tier(1, None)], False, False),
        ([tier(0, "ten"), tier(11, None)], False, False),
        ([tier(None, None)], False, False),
        ([tier(False, None)], False, False),
    ],
)
def test_range_bounds(rows: list[dict[str, Any]], graduated: bool, volume: bool) -> None:
    assert ("invalid_graduated_ranges" not in errors("graduated", {"graduated_ranges": rows})) is graduated
    assert ("invalid_volume_ranges" not in errors("volume", {"volume_ranges": rows})) is volume


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("graduated", "graduated_ranges"),
        ("graduated_percentage", "graduated_percentage_ranges"),
        ("volume", "volume_ranges"),
    ],
)
def test_range_lists(model: str, key: str) -> None:
    nothing: list[Any] = [[], None]
    for missing in nothing:
        assert errors(model, {key: missing, "pricing_group_keys": ["a"]}) == [f"missing_{key}"]
    wrongs: list[Any] = ["0-10", ["0-10"], {"from_value": 0}]
    for wrong in wrongs:
        assert errors(model, {key: wrong}) == [f"invalid_{key}"]
    with pytest.raises(InvalidProperties):
        tariff(model, {key: []}, prorated=False, currency="USD")


def test_range_prices() -> None:
    rows = [tier(0, 10, 1, "0"), tier(11, None, "1", None)]
    assert errors("graduated", {"graduated_ranges": rows}) == ["invalid_amount", "invalid_amount"]
    assert errors("volume", {"volume_ranges": rows}) == ["invalid_amount", "invalid_amount"]
    rates = [tier(0, 10, "-1", "0", "rate"), tier(11, None, "1", "x", "rate")]
    assert errors("graduated_percentage", {"graduated_percentage_ranges": rates}) == ["invalid_rate", "invalid_amount"]


def test_bounds_that_are_no_numbers_cannot_be_priced() -> None:
    with pytest.raises(InvalidProperties):
        tariff("volume", {"volume_ranges": [tier(0, "ten")]}, prorated=False, currency="USD")


def test_normalize_keeps_known_keys_and_reads_bounds() -> None:
    rows = [{**tier("0", "0.5"), "color": "red"}, tier(0.5, 2.0), tier(2, None)]
    assert normalize("graduated", {"graduated_ranges": rows, "amount": "1"}) == {
        "graduated_ranges": [tier(0, Decimal("0.5")), tier(Decimal("0.5"), 2), tier(2, None)]
    }
    assert normalize("percentage", {"rate": "1", "fixed_amount": None, "free_units_per_events": 2}) == {
        "rate": "1",
        "free_units_per_events": 2,
    }


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"a": "1"}, {"a": "1"}),
        ('{"a": [1, 2.5]}', {"a": [1, Decimal("2.5")]}),
        ("not json", {}),
        ("[1]", {}),
    ],
)
def test_custom_properties(sent: object, stored: dict[str, Any]) -> None:
    assert normalize("custom", {"custom_properties": sent}) == {"custom_properties": stored}


@pytest.mark.parametrize("key", ["pricing_group_keys", "grouped_by"])
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (None, []),
        ([], []),
        (["region", ""], []),
        (["region", " "], ["invalid_type"]),
        ("region", ["invalid_type"]),
        ([1], ["invalid_type"]),
        ([None], ["invalid_type"]),
    ],
)
def test_pricing_group_keys(key: str, keys: object, expected: list[str]) -> None:
    assert errors("standard", {"amount": "1", key: keys}) == expected


def test_group_keys_mirror_their_old_name() -> None:
    both = {"amount": "1", "pricing_group_keys": ["region"], "grouped_by": ["region"]}
    assert normalize("standard", {"amount": "1", "pricing_group_keys": ["region", ""]}) == both
    assert normalize("standard", {"amount": "1", "grouped_by": ["region"]}) == both
    assert normalize("standard", {"amount": "1", "pricing_group_keys": [""]}) == {"amount": "1"}


REGION = {"value": "region", "options": {"display_in_invoice": True}}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (None, []),
        ([REGION], []),
        ([REGION, {"value": "tier"}], []),
        ([REGION, REGION], ["value_is_duplicated"]),
        ([REGION, {"value": "a"}, {"value": "b"}], ["too_many_keys"]),
        (["region"], ["invalid_type"]),
        ("region", ["invalid_type"]),
        ([{"value": 1}], ["invalid_type"]),
        ([{"value": " "}], ["invalid_type"]),
        ([{"value": "a", "color": "red"}], ["invalid_type"]),
        ([{"value": "a", "options": {}}], ["invalid_type"]),
        ([{"value": "a", "options": {"display_in_invoice": "yes"}}], ["invalid_type"]),
        ([{"value": "a", "options": {"display_in_invoice": True, "x": 1}}], ["invalid_type"]),
    ],
)
def test_presentation_group_keys(keys: object, expected: list[str]) -> None:
    assert errors("standard", {"amount": "1", "presentation_group_keys": keys}) == expected


def test_filters_have_no_presentation_group_keys() -> None:
    properties = {"amount": "1", "presentation_group_keys": [REGION]}
    assert normalize("standard", properties) == properties
    assert normalize("standard", properties, of_filter=True) == {"amount": "1"}


def test_group_keys_alone_do_not_replace_a_price() -> None:
    assert errors("standard", {"pricing_group_keys": ["region"]}) == ["invalid_amount"]
    assert errors("dynamic", {"pricing_group_keys": ["region"]}) == []
