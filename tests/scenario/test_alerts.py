"""Alerts of subscriptions through events and the clock (metering.md §10, webhooks.md §3.19, §5.7)."""

from __future__ import annotations

from typing import Any

from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.catalog import charge, metric, plan
from tests.support.subscriptions import listen, subscribe
from tests.support.watched import messages, shop, use

PATH = "/subscriptions/s/alerts"


def alert(api: Api, alert_type: str = "current_usage_amount", code: str = "spend", **more: Any) -> dict[str, Any]:
    """An alert at 1000, and at every 1000 after it."""
    thresholds = [{"value": "1000", "code": "warn"}, {"value": "1000", "code": "step", "recurring": True}]
    body = {"alert_type": alert_type, "code": code, "thresholds": thresholds, **more}
    made: dict[str, Any] = api.post(PATH, {"alert": body})["alert"]
    return made


def state(api: Api, code: str = "spend") -> str:
    found: str = api.get(f"{PATH}/{code}")["alert"]["previous_value"]
    return found


async def triggered(installation: Installation, api: Api) -> list[dict[str, Any]]:
    return [body["triggered_alert"] for body in await messages(installation, api, "alert.triggered")]


async def crossings(installation: Installation, api: Api) -> list[list[str]]:
    return [[one["value"] for one in body["crossed_thresholds"]] for body in await triggered(installation, api)]


async def test_the_message(api: Api, installation: Installation) -> None:
    row = shop(api, price="1")
    made = alert(api, name="Spend")
    api.at("2025-06-03T10:00:00Z")
    use(api, 9)
    assert await triggered(installation, api) == []
    use(api, 22)
    (body,) = await triggered(installation, api)
    assert body == {
        "lago_id": body["lago_id"],
        "lago_organization_id": api.organization["lago_id"],
        "lago_alert_id": made["lago_id"],
        "lago_subscription_id": row["lago_id"],
        "external_subscription_id": "s",
        "lago_wallet_id": None,
        "external_customer_id": "c",
        "billable_metric_code": None,
        "alert_name": "Spend",
        "alert_code": "spend",
        "alert_type": "current_usage_amount",
        "current_value": "3100.0",
        "previous_value": "900.0",
        "crossed_thresholds": [
            {"code": "warn", "value": "1000.0", "recurring": False},
            {"code": "step", "value": "2000.0", "recurring": True},
            {"code": "step", "value": "3000.0", "recurring": True},
        ],
        "triggered_at": "2025-06-03T10:00:00Z",
        "subscription_external_id": "s",
        "customer_external_id": "c",
    }
    shown = api.get(f"{PATH}/spend")["alert"]
    assert (shown["previous_value"], shown["last_processed_at"]) == ("3100.0", "2025-06-03T10:00:00Z")


async def test_a_new_period_arms_it_again_with_its_first_event(api: Api, installation: Installation) -> None:
    shop(api, price="1")
    alert(api, thresholds=[{"value": 1000}])
    use(api, 11)
    api.at("2025-07-01T00:00:00Z")
    assert state(api) == "1100.0"  # time alone changes nothing
    listen(api)
    use(api, 2)
    assert state(api) == "200.0"
    use(api, 9)
    assert await crossings(installation, api) == [["1000.0"], ["1000.0"]]


async def test_an_alert_that_comes_later_looks_at_the_usage_there_is(api: Api, installation: Installation) -> None:
    shop(api, price="1")
    use(api, 15)
    alert(api)
    api.at(api.now)
    assert await crossings(installation, api) == [["1000.0"]]
    api.put(f"{PATH}/spend", {"alert": {"thresholds": [{"value": 1200}]}})
    api.at(api.now)
    assert await crossings(installation, api) == [["1000.0"]]  # the figure did not move since
    use(api, 1)
    assert state(api) == "1600.0"


async def test_metrics_are_compared_by_their_highest_fee(api: Api, installation: Installation) -> None:
    api.at("2025-06-01T00:00:00Z")
    sums = metric(api, "m", "sum_agg", field_name="n")
    calls = metric(api, "calls")
    grouped = {"amount": "1", "pricing_group_keys": ["region"]}
    plan(api, charges=[charge(sums, properties=grouped), charge(calls, properties={"amount": "9"})])
    api.post("/customers", {"customer": {"external_id": "c"}})
    listen(api)
    subscribe(api)
    for kind in ("amount", "units"):
        alert(api, f"billable_metric_current_usage_{kind}", kind, billable_metric_code="m", thresholds=[{"value": 5}])
    use(api, 3, properties={"n": "3", "region": "eu"})
    use(api, 4, properties={"n": "4", "region": "us"})
    assert (state(api, "amount"), state(api, "units")) == ("400.0", "4.0")
    use(api, 1, code="calls")
    assert (state(api, "amount"), state(api, "units")) == ("400.0", "4.0")
    use(api, 2, properties={"n": "2", "region": "us"})
    told = {body["alert_code"]: body for body in await triggered(installation, api)}
    assert told["units"]["current_value"] == "6.0"
    assert told["units"]["billable_metric_code"] == "m"
    assert told["amount"]["current_value"] == "300.0"


async def test_usage_of_a_whole_life(api: Api, installation: Installation) -> None:
    shop(api, price="1")
    alert(api, "lifetime_usage_amount", thresholds=[{"value": 2000}])
    units = [{"value": "15"}]
    alert(api, "billable_metric_lifetime_usage_units", "units", billable_metric_code="m", thresholds=units)
    use(api, 12)
    api.at("2025-07-01T00:00:00Z")
    listen(api)
    use(api, 3)
    assert (state(api), state(api, "units")) == ("1500.0", "15.0")
    body = {"lifetime_usage": {"external_historical_usage_amount_cents": 400}}
    assert api.put("/subscriptions/s/lifetime_usage", body)["lifetime_usage"]["invoiced_usage_amount_cents"] == 1200
    use(api, 1)
    told = {body["alert_code"]: body["current_value"] for body in await triggered(installation, api)}
    assert told == {"spend": "2000.0", "units": "15.0"}


async def test_an_upgrade_keeps_alerts_and_their_state(api: Api, installation: Installation) -> None:
    row = shop(api, price="1")
    alert(api, thresholds=[{"value": 1000}, {"value": 3000}])
    use(api, 11)
    sums = row["plan"]["charges"][0]["lago_billable_metric_id"]
    plan(api, "q", amount_cents=9000, charges=[charge({"lago_id": sums}, properties={"amount": "3"})])
    new = subscribe(api, "q")
    assert state(api) == "1100.0"
    use(api, 1)
    (first, second) = await triggered(installation, api)
    assert (first["lago_subscription_id"], second["lago_subscription_id"]) == (row["lago_id"], new["lago_id"])
    assert [one["value"] for one in second["crossed_thresholds"]] == ["3000.0"]


async def test_a_metric_that_the_plan_does_not_price_is_passed_over(api: Api, installation: Installation) -> None:
    shop(api, price="1")
    metric(api, "other")
    kind = "billable_metric_current_usage_units"
    alert(api, kind, billable_metric_code="other", thresholds=[{"value": 0}])
    use(api, 5)
    assert api.get(f"{PATH}/spend")["alert"]["last_processed_at"] is None
    assert await triggered(installation, api) == []


async def test_nothing_after_it_is_deleted(api: Api, installation: Installation) -> None:
    shop(api, price="1")
    alert(api)
    api.delete(f"{PATH}/spend")
    use(api, 50)
    assert await triggered(installation, api) == []


async def test_thresholds_and_alerts_of_one_event(api: Api, installation: Installation) -> None:
    """The progressive invoice first, then the alert; in-between invoices do not lower the figure."""
    shop(api, price="1", usage_thresholds=[{"amount_cents": 1000}])
    alert(api, thresholds=[{"value": 1000}])
    use(api, 12)
    types = [body["webhook_type"] for body in await messages(installation, api)]
    wanted = ["invoice.created", "subscription.usage_threshold_reached", "alert.triggered"]
    assert [name for name in types if name in wanted] == wanted
    use(api, 1)
    assert state(api) == "1300.0"
