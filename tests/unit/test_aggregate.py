"""The oracle of metering against the tables of the specification (metering.md §3, §4)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.aggregate import bucket_of, meter, numeric_value, text_value
from tallystick.core.contract import ChargeTerms
from tallystick.core.money import dec_text
from tallystick.core.proration import sub_days
from tallystick.core.rating import ChargeModel
from tallystick.core.windows import Window
from tests.support.metering import at, charge, dec, events, metric, month, price_filter, window
from tests.support.metering import usage_of as oracle_usage

Rows = list[tuple[str, Any]]


def usage_of(*arguments: Any, **more: Any) -> Any:
    """The oracle's usage; `Any`, so that it may be compared with plain integers."""
    return oracle_usage(*arguments, **more)


# -- texts and numbers (§1.4) -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (10, "10"),
        (dec("1.50"), "1.50"),
        (dec("1E+3"), "1000"),
        (True, "true"),
        (False, "false"),
        (None, None),
        ([1], "[1]"),
        ("", ""),
    ],
)
def test_text_values(value: Any, text: str | None) -> None:
    assert text_value({"p": value}, "p") == text
    assert text_value({}, "p") is None


@pytest.mark.parametrize(("value", "number"), [("12", 12), (12, 12), (dec("-3.50"), "-3.50"), (dec("1e3"), 1000)])
def test_numeric_values(value: Any, number: Any) -> None:
    assert numeric_value({"p": value}, "p") == Decimal(number)


@pytest.mark.parametrize("value", ["1e3", "+1", ".5", "5.", "1,0", " 1", "", True, None, [1], "1\n", "٣"])
def test_not_numeric(value: Any) -> None:
    assert numeric_value({"p": value}, "p") is None


# -- selection and simple values (§3.1, §3.2) --------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "values", "units"),
    [
        ("count", [1, "x", None], 3),
        ("sum", [1, "2.5", -5, "junk"], "-1.5"),
        ("max", [3, 7, "x", 2], 7),
        ("max", [-3, -7], -3),
        ("max", [], 0),
        ("latest", [3, -7, "junk"], -7),
        ("latest", [], 0),
        ("unique_count", ["1", 1, "1.0", "", None], 2),
        ("custom", [1, 2], 0),
    ],
)
def test_units(kind: str, values: list[Any], units: Any) -> None:
    rows = [("2026-06-10", value) for value in values]
    found = usage_of(window(charge(metric(kind))), *rows)
    assert found.units == found.full_units == Decimal(units)


def test_latest_is_by_timestamp_then_reception() -> None:
    rows: Rows = [("2026-06-12", 1), ("2026-06-11", 2), ("2026-06-12", 3)]
    assert usage_of(window(charge(metric("latest"))), *rows).units == 3


@pytest.mark.parametrize(
    ("moment", "counted"),
    [
        ("2026-06-01T00:00:00.001", 1),
        ("2026-06-01T00:00:00.000999", 0),
        ("2026-06-30T23:59:59.999999", 1),
        ("2026-07-01", 0),
    ],
)
def test_bounds(moment: str, counted: int) -> None:
    """`from` is cut to milliseconds, the end is exact."""
    found = usage_of(window(charge(metric("count")), start_at=at("2026-06-01T00:00:00.001700")), (moment, 1))
    assert found.units == counted


# -- unique counts: add and remove (§3.3) ------------------------------------------------------------

ADD_A, ADD_B = {"value": "a"}, {"value": "b", "operation_type": "add"}
REMOVE_A, REMOVE_B = {"value": "a", "operation_type": "remove"}, {"value": "b", "operation_type": "remove"}


@pytest.mark.parametrize(
    ("earlier", "operations", "metered", "recurring"),
    [
        ([], [ADD_A, ADD_A, ADD_B], 2, 2),
        ([], [ADD_A, REMOVE_A], 0, 0),
        ([], [REMOVE_A, ADD_A], 1, 1),
        ([ADD_A], [REMOVE_A], 0, 0),
        ([ADD_A], [], 0, 1),
        ([], [ADD_A, REMOVE_A, ADD_A, REMOVE_B], 1, 1),
        ([], [ADD_A, {"value": "a", "operation_type": "other"}, {"value": "b", "operation_type": ""}], 2, 2),
    ],
)
def test_unique_count(earlier: list[Any], operations: list[Any], metered: int, recurring: int) -> None:
    rows = [("2026-05-05", one) for one in earlier] + [("2026-06-05", one) for one in operations]
    for looks_back, units in ((False, metered), (True, recurring)):
        found = usage_of(window(charge(metric("unique_count", recurring=looks_back))), *rows)
        assert (found.units, found.events_count) == (units, units)


def test_the_same_text_in_two_groups() -> None:
    made = charge(metric("unique_count"), properties={"pricing_group_keys": ["region"]})
    rows: Rows = [("2026-06-05", {"value": "a", "region": region}) for region in ("us", "eu")]
    assert [one.usage.units for one in meter(window(made), events(*rows))] == [1, 1]


# -- weighted sums (§3.5) ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "bounds", "rows", "units", "variation", "level"),
    [
        ("2023-03-01", {"start_at": "2023-03-05"}, [("2023-03-05", 2500)], "2177.41935483870967741936", 2500, 2500),
        (
            "2023-04-01",
            {},
            [("2023-03-05", 2500), ("2023-04-04", -2000), ("2023-04-06", -200)],
            "533.33333333333333333334",
            -2200,
            300,
        ),
        ("2026-06-01", {}, [("2026-06-01", 10), ("2026-06-16", -10)], "5", 0, 0),
        ("2026-06-01", {}, [("2026-06-11T12:00", 7)], "4.55", 7, 7),
        ("2026-06-01", {}, [("2026-06-16", 4), ("2026-06-16", 6)], "5", 10, 10),
        ("2026-06-01", {}, [("2026-05-05", 12)], "12", 0, 12),
        ("2026-06-01", {"end_at": "2026-06-10T23:59:59.400001"}, [("2026-05-05", 12)], "4", 0, 12),
    ],
)
def test_weighted_sum(first: str, bounds: dict[str, str], rows: Rows, units: str, variation: int, level: int) -> None:
    made = charge(metric("weighted_sum", recurring=True))
    of = month(first, made, "UTC", **{name: at(moment) for name, moment in bounds.items()})
    found = usage_of(of, *rows, first_started_at=at("2023-01-01"))
    assert found.units == Decimal(units)
    assert found.total_aggregated_units == level
    assert found.events_count == sum(1 for moment, _ in rows if at(moment) >= of.start_at)
    metered = usage_of(month(first, charge(metric("weighted_sum"))), *rows)
    assert metered.total_aggregated_units == variation


def test_weighted_sums_carry_nothing_older_than_the_oldest_subscription() -> None:
    of = window(charge(metric("weighted_sum", recurring=True)))
    rows: Rows = [("2026-04-30", 5), ("2026-05-02", 7)]
    assert usage_of(of, *rows, first_started_at=at("2026-05-01")).units == 7
    assert usage_of(of, *rows).units == 0


# -- proration (§3.6) --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bounds", "rows", "prorated", "full"),
    [
        ({}, [("2026-01-01", 10)], "10", 10),
        ({}, [("2026-01-16", 10)], "5.1613", 10),
        ({}, [("2026-01-31", 10)], "0.32259", 10),
        ({}, [("2025-12-05", 10)], "10", 10),
        ({}, [("2025-12-05", 10), ("2026-01-16", -4), ("2026-01-20", 1)], "8.32259", 7),
        ({"end_at": "2026-01-15T12:00"}, [("2025-12-05", 10)], "4.83871", 10),
        ({"end_at": "2026-01-15T12:00"}, [("2025-12-05", 10), ("2026-01-11", 2)], "5.1613", 12),
        ({"start_at": "2026-01-10"}, [("2026-01-10", 3)], "2.12904", 3),
    ],
)
def test_prorated_sums(bounds: dict[str, str], rows: Rows, prorated: str, full: int) -> None:
    made = charge(metric("sum", recurring=True), prorated=True)
    found = usage_of(month("2026-01-01", made, "UTC", **{name: at(moment) for name, moment in bounds.items()}), *rows)
    assert (dec_text(found.units), found.full_units) == (dec_text(Decimal(prorated)), full)
    assert found.events_count == len(rows)


def test_an_upgrade_takes_a_day_from_what_is_carried() -> None:
    made = charge(metric("sum", recurring=True), prorated=True)
    end_at = at("2026-01-15T12:00")
    days = sub_days(Window(at("2026-01-01"), end_at), "UTC", upgraded_at=at("2026-01-15T11:59:59.999999"))
    of = month("2026-01-01", made, end_at=end_at, window_days=days)
    assert usage_of(of, ("2025-12-05", 10)).units == dec("4.51613")


REMOVED = {"value": "a", "operation_type": "remove"}


@pytest.mark.parametrize(
    ("rows", "prorated", "full"),
    [
        ([("2026-06-01T08:00", "a")], "1", 1),
        ([("2026-06-10", "a")], "0.7", 1),
        ([("2026-06-30T23:00", "a")], "0.03334", 1),
        ([("2026-05-07", "a")], "1", 1),
        ([("2026-05-07", "a"), ("2026-06-20", REMOVED)], "0.66667", 0),
        ([("2026-05-07", "a"), ("2026-05-31", REMOVED)], "0", 0),
        ([("2026-06-10T09:00", "a"), ("2026-06-10T10:00", REMOVED)], "0.03334", 0),
        ([("2026-06-05", "a"), ("2026-06-10T09:00", REMOVED), ("2026-06-10T15:00", "a")], "0.86667", 1),
        ([("2026-06-05", "a"), ("2026-06-10", REMOVED), ("2026-06-12", "a")], "0.83334", 1),
        ([("2026-06-05", "a"), ("2026-06-07", "a"), ("2026-06-20", "b")], "1.23334", 2),
        ([("2026-06-03", REMOVED), ("2026-06-16", "b")], "0.5", 1),
    ],
)
def test_prorated_unique_counts(rows: Rows, prorated: str, full: int) -> None:
    found = usage_of(window(charge(metric("unique_count", recurring=True), prorated=True)), *rows)
    assert (found.units, found.full_units, found.events_count) == (Decimal(prorated), full, int(Decimal(prorated)))


def test_multiplied_before_divided() -> None:
    rows: Rows = [("2026-06-06", str(name)) for name in range(6)]
    assert usage_of(window(charge(metric("unique_count", recurring=True), prorated=True)), *rows).units == 5


def test_days_are_those_of_the_customer() -> None:
    made = charge(metric("sum", recurring=True), prorated=True)
    of = month("2026-06-01", made, "America/New_York")
    assert usage_of(of, ("2026-06-16T03:59:59", 30)).units == 16  # June 15, 23:59 in New York


def test_items_of_prorated_graduated_sums() -> None:
    made = charge(metric("sum", recurring=True), prorated=True, model=ChargeModel.GRADUATED)
    found = usage_of(window(made), ("2026-05-05", 3), ("2026-06-16", 2), ("2026-06-30", -3))
    assert found.items == ((3, 3), (2, 1), (-3, dec("-0.1")))


def test_items_of_prorated_graduated_unique_counts() -> None:
    made = charge(metric("unique_count", recurring=True), prorated=True, model=ChargeModel.GRADUATED)
    rows: Rows = [("2026-05-05", "b"), ("2026-05-06", {"value": "b", "operation_type": "remove"})]
    rows += [("2026-06-05", "a"), ("2026-06-10", REMOVED), ("2026-06-30", "a")]
    assert usage_of(window(made), *rows).items == ((1, dec("0.2")), (-1, 0), (1, dec("0.03334")))


# -- metric rounding (§3.7) and lists for percentage charges (rating.md §8) ---------------------------


def test_metric_rounding() -> None:
    made = metric("sum", recurring=True, rounding_function="ceil", rounding_precision=0)
    found = usage_of(window(charge(made, prorated=True)), ("2026-06-16", dec("2.2")))
    assert (found.units, found.full_units) == (2, 3)


def test_values_of_percentage_charges() -> None:
    properties = {"rate": "1", "free_units_per_events": 2, "per_transaction_min_amount": "1"}
    made = charge(metric("sum"), model=ChargeModel.PERCENTAGE, properties=properties)
    found = usage_of(window(made), ("2026-06-03", 5), ("2026-06-01", 1), ("2026-06-02", "x"), ("2026-06-04", 7))
    assert (found.running_totals, found.event_values) == ((1, 6), (1, 5, 7))
    counted = usage_of(window(replace(made, metric=metric("count"))), ("2026-06-03", 5), ("2026-06-01", 1))
    assert (counted.running_totals, counted.event_values) == (range(1, 3), (1, 1))


def test_amounts_sent_with_events() -> None:
    first, second, none = events(("2026-06-03", 5), ("2026-06-04", "x"), ("2026-06-05", 1))
    priced = [
        replace(first, precise_total_amount_cents=dec("10.1")),
        replace(second, precise_total_amount_cents=dec(7)),
    ]
    (found,) = meter(window(), [*priced, none])
    assert found.usage.precise_total_amount_cents == dec("10.1")


# -- buckets (§4.1) ----------------------------------------------------------------------------------

REGIONS = ("asia", "eu", "us")
FILTERS = {
    "F1": price_filter({"region": ["us", "eu"]}),
    "F2": price_filter({"region": ["us"]}),
    "F3": price_filter({"region": REGIONS, "tier": ["pro"]}),
    "F4": price_filter({"tier": ["pro"]}),
    "F5": price_filter({"region": ["us"]}),
}


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        ({"region": "us"}, "F2"),
        ({"region": "eu"}, "F1"),
        ({"region": "asia"}, None),
        ({"region": "us", "tier": "pro"}, "F3"),
        ({"region": "mars", "tier": "pro"}, "F4"),
        ({"tier": "pro"}, "F4"),
        ({"region": "us", "tier": "gold"}, "F2"),
        ({"region": "US"}, None),
        ({}, None),
    ],
)
def test_buckets(properties: dict[str, str], name: str | None) -> None:
    assert bucket_of(charge(filters=tuple(FILTERS.values())), properties) is (FILTERS[name] if name else None)


def test_precedence_is_no_fixed_order() -> None:
    """Each of these filters comes before the next one for some event, in a circle."""
    wide, other, narrow = (price_filter({"n": list(values)}) for values in ("124", "123", "14"))
    made = charge(filters=(wide, other, narrow))
    assert [bucket_of(made, {"n": n}) for n in "1234"] == [other, wide, other, narrow]


# -- groups (§4.3) -----------------------------------------------------------------------------------


def grouped(made: ChargeTerms, *rows: tuple[str, Any]) -> Any:
    return [(one.filter_id, dict(one.grouped_by), one.usage.units) for one in meter(window(made), events(*rows))]


def test_groups() -> None:
    made = charge(properties={"pricing_group_keys": ["region"]})
    rows: Rows = [("2026-06-05", {"value": 10, "region": region}) for region in ("us", "us", "", None)]
    found = grouped(made, *rows, ("2026-06-05", 10))
    assert found == [(None, {"region": None}, 30), (None, {"region": "us"}, 20)]


def test_no_null_group_is_invented() -> None:
    made = charge(properties={"grouped_by": ["region"]})
    assert grouped(made) == [(None, {"region": None}, 0)]
    assert grouped(made, ("2026-06-05", {"value": 1, "region": "us"})) == [(None, {"region": "us"}, 1)]


def test_filters_have_groups_of_their_own() -> None:
    plain, own = price_filter({"tier": ["a"]}), price_filter({"tier": ["b"]}, "zone")
    made = charge(properties={"pricing_group_keys": ["region"]}, filters=(plain, own))
    rows: Rows = [("2026-06-05", {"value": 1, "tier": tier, "region": "us", "zone": "z"}) for tier in "abc"]
    assert grouped(made, *rows) == [(plain.id, {}, 1), (own.id, {"zone": "z"}, 1), (None, {"region": "us"}, 1)]


def test_target_wallets_are_groups() -> None:
    made = charge(accepts_target_wallet=True, properties={"pricing_group_keys": ["region"]})
    found = grouped(made, ("2026-06-05", {"value": 1, "target_wallet_code": "w"}))
    assert found == [(None, {"region": None, "target_wallet_code": "w"}, 1)]
