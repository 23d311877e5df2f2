"""Filters of a subscription's charge, and filters of a plan that overrides follow (subscriptions.md §1.4, §1.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import catalog, subscriptions
from tests.support.api import Api
from tests.support.catalog import refused
from tests.support.usage_shop import charge, event, subscribe, usage

FILTERS = "/subscriptions/s/charges/calls/filters"
REGIONS = [{"key": "region", "values": ["us", "eu", "asia"]}]


def values(region: str, amount: str = "2", **more: Any) -> dict[str, Any]:
    return {"values": {"region": [region]}, "properties": {"amount": amount}, **more}


@pytest.fixture
def shop(api: Api) -> Api:
    subscribe(api, charge(api, "calls", metric={"filters": REGIONS}, filters=[values("us")]))
    return api


def test_a_subscription_lists_the_filters_of_its_plan(shop: Api) -> None:
    answer = shop.get(FILTERS)
    (row,) = answer["filters"]
    assert answer["meta"]["total_count"] == 1
    assert row == shop.get("/plans/p/charges/calls")["charge"]["filters"][0]
    assert shop.get(f"{FILTERS}/{row['lago_id']}")["filter"] == row
    assert shop.get(f"{FILTERS}/{row['lago_id'][:-1]}", 404)["code"] == "charge_filter_not_found"
    assert shop.get("/subscriptions/s/charges/x/filters", 404)["code"] == "charge_not_found"
    assert shop.get("/subscriptions/x/charges/calls/filters", 404)["code"] == "subscription_not_found"


def test_a_filter_of_its_own_gives_a_subscription_a_plan_of_its_own(shop: Api) -> None:
    made = shop.post(FILTERS, {"filter": values("eu", "7", invoice_display_name="EU")})["filter"]
    assert (made["charge_code"], made["values"], made["properties"]) == ("calls", {"region": ["eu"]}, {"amount": "7"})
    assert [one["values"]["region"] for one in shop.get(FILTERS)["filters"]] == [["us"], ["eu"]]
    assert shop.get("/subscriptions/s/charges/calls")["charge"]["lago_parent_id"]
    assert len(shop.get("/plans/p/charges/calls")["charge"]["filters"]) == 1
    event(shop, "calls", n=1, region="eu")
    event(shop, "calls", n=1, region="us")
    assert usage(shop)["amount_cents"] == 900
    assert refused(shop, "POST", FILTERS, {"filter": values("eu")}) == {"values": ["value_already_exists"]}
    assert refused(shop, "POST", FILTERS, {"filter": values("mars")}) == {"values": ["value_is_invalid"]}


def test_a_filter_of_the_plan_is_changed_for_one_subscription(shop: Api) -> None:
    (theirs,) = shop.get(FILTERS)["filters"]
    for _ in range(2):  # the id of the plan's filter goes on naming the copy
        changed = shop.put(f"{FILTERS}/{theirs['lago_id']}", {"filter": {"properties": {"amount": "5"}}})["filter"]
        assert changed["lago_id"] != theirs["lago_id"]
        assert changed["properties"] == {"amount": "5"}
    assert shop.get("/plans/p/charges/calls")["charge"]["filters"] == [theirs]
    own = f"{FILTERS}/{changed['lago_id']}"
    assert shop.call("PATCH", own, {"filter": {"invoice_display_name": "US"}})["filter"]["invoice_display_name"] == "US"
    assert shop.delete(own)["filter"]["lago_id"] == changed["lago_id"]
    assert shop.get(own, 404)["code"] == "charge_filter_not_found"
    assert shop.delete(own, 404)["code"] == "charge_filter_not_found"
    assert shop.get(FILTERS)["filters"] == []
    event(shop, "calls", n=3, region="us")
    assert usage(shop)["amount_cents"] == 300


def test_overrides_follow_the_filters_of_their_plan(api: Api) -> None:
    subscribe(api, charge(api, "calls", metric={"filters": REGIONS}, filters=[values("us"), values("asia")]))
    subscriptions.change(api, plan_overrides={"name": "mine"})
    path = "/plans/p/charges/calls/filters"

    def own() -> dict[str, str]:
        return {one["values"]["region"][0]: one["properties"]["amount"] for one in api.get(FILTERS)["filters"]}

    api.post(path, {"filter": values("eu", "3")})
    assert own() == {"us": "2", "asia": "2"}
    first, second, third = api.get(path)["filters"]
    api.put(f"{path}/{first['lago_id']}", {"filter": {"properties": {"amount": "4"}, "cascade_updates": True}})
    api.call("PUT", f"{path}/{second['lago_id']}", {"filter": {"properties": {"amount": "6"}}}, cascade_updates=True)
    assert own() == {"us": "4", "asia": "6"}
    api.call("DELETE", f"{path}/{second['lago_id']}", {"filter": {"cascade_updates": True}})
    assert own() == {"us": "4"}
    api.delete(f"{path}/{third['lago_id']}")
    api.call("POST", path, {"filter": {**values("eu", "8"), "cascade_updates": True}})
    assert own() == {"us": "4", "eu": "8"}
    api.call("DELETE", "/plans/p/charges/calls", {"charge": {"cascade_updates": True}})
    assert api.get("/subscriptions/s/charges")["charges"] == []


def test_drafts_hear_of_new_filters(api: Api) -> None:
    counted = catalog.metric(api, "calls", filters=REGIONS)
    api.at("2025-06-01T09:00:00Z")
    catalog.plan(api, charges=[catalog.charge(counted, properties={"amount": "1"})])
    subscriptions.customer(api, billing_configuration={"invoice_grace_period": 3})
    subscriptions.subscribe(api, subscription_at="2025-06-01T00:00:00Z")
    event(api, "calls", region="us")
    api.at("2025-07-01T09:00:00Z")
    api.post("/plans/p/charges/calls/filters", {"filter": values("us", "9")})
    api.at("2025-07-01T09:10:00Z")
    (row,) = api.get("/invoices")["invoices"]
    fees = api.get(f"/invoices/{row['lago_id']}")["invoice"]["fees"]
    assert [fee["amount_cents"] for fee in fees if fee["item"]["type"] == "charge"] == [900]
