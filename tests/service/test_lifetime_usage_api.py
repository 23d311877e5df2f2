"""Routes of lifetime usage and thresholds of subscriptions (metering.md §9, subscriptions.md §5.1, api.md §15.12)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.catalog import refused
from tests.support.subscriptions import body, change, customer, found, subscribe
from tests.support.watched import progressive, shop, use

PATH = "/subscriptions/s/lifetime_usage"


def usage(api: Api, **params: Any) -> dict[str, Any]:
    row: dict[str, Any] = api.get(PATH, **params)["lifetime_usage"]
    return row


def test_without_thresholds(api: Api) -> None:
    row = shop(api, price="1")
    use(api, 3)
    api.at("2025-06-10T08:00:00Z")
    shown = usage(api)
    assert shown == {
        "lago_id": shown["lago_id"],
        "lago_subscription_id": row["lago_id"],
        "external_subscription_id": "s",
        "external_historical_usage_amount_cents": 0,
        "invoiced_usage_amount_cents": 0,
        "current_usage_amount_cents": 300,
        "from_datetime": "2025-06-01T00:00:00Z",
        "to_datetime": "2025-06-10T08:00:00Z",
    }


def test_the_completion_list(api: Api) -> None:
    thresholds = [{"amount_cents": 100}, {"amount_cents": 50, "recurring": True}]
    shop(api, price="0.01", usage_thresholds=thresholds)
    api.at("2025-06-05T10:00:00Z")
    use(api, 110)
    api.at("2025-06-06T10:00:00Z")
    use(api, 70)
    assert [row["fees_amount_cents"] for row in progressive(api)] == [110, 180]
    assert usage(api)["usage_thresholds"] == [
        {"amount_cents": 100, "completion_ratio": 1.0, "reached_at": "2025-06-05T10:00:00.000Z"},
        {"amount_cents": 150, "completion_ratio": 1.0, "reached_at": "2025-06-06T10:00:00.000Z"},
        {"amount_cents": 200, "completion_ratio": 0.6, "reached_at": None},
    ]


def test_what_was_used_elsewhere(api: Api) -> None:
    shop(api, price="1", usage_thresholds=[{"amount_cents": 1000}])
    use(api, 3)
    shown = api.put(PATH, {"lifetime_usage": {"external_historical_usage_amount_cents": 600}})["lifetime_usage"]
    assert shown["external_historical_usage_amount_cents"] == 600
    (row,) = shown["usage_thresholds"]
    assert (row["completion_ratio"], row["reached_at"]) == (0.9, None)
    api.put(PATH, {"lifetime_usage": {"external_historical_usage_amount_cents": 700}})
    api.at(api.now)
    assert [row["fees_amount_cents"] for row in progressive(api)] == [300]
    wrong = refused(api, "PUT", PATH, {"lifetime_usage": {"external_historical_usage_amount_cents": -1}})
    assert wrong == {"historical_usage_amount_cents": ["value_is_out_of_range"]}


def test_invoiced_usage_is_that_of_drafts_and_invoices(api: Api) -> None:
    shop(api, price="1")
    use(api, 3)
    api.at("2025-07-01T00:00:00Z")
    use(api, 1)
    shown = usage(api)
    assert (shown["invoiced_usage_amount_cents"], shown["current_usage_amount_cents"]) == (300, 100)


def test_an_ended_one_keeps_its_figures(api: Api) -> None:
    shop(api, price="1")
    use(api, 3)
    api.at("2025-06-10T00:00:00Z")
    api.delete("/subscriptions/s")
    assert api.get(PATH, 404)["code"] == "subscription_not_found"
    shown = usage(api, subscription_status="terminated")
    assert (shown["invoiced_usage_amount_cents"], shown["current_usage_amount_cents"]) == (0, 300)


def test_a_pending_one_has_none(api: Api) -> None:
    shop(api, subscribed=False)
    subscribe(api, subscription_at="2025-07-01T00:00:00Z")
    assert api.get(PATH, 404, subscription_status="pending")["code"] == "lifetime_usage_not_found"
    api.put(PATH + "?subscription_status=pending", {"lifetime_usage": {}}, (400, 404))


@pytest.mark.parametrize(
    ("thresholds", "codes"),
    [
        ([{"recurring": True}], ["missing_amount_cents"]),
        ([{"amount_cents": 5}, {"amount_cents": 5}], ["duplicated_values"]),
        (
            [{"amount_cents": 5, "recurring": True}, {"amount_cents": 6, "recurring": True}],
            ["multiple_recurring_thresholds"],
        ),
        ([{"amount_cents": 0}], ["value_is_out_of_range"]),
    ],
)
def test_wrong_thresholds(api: Api, thresholds: list[dict[str, Any]], codes: list[str]) -> None:
    shop(api)
    wanted = {"usage_thresholds": codes}
    assert refused(api, "PUT", "/subscriptions/s", {"subscription": {"usage_thresholds": thresholds}}) == wanted
    customer(api, "d")
    new = body(of="d", external_id="t", usage_thresholds=thresholds)
    assert refused(api, "POST", "/subscriptions", new) == wanted


def test_thresholds_of_subscription_and_plan_at_once(api: Api) -> None:
    shop(api)
    both = {"usage_thresholds": [{"amount_cents": 1}], "plan_overrides": {"usage_thresholds": [{"amount_cents": 2}]}}
    wanted = {"usage_thresholds": ["incompatible_params"], "plan_overrides.usage_thresholds": ["incompatible_params"]}
    assert refused(api, "PUT", "/subscriptions/s", {"subscription": both}) == wanted


def applicable(row: dict[str, Any]) -> list[int]:
    return [one["amount_cents"] for one in row["applicable_usage_thresholds"]]


def test_whose_thresholds_count(api: Api) -> None:
    shop(api, subscribed=False, usage_thresholds=[{"amount_cents": 30}, {"amount_cents": 10}])
    assert applicable(subscribe(api)) == [10, 30]
    assert applicable(change(api, usage_thresholds=[{"amount_cents": 20}])) == [20]
    assert applicable(change(api, usage_thresholds=[])) == [10, 30]
    assert applicable(change(api, plan_overrides={"usage_thresholds": [{"amount_cents": 40}]})) == [40]
    assert applicable(change(api, usage_thresholds=[{"amount_cents": 20}])) == [20]
    assert applicable(change(api, usage_thresholds=[])) == [10, 30]  # the override's own made way
    assert applicable(change(api, progressive_billing_disabled=True)) == []


def test_the_same_plan_again_takes_thresholds_only(api: Api) -> None:
    row = shop(api)
    again = subscribe(api, name="other", usage_thresholds=[{"amount_cents": 20}])
    assert (again["lago_id"], again["name"], applicable(again)) == (row["lago_id"], None, [20])
    assert applicable(found(api)) == [20]
