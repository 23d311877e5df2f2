"""Routes of alerts: shapes, every refusal in its order, batches (metering.md §10, api.md §3.2, §15.25)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.catalog import metric, plan
from tests.support.subscriptions import customer, subscribe

PATH = "/subscriptions/s/alerts"
AMOUNT = "current_usage_amount"
UNITS = "billable_metric_current_usage_units"


@pytest.fixture
def shop(api: Api) -> Api:
    """A subscription to a plan, and a metric."""
    api.at("2025-06-01T00:00:00Z")
    metric(api)
    plan(api)
    customer(api)
    subscribe(api)
    return api


def body(**more: Any) -> dict[str, Any]:
    return {"alert_type": AMOUNT, "code": "a", "thresholds": [{"value": 10}], **more}


def create(api: Api, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.post(PATH, {"alert": body(**more)})["alert"]
    return made


def test_an_alert(shop: Api) -> None:
    thresholds = [{"value": "12.50", "code": "warn"}, {"value": 5, "recurring": True}, {"value": 3, "code": None}]
    made = create(shop, name="Spend", thresholds=thresholds)
    assert made == {
        "lago_id": made["lago_id"],
        "lago_organization_id": shop.organization["lago_id"],
        "subscription_external_id": "s",
        "external_subscription_id": "s",
        "lago_wallet_id": None,
        "wallet_code": None,
        "alert_type": AMOUNT,
        "code": "a",
        "name": "Spend",
        "direction": "increasing",
        "previous_value": "0.0",
        "last_processed_at": None,
        "thresholds": [
            {"code": None, "value": "3.0", "recurring": False},
            {"code": "warn", "value": "12.5", "recurring": False},
            {"code": None, "value": "5.0", "recurring": True},
        ],
        "created_at": "2025-06-01T00:00:00Z",
        "billable_metric": None,
    }
    assert shop.get(f"{PATH}/a")["alert"] == made
    assert shop.get(PATH)["alerts"] == [made]


def test_an_alert_of_a_metric_shows_it(shop: Api) -> None:
    made = create(shop, alert_type=UNITS, billable_metric_code="m")
    assert made["billable_metric"] == shop.get("/billable_metrics/m")["billable_metric"]


TOO_MANY = [{"value": value} for value in range(21)]
MANDATORY = {"thresholds:value": ["value_is_mandatory"]}
REFUSED: list[tuple[dict[str, Any], dict[str, list[str]]]] = [
    ({"alert_type": None, "thresholds": []}, {"alert_type": ["value_is_mandatory", "value_is_invalid"]}),
    ({"alert_type": " "}, {"alert_type": ["value_is_mandatory", "value_is_invalid"]}),
    ({"alert_type": "spend", "thresholds": []}, {"alert_type": ["invalid_type"]}),
    ({"alert_type": "wallet_balance_amount"}, {"alert_type": ["invalid_type"]}),
    ({"thresholds": [], "code": ""}, {"thresholds": ["value_is_mandatory"]}),
    ({"thresholds": None}, {"thresholds": ["value_is_mandatory"]}),
    ({"thresholds": TOO_MANY}, {"thresholds": ["too_many_thresholds"]}),
    ({"thresholds": [{"value": 1}, {"value": "1.0"}]}, {"thresholds": ["duplicate_threshold_values"]}),
    ({"thresholds": [{"value": "x"}, {"value": "x"}]}, {"thresholds": ["duplicate_threshold_values"]}),
    ({"thresholds": [{"value": None}, {"value": "x"}]}, MANDATORY),
    ({"thresholds": [{"code": "c"}]}, MANDATORY),
    ({"thresholds": [{"value": "x"}]}, {"thresholds:value": ["value_is_invalid"]}),
    ({"thresholds": [{"value": True}]}, {"thresholds:value": ["value_is_invalid"]}),
    ({"thresholds": [{"value": "NaN"}]}, {"thresholds:value": ["value_is_invalid"]}),
    ({"thresholds": [{"value": "1e40"}]}, {"thresholds:value": ["value_is_invalid"]}),
    ({"thresholds": [{"value": 0, "recurring": True}]}, {"thresholds:value": ["recurring_value_is_negative"]}),
    ({"code": None}, {"code": ["value_is_mandatory"]}),
    ({"alert_type": UNITS}, {"billable_metric": ["value_is_mandatory"]}),
    ({"billable_metric_code": "m"}, {"billable_metric": ["value_must_be_blank"]}),
    (
        {"code": "", "alert_type": UNITS},
        {"code": ["value_is_mandatory"], "billable_metric": ["value_is_mandatory"]},
    ),
    (
        {"thresholds": [{"value": 1, "recurring": True}, {"value": 2, "recurring": True}]},
        {"base": ["alert_already_exists"]},
    ),
]


@pytest.mark.parametrize(("more", "wanted"), REFUSED)
def test_refusals(shop: Api, more: dict[str, Any], wanted: dict[str, list[str]]) -> None:
    assert shop.post(PATH, {"alert": body(**more)}, 422)["error_details"] == wanted
    assert shop.get(PATH)["alerts"] == []


def test_what_is_not_found(shop: Api) -> None:
    missing = shop.post(PATH, {"alert": body(alert_type=UNITS, billable_metric_code="x", code="")}, 404)
    assert missing["code"] == "billable_metric_not_found"
    assert shop.get(f"{PATH}/x", 404)["code"] == "alert_not_found"
    assert shop.put(f"{PATH}/x", {"alert": {"name": "n"}}, 404)["code"] == "alert_not_found"
    assert shop.delete(f"{PATH}/x", 404)["code"] == "alert_not_found"
    assert shop.get("/subscriptions/x/alerts", 404)["code"] == "subscription_not_found"
    assert shop.get(PATH, 404, subscription_status="pending")["code"] == "subscription_not_found"


def test_one_of_a_kind(shop: Api) -> None:
    create(shop)
    again = shop.post(PATH, {"alert": body(code="b")}, 422)["error_details"]
    assert again == {"base": ["alert_already_exists"]}
    taken = shop.post(PATH, {"alert": body(alert_type="lifetime_usage_amount")}, 422)["error_details"]
    assert taken == {"code": ["value_already_exist"]}
    create(shop, code="b", alert_type=UNITS, billable_metric_code="m")
    metric(shop, "other")
    create(shop, code="c", alert_type=UNITS, billable_metric_code="other")
    shop.delete(f"{PATH}/a")
    create(shop)


def test_update(shop: Api) -> None:
    create(shop)
    shop.at("2025-06-02T00:00:00Z")
    changed = shop.put(
        f"{PATH}/a",
        {"alert": {"alert_type": "lifetime_usage_amount", "code": "b.c", "name": "n", "thresholds": [{"value": 7}]}},
    )["alert"]
    assert (changed["alert_type"], changed["code"], changed["name"]) == (AMOUNT, "b.c", "n")
    assert changed["thresholds"] == [{"code": None, "value": "7.0", "recurring": False}]
    kept = shop.put(f"{PATH}/b.c", {"alert": {"thresholds": [], "name": None}})["alert"]
    assert (kept["thresholds"], kept["name"]) == (changed["thresholds"], None)
    wrong = shop.put(f"{PATH}/b.c", {"alert": {"thresholds": [{"value": "x"}]}}, 422)["error_details"]
    assert wrong == {"thresholds:value": ["value_is_invalid"]}
    wrong = shop.put(f"{PATH}/b.c", {"alert": {"billable_metric_code": "m"}}, 422)["error_details"]
    assert wrong == {"billable_metric": ["value_must_be_blank"]}
    assert shop.put(f"{PATH}/b.c", {"alert": {"code": "b.c"}})["alert"]["code"] == "b.c"


def test_batch(shop: Api) -> None:
    both = [body(name=None, billable_metric_code=None), body(code="b", alert_type="lifetime_usage_amount")]
    made = shop.post(PATH, {"alerts": both})["alerts"]
    assert [one["code"] for one in made] == ["a", "b"]
    shop.delete(PATH)
    assert shop.get(PATH)["alerts"] == []


def test_a_batch_is_all_or_nothing(shop: Api) -> None:
    bad = body(code="b", alert_type="x")
    missing = body(code="c", alert_type=UNITS, billable_metric_code="x")
    answer = shop.post(PATH, {"alerts": [body(), bad, body(), missing]}, 422)["error_details"]
    assert answer == {
        "1": {"params": bad, "errors": {"alert_type": ["invalid_type"]}},
        "2": {"params": body(), "errors": {"code": ["value_already_exist"]}},
        "3": {"params": missing, "errors": "billable_metric_not_found"},
    }
    assert shop.get(PATH)["alerts"] == []
    assert shop.post(PATH, {"alerts": []}, 422)["error_details"] == {"alerts": ["no_alerts"]}


def test_deleting_one_answers_with_it(shop: Api) -> None:
    made = create(shop)
    assert shop.delete(f"{PATH}/a")["alert"] == made
    shop.get(f"{PATH}/a", 404)


def test_list_is_newest_first_in_pages(shop: Api) -> None:
    create(shop)
    shop.at("2025-06-02T00:00:00Z")
    create(shop, code="b", alert_type="lifetime_usage_amount")
    page = shop.get(PATH, per_page=1)
    assert [one["code"] for one in page["alerts"]] == ["b"]
    assert page["meta"]["total_count"] == 2
