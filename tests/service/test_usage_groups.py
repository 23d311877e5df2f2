"""Current usage narrowed to events, regrouped, broken down and over the whole life (metering.md §4.4, §7.1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.usage_shop import charge, event, only_charge, subscribe, usage

GROUPED = {"amount": "1", "pricing_group_keys": ["region", "team"]}
JUNE_1 = 1748736000


def presented(*keys: str, displayed: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    entries = [{"value": key, "options": {"display_in_invoice": key in displayed}} for key in keys]
    return {"amount": "1", "presentation_group_keys": entries, **more}


def groups(row: dict[str, Any]) -> dict[tuple[tuple[str, str | None], ...], str]:
    return {tuple(sorted(one["grouped_by"].items())): one["units"] for one in row["grouped_usage"]}


def parts(found: list[dict[str, Any]]) -> list[tuple[dict[str, str], str]]:
    return [(one["presentation_by"], one["units"]) for one in found]


@pytest.fixture
def grouped(api: Api) -> Api:
    subscribe(api, charge(api, properties=GROUPED))
    for units, region, team in ((1, "us", "red"), (2, "us", "blue"), (4, "eu", "red"), (8, None, "red")):
        event(api, n=units, region=region, team=team)
    return api


@pytest.mark.parametrize(
    ("params", "units"),
    [
        ({"group[region]": "us"}, "3.0"),
        ({"group[region]": ["us", "eu"]}, "7.0"),
        ({"group": '{"region":"us"}'}, "3.0"),
        ({"filter_by_group": '{"region":["us","eu"],"team":"red"}'}, "5.0"),
        ({"group[region]": ""}, "8.0"),
        ({"group[host]": "a"}, "0.0"),
    ],
)
def test_a_group_keeps_some_events(grouped: Api, params: dict[str, Any], units: str) -> None:
    assert only_charge(usage(grouped, **params))["units"] == units


def test_keys_asked_for_leave_the_grouping(grouped: Api) -> None:
    row = only_charge(usage(grouped, **{"group[region]": "us"}))
    assert groups(row) == {(("team", "blue"),): "2.0", (("team", "red"),): "1.0"}
    both = only_charge(usage(grouped, group='{"region":["us","eu"]}'))
    assert groups(both) == {(("team", "blue"),): "2.0", (("team", "red"),): "5.0"}
    assert only_charge(usage(grouped, group='{"region":"us","team":"red"}'))["grouped_usage"] == []


@pytest.mark.parametrize("text", ["[object Object]", "us", '["us"]', '{"region":{"a":1}}', '{"region":null}'])
def test_groups_that_cannot_be_read(grouped: Api, text: str) -> None:
    for name in ("group", "filter_by_group"):
        answer = grouped.get("/customers/c/current_usage", 422, external_subscription_id="s", **{name: text})
        assert answer["error_details"] == {name: ["invalid_format"]}


def test_grouping_can_be_skipped(grouped: Api) -> None:
    row = only_charge(usage(grouped, skip_grouping="true"))
    assert (row["units"], row["grouped_usage"]) == ("15.0", [])
    assert len(only_charge(usage(grouped, skip_grouping="False"))["grouped_usage"]) == 4


def test_unique_counts_are_counted_anew_in_coarser_groups(api: Api) -> None:
    subscribe(
        api, charge(api, aggregation_type="unique_count_agg", properties={"amount": "1", "pricing_group_keys": ["g"]})
    )
    for value, group in (("a", "x"), ("a", "y"), ("b", "y")):
        event(api, n=value, g=group)
    assert only_charge(usage(api))["units"] == "3.0"
    assert only_charge(usage(api, skip_grouping="1"))["units"] == "2.0"
    assert only_charge(usage(api, group='{"g":["x","y"]}'))["units"] == "2.0"


# -- full usage ------------------------------------------------------------------------------------


def test_full_usage_reaches_back_to_the_start(api: Api) -> None:
    subscribe(api, charge(api))
    event(api, n=5)
    api.at("2025-07-10T00:00:00Z")
    event(api, n=2)
    assert usage(api)["amount_cents"] == 200
    full = usage(api, full_usage="true", charge_code="m")
    assert (full["amount_cents"], full["from_datetime"], full["to_datetime"]) == (
        700,
        "2025-06-01T00:00:00Z",
        "2025-07-31T23:59:59Z",
    )
    assert only_charge(usage(api, full_usage="true", **{"group[n]": "5"}))["units"] == "5.0"


def test_full_usage_needs_a_choice_and_no_proration(api: Api) -> None:
    carried = charge(api, "seats", prorated=True, metric={"recurring": True})
    subscribe(api, charge(api), carried)
    for params in ({}, {"charge_code": "seats"}, {"group[n]": "1"}):
        answer = api.get("/customers/c/current_usage", 405, external_subscription_id="s", full_usage="true", **params)
        assert answer["code"] == "full_usage_not_allowed"
    assert usage(api, full_usage="true", charge_code="m")["amount_cents"] == 0


# -- presentation ----------------------------------------------------------------------------------


def test_breakdowns_of_plain_usage(api: Api) -> None:
    subscribe(api, charge(api, properties=presented("region", "host"), metric={"rounding_function": "ceil"}))
    for units, region, host in (("1.25", "us", "a"), ("2.5", "us", "b"), ("4.5", None, "a")):
        event(api, n=units, region=region, host=host)
    row = only_charge(usage(api))
    assert row["units"] == "9.0"  # rounded; its parts are raw (§3.7)
    assert parts(row["presentation_breakdowns"]) == [
        ({"region": "", "host": "a"}, "4.5"),
        ({"region": "us", "host": "a"}, "1.25"),
        ({"region": "us", "host": "b"}, "2.5"),
    ]
    kept = only_charge(usage(api, filter_by_presentation='["region"]'))
    assert parts(kept["presentation_breakdowns"]) == [({"region": ""}, "4.5"), ({"region": "us"}, "3.75")]
    assert only_charge(usage(api, filter_by_presentation="[]"))["presentation_breakdowns"] == []
    for text in ("region", "{}", "[1]"):
        answer = api.get("/customers/c/current_usage", 422, external_subscription_id="s", filter_by_presentation=text)
        assert answer["error_details"] == {"filter_by_presentation": ["invalid_format"]}


@pytest.mark.parametrize(
    ("aggregation_type", "expected"),
    [
        ("count_agg", [("x", "2.0"), ("y", "1.0")]),
        ("sum_agg", [("x", "5.0"), ("y", "2.0")]),
        ("max_agg", [("x", "4.0"), ("y", "2.0")]),
        ("latest_agg", [("x", "1.0")]),
        ("unique_count_agg", [("x", "2.0"), ("y", "1.0")]),
    ],
)
def test_breakdowns_follow_the_aggregation(api: Api, aggregation_type: str, expected: list[tuple[str, str]]) -> None:
    subscribe(api, charge(api, aggregation_type=aggregation_type, properties=presented("g")))
    for second, (value, group) in enumerate(((4, "x"), (2, "y"), (1, "x"))):
        event(api, at=JUNE_1 + second, n=value, g=group)
    found = parts(only_charge(usage(api))["presentation_breakdowns"])
    assert [(by["g"], units) for by, units in found] == expected


def test_the_last_value_belongs_to_one_part(api: Api) -> None:
    subscribe(api, charge(api, aggregation_type="latest_agg", properties=presented("g", pricing_group_keys=["team"])))
    for second, (value, group, team) in enumerate(((4, "x", "red"), (2, "y", "red"), (7, "z", "blue"))):
        event(api, at=JUNE_1 + second, n=value, g=group, team=team)
    row = only_charge(usage(api))
    assert row["presentation_breakdowns"] == []  # only of usage without group and filter
    assert {one["grouped_by"]["team"]: parts(one["presentation_breakdowns"]) for one in row["grouped_usage"]} == {
        "blue": [({"g": "z"}, "7.0")],
        "red": [({"g": "y"}, "2.0")],
    }


def test_weighted_sums_carry_by_part(api: Api) -> None:
    subscribe(
        api,
        charge(
            api,
            aggregation_type="weighted_sum_agg",
            properties=presented("g"),
            metric={"recurring": True, "weighted_interval": "seconds"},
        ),
    )
    event(api, at=JUNE_1, n=3, g="x")
    event(api, at=JUNE_1 + 1, n=4, g="y")
    api.at("2025-07-10T00:00:00Z")
    event(api, at=1751328000, n=2, g="y")  # 1 July
    assert parts(only_charge(usage(api))["presentation_breakdowns"]) == [({"g": "x"}, "3.0"), ({"g": "y"}, "6.0")]


def test_breakdowns_inside_filters_and_keys_that_price_already(api: Api) -> None:
    metric = {"filters": [{"key": "region", "values": ["us", "eu"]}]}
    filters = [{"values": {"region": ["us"]}, "properties": {"amount": "2", "pricing_group_keys": ["host"]}}]
    subscribe(api, charge(api, properties=presented("host"), filters=filters, metric=metric))
    event(api, n=1, region="us", host="a")
    event(api, n=2, region="eu", host="b")
    row = only_charge(usage(api))
    assert [parts(one["presentation_breakdowns"]) for one in row["filters"]] == [[], [({"host": "b"}, "2.0")]]


def test_fees_keep_their_breakdowns_and_show_what_documents_show(api: Api) -> None:
    subscribe(api, charge(api, properties=presented("team", "host", displayed=("team",))))
    for units, team, host in ((1, "red", "a"), (2, "red", "b"), (4, None, "a")):
        event(api, n=units, team=team, host=host)
    api.at("2025-07-01T01:00:00Z")
    (fee,) = api.get("/fees", fee_type="charge")["fees"]
    assert parts(fee["presentation_breakdowns"]) == [({"team": ""}, "4.0"), ({"team": "red"}, "3.0")]
    (past,) = api.get("/customers/c/past_usage", external_subscription_id="s")["usage_periods"]
    assert parts(only_charge(past)["presentation_breakdowns"]) == [
        ({"host": "a", "team": ""}, "4.0"),
        ({"host": "a", "team": "red"}, "1.0"),
        ({"host": "b", "team": "red"}, "2.0"),
    ]


@pytest.mark.parametrize(
    ("aggregation_type", "units"), [("count_agg", "1.0"), ("sum_agg", "2.5"), ("unique_count_agg", "1.0")]
)
def test_a_fee_paid_in_advance_has_the_part_of_its_event(api: Api, aggregation_type: str, units: str) -> None:
    properties = presented("team", "host", displayed=("host",))
    subscribe(api, charge(api, aggregation_type=aggregation_type, properties=properties, pay_in_advance=True))
    event(api, n="2.5", team="red", host="a")
    api.at("2025-06-02T00:00:00Z")
    (fee,) = api.get("/fees", fee_type="charge")["fees"]
    assert parts(fee["presentation_breakdowns"]) == [({"host": "a"}, units)]
