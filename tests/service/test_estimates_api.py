"""Estimates of fees over HTTP: exact ones with history, instant ones without; nothing is stored (metering.md §8)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.advance import CODE, FIELD, fee_of, fees, sell, send
from tests.support.api import Api
from tests.support.catalog import charge, metric, plan
from tests.support.subscriptions import customer, subscribe

PERCENT = {"rate": "1", "fixed_amount": "0.5", "per_transaction_min_amount": "1.75", "per_transaction_max_amount": "2"}


def body(value: Any = None, **more: Any) -> dict[str, Any]:
    held = {} if value is None else {FIELD: value}
    return {"external_subscription_id": "s", "code": CODE, "properties": held, **more}


def exact(api: Api, status: int = 200, **event: Any) -> Any:
    answer = api.post("/events/estimate_fees", {"event": body(**event)}, status)
    return answer["fees"] if status == 200 else answer


def instant(api: Api, status: int = 200, **event: Any) -> Any:
    answer = api.post("/events/estimate_instant_fees", {"event": body(**event)}, status)
    return answer["fees"] if status == 200 else answer


def test_an_estimate_is_the_fee_that_the_event_makes(api: Api) -> None:
    api.post("/taxes", {"tax": {"code": "vat", "name": "vat", "rate": "20", "applied_to_organization": True}})
    properties = {"amount": "100", "package_size": 2, "free_units": 3}
    sell(api, model="package", properties=properties)
    for value in (3, 1, 2):
        (guess,) = exact(api, value=value)
        made = fee_of(api, send(api, value))
        own = ("lago_id", "lago_invoice_id", "event_transaction_id", "applied_taxes", "payment_status")
        assert {**guess, **dict.fromkeys(own)} == {**made, **dict.fromkeys(own)}
        assert guess["lago_id"] is None
        assert [tax["amount_cents"] for tax in guess["applied_taxes"]] == [made["taxes_amount_cents"]]
        assert (guess["lago_invoice_id"], guess["amount_details"]) == (None, {})
    assert len(fees(api)) == 3
    assert len(api.get("/events")["events"]) == 3


def test_details_are_left_out(api: Api) -> None:
    sell(api, model="percentage", properties=PERCENT)
    (guess,) = exact(api, value=100)
    assert (guess["amount_cents"], guess["amount_details"]) == (175, {})


def test_one_estimate_for_each_charge(api: Api) -> None:
    api.at("2025-03-01T00:00:00Z")
    counted = metric(api)
    prices = [charge(counted, properties={"amount": text}, pay_in_advance=True) for text in ("1", "2")]
    plan(api, amount_cents=0, charges=[*prices, charge(counted, properties={"amount": "4"})])
    customer(api, currency="EUR")
    subscribe(api)
    assert [row["amount_cents"] for row in exact(api)] == [100, 200]


def test_the_time_sent_is_ignored(api: Api) -> None:
    sell(api, "count", properties={"amount": "1"})
    (guess,) = exact(api, timestamp="1")
    assert guess["from_date"] == "2025-03-01T00:00:00+00:00"


def test_expressions_are_evaluated(api: Api) -> None:
    sell(api, of_metric={"expression": "event.properties.a * 2"})
    (guess,) = exact(api, properties={"a": 4})
    assert (guess["units"], guess["amount_cents"]) == ("8.0", 800)
    failed = exact(api, 422, properties={})
    assert failed["error_details"] == "expression_evaluation_failed: Variable: a not found"


def test_refusals_come_in_order(api: Api) -> None:
    sell(api)
    metric(api, "other")
    wrong = {"external_subscription_id": "nobody", "timestamp": "x", "code": "none", "properties": {FIELD: "x"}}
    assert exact(api, 404, **wrong)["code"] == "subscription_not_found"
    wrong["external_subscription_id"] = "s"
    assert exact(api, 422, **wrong)["error_details"] == {"timestamp": ["invalid_format"]}
    wrong["timestamp"] = ""
    assert exact(api, 404, **wrong)["code"] == "billable_metric_not_found"
    wrong["code"] = CODE
    assert exact(api, 422, **wrong)["error_details"] == {"properties": ["value_is_not_valid_number"]}
    wrong.update(code="other", properties={})
    assert exact(api, 422, **wrong)["error_details"] == {"code": ["does_not_match_an_instant_charge"]}
    assert api.post("/events/estimate_fees", {}, 400)["status"] == 400


def test_a_subscription_that_has_ended_has_no_estimates(api: Api) -> None:
    sell(api)
    api.delete("/subscriptions/s")
    assert exact(api, 404, value=1)["code"] == "subscription_not_found"
    assert instant(api, 404, value=1)["code"] == "subscription_not_found"


@pytest.mark.parametrize(
    ("model", "properties", "value", "units", "cents", "unit_price"),
    [
        ("percentage", {"rate": "0.1", "fixed_amount": "0"}, 400, "400.0", 40, "0.1"),
        ("percentage", PERCENT, 100, "100.0", 175, "1.75"),
        ("percentage", PERCENT, 10000, "10000.0", 200, "0.02"),
        ("standard", {"amount": "0.004"}, 1, "1.0", 0, "0.0"),
        ("standard", {"amount": "3"}, -2, "-2.0", 0, "0.0"),
        ("standard", {"amount": "3"}, None, "0.0", 0, "0.0"),
    ],
)
def test_instant_prices(
    api: Api, model: str, properties: dict[str, Any], value: Any, units: str, cents: int, unit_price: str
) -> None:
    sell(api, model=model, properties=properties)
    (guess,) = instant(api, value=value)
    assert (guess["units"], guess["amount_cents"], guess["precise_unit_amount"]) == (units, cents, unit_price)


def test_instant_unit_prices_have_the_decimals_of_a_fee(api: Api) -> None:
    sell(api, model="percentage", properties={"rate": "1", "fixed_amount": "0.5"})
    (guess,) = instant(api, value="101")
    assert (guess["precise_amount"], guess["precise_unit_amount"]) == ("1.51", "1.495049504950495")


def test_instant_price_of_a_counted_event(api: Api) -> None:
    sold = sell(api, "count", properties={"amount": "3"})
    (guess,) = instant(api, transaction_id="tx")
    assert (guess["units"], guess["amount_cents"], guess["precise_unit_amount"]) == ("1.0", 300, "300.0")
    assert (guess["precise_amount"], guess["event_transaction_id"]) == ("3.0", "tx")
    assert (guess["lago_charge_id"], guess["item"]["grouped_by"]) == (sold["lago_id"], {})


def test_instant_prices_of_filters(api: Api) -> None:
    own = {"values": {"region": ["eu"]}, "properties": {"amount": "5"}, "invoice_display_name": "Europe"}
    sell(api, "count", of_metric={"filters": [{"key": "region", "values": ["eu", "us"]}]}, filters=[own])
    (guess,) = instant(api, properties={"region": "eu"})
    assert (guess["amount_cents"], guess["item"]["filters"]) == (500, {"region": ["eu"]})
    assert guess["item"]["filter_invoice_display_name"] == "Europe"
    (other,) = instant(api, properties={"region": "us"})
    assert (other["amount_cents"], other["item"]["filters"]) == (100, None)


def test_instant_refusals(api: Api) -> None:
    sell(api)
    assert instant(api, 422, value="x")["error_details"] == {"properties": ["value_is_not_valid_number"]}
    assert instant(api, 422, code="none")["error_details"] == {"code": ["does_not_match_an_instant_charge"]}


def test_a_batch(api: Api) -> None:
    def batch(events: Any, status: int = 200) -> Any:
        return api.post("/events/batch_estimate_instant_fees", {"events": events}, status)

    sell(api)
    rows = batch([body(2), body(3, code="none"), body(4)])["fees"]
    assert [row["amount_cents"] for row in rows] == [200, 400]
    refused: tuple[Any, ...] = (None, [], "x")
    for nothing in refused:
        assert batch(nothing, 422)["error_details"] == {"events": ["no_events"]}
    assert batch([body(1), body(1, external_subscription_id="nobody")], 404)["code"] == "subscription_not_found"
    assert batch([body("x")], 422)["error_details"] == {"properties": ["value_is_not_valid_number"]}


def test_plans_without_such_charges(api: Api) -> None:
    sell(api, model="package", properties={"amount": "1", "package_size": 1, "free_units": 0})
    details = {"code": ["does_not_match_an_instant_charge"]}
    assert instant(api, 422, value=1)["error_details"] == details
    answer = api.post("/events/batch_estimate_instant_fees", {"events": [body(1)]}, 422)
    assert answer["error_details"] == details
