"""Charges of a subscription, and their overrides (subscriptions.md §1.4, api.md §15.10)."""

from __future__ import annotations

import pytest

from tests.support import subscriptions
from tests.support.api import Api
from tests.support.usage_shop import charge, event, subscribe, usage

CHARGES = "/subscriptions/s/charges"


@pytest.fixture
def shop(api: Api) -> Api:
    subscribe(api, charge(api, "calls"), charge(api, "bytes"))
    return api


def test_list_and_show(shop: Api) -> None:
    answer = shop.get(CHARGES)
    assert sorted(one["code"] for one in answer["charges"]) == ["bytes", "calls"]
    assert answer["meta"]["total_count"] == 2
    assert shop.get(f"{CHARGES}/calls")["charge"]["properties"] == {"amount": "1"}
    assert shop.get(f"{CHARGES}/calls", subscription_status="active")["charge"]["taxes"] == []


def test_unknown_things(shop: Api) -> None:
    assert shop.get("/subscriptions/x/charges", 404)["code"] == "subscription_not_found"
    assert shop.get(CHARGES, 404, subscription_status="terminated")["code"] == "subscription_not_found"
    assert shop.get(f"{CHARGES}/x", 404)["code"] == "charge_not_found"
    assert shop.put(f"{CHARGES}/x", {"charge": {"min_amount_cents": 1}}, 404)["code"] == "charge_not_found"


def test_an_override_is_this_subscriptions_own(shop: Api) -> None:
    subscriptions.subscribe(shop, external_id="other")
    before = shop.get(f"{CHARGES}/calls")["charge"]
    event(shop, "calls", n=2)
    changed = shop.put(f"{CHARGES}/calls", {"charge": {"properties": {"amount": "5"}, "charge_model": "volume"}})[
        "charge"
    ]
    assert (changed["properties"], changed["charge_model"]) == ({"amount": "5"}, "standard")
    assert changed["lago_parent_id"] == before["lago_id"]
    assert usage(shop)["amount_cents"] == 1000
    assert shop.get("/subscriptions/other/charges/calls")["charge"]["lago_id"] == before["lago_id"]
    again = shop.put(f"{CHARGES}/calls", {"charge": {"invoice_display_name": "Calls"}})["charge"]
    assert (again["lago_id"], again["properties"], again["invoice_display_name"]) == (
        changed["lago_id"],
        {"amount": "5"},
        "Calls",
    )
