"""Projected usage over HTTP (metering.md §7.4, sdk-compat.md R11); the arithmetic has tests of its own."""

from __future__ import annotations

from typing import Any

from tests.support.api import Api
from tests.support.usage_shop import charge, event, only_charge, subscribe


def projected(api: Api, **params: Any) -> dict[str, Any]:
    answer = api.get("/customers/c/projected_usage", external_subscription_id="s", **params)
    found: dict[str, Any] = answer["customer_projected_usage"]
    return found


def figures(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["units"], row["amount_cents"], row["projected_units"], row["projected_amount_cents"]


def test_a_tenth_of_the_month_is_a_tenth_of_the_usage(api: Api) -> None:
    subscribe(api, charge(api))
    event(api, n=3)
    api.at("2025-06-03T12:00:00Z")
    usage = projected(api)
    assert (usage["amount_cents"], usage["projected_amount_cents"]) == (300, 3000)
    row = only_charge(usage)
    assert figures(row) == ("3.0", 300, "30.0", 3000)
    assert "total_aggregated_units" not in row
    assert "code" not in row["charge"]
    assert row["projected_presentation_breakdowns"] == []


def test_filters_groups_and_parts_add_up(api: Api) -> None:
    metric = {"filters": [{"key": "region", "values": ["us", "eu"]}]}
    filters = [{"values": {"region": ["us"]}, "properties": {"amount": "2", "pricing_group_keys": ["team"]}}]
    properties = {"amount": "1", "presentation_group_keys": [{"value": "host"}]}
    subscribe(api, charge(api, filters=filters, metric=metric, properties=properties))
    event(api, n=1, region="us", team="red")
    event(api, n=2, region="us")
    event(api, n=3, region="eu", host="a")
    api.at("2025-06-15T12:00:00Z")
    usage = projected(api)
    row = only_charge(usage)
    assert figures(row) == ("6.0", 900, "12.0", 1800)
    assert usage["projected_amount_cents"] == 1800
    assert [(one["values"], *figures(one)) for one in row["filters"]] == [
        ({"region": ["us"]}, "3.0", 600, "6.0", 1200),
        ({}, "3.0", 300, "6.0", 600),
    ]
    red = next(one for one in row["grouped_usage"] if one["grouped_by"].get("team") == "red")
    assert figures(red) == ("1.0", 200, "2.0", 400)
    assert [one["values"] for one in red["filters"]] == [{"region": ["us"]}]
    assert row["projected_presentation_breakdowns"] == [{"presentation_by": {"host": "a"}, "units": "6.0"}]
    assert row["presentation_breakdowns"] == [{"presentation_by": {"host": "a"}, "units": "3.0"}]


def test_recurring_metrics_stay_what_they_are(api: Api) -> None:
    subscribe(api, charge(api, metric={"recurring": True}))
    event(api, n=4)
    api.at("2025-06-03T00:00:00Z")
    assert figures(only_charge(projected(api))) == ("4.0", 400, "4.0", 400)


def test_taxes_are_those_of_current_usage(api: Api) -> None:
    api.post("/taxes", {"tax": {"name": "VAT", "code": "vat", "rate": "20", "applied_to_organization": True}})
    subscribe(api, charge(api))
    event(api, n=10)
    api.at("2025-06-15T00:00:00Z")
    usage = projected(api)
    assert (usage["taxes_amount_cents"], usage["total_amount_cents"], usage["projected_amount_cents"]) == (
        200,
        1200,
        2000,
    )
    assert projected(api, apply_taxes="false")["total_amount_cents"] == 1000


def test_refusals(api: Api) -> None:
    subscribe(api, charge(api))
    assert api.get("/customers/x/projected_usage", 404, external_subscription_id="s")["code"] == "customer_not_found"
    assert api.get("/customers/c/projected_usage", 405)["code"] == "no_active_subscription"
