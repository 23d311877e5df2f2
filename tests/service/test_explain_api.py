"""Explanations of events and fees: every code, and the way to the amount (docs/user/explain.md)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import catalog, subscriptions
from tests.support.api import Api
from tests.support.usage_shop import charge, event, subscribe

MAY_20, JUNE_1, JUNE_10, JULY_5 = 1747699200, 1748736000, 1749513600, 1751673600
FILTERED = {"filters": [{"key": "region", "values": ["us", "eu"]}]}


def explain(api: Api, transaction_id: str, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/events/{transaction_id}/explain", **params)["explanation"]
    return found


def only(found: dict[str, Any]) -> dict[str, Any]:
    (verdict,) = found["charges"]
    assert isinstance(verdict, dict)
    return verdict


def outcome(verdict: dict[str, Any]) -> tuple[Any, ...]:
    return verdict["counted"], verdict["code"], verdict["units"]


# -- events ----------------------------------------------------------------------------------------


def test_an_event_that_counts(api: Api) -> None:
    filters = [{"values": {"region": ["us"]}, "properties": {"amount": "2"}, "invoice_display_name": "US"}]
    properties = {"amount": "1", "pricing_group_keys": ["team"]}
    subscribe(api, charge(api, filters=filters, metric=FILTERED, properties=properties))
    found = explain(api, event(api, at=JUNE_10, n="2.5", region="eu", team="red"))
    assert (found["counted"], found["code"]) == (True, "counted")
    assert found["sentence"] == "The event counts: it adds 2.5 units."
    assert (found["subscription"]["plan_code"], found["subscription"]["external_customer_id"]) == ("p", "c")
    assert found["period"] == {
        "from_datetime": "2025-06-01T00:00:00Z",
        "to_datetime": "2025-06-30T23:59:59Z",
        "invoice": None,
    }
    assert found["billable_metric"]["code"] == "m"
    assert found["event"]["properties"] == {"n": "2.5", "region": "eu", "team": "red"}
    verdict = only(found)
    assert (outcome(verdict), verdict["value"]) == ((True, "counted", "2.5"), "2.5")
    assert (verdict["bucket"]["code"], verdict["bucket"]["filter"]) == ("no_filter_matches", None)
    assert (verdict["grouped_by"], verdict["fee"]) == ({"team": "red"}, None)


@pytest.mark.parametrize(
    ("properties", "code", "values", "undeclared"),
    [
        ({"region": "us"}, "filter_matches", {"region": ["us"]}, {}),
        ({"region": "mars"}, "values_undeclared", None, {"region": "mars"}),
        ({}, "no_filter_matches", None, {}),
    ],
)
def test_buckets(
    api: Api, properties: dict[str, Any], code: str, values: dict[str, list[str]] | None, undeclared: dict[str, str]
) -> None:
    filters = [{"values": {"region": ["us"]}, "properties": {"amount": "2"}}]
    subscribe(api, charge(api, filters=filters, metric=FILTERED))
    bucket = only(explain(api, event(api, n=1, **properties)))["bucket"]
    assert (bucket["code"], bucket["undeclared_values"]) == (code, undeclared)
    assert (bucket["filter"] or {}).get("values") == values


def test_every_charge_of_the_metric_is_judged(api: Api) -> None:
    api.at("2025-06-01T09:00:00Z")
    metric = catalog.metric(api, "m", "sum_agg", field_name="n")
    charges = [catalog.charge(metric, code=code, properties={"amount": "1"}) for code in ("a", "b")]
    catalog.plan(api, charges=charges)
    subscriptions.customer(api)
    subscriptions.subscribe(api, subscription_at="2025-06-01T00:00:00Z")
    found = explain(api, event(api, n=1))
    assert sorted(one["charge"]["code"] for one in found["charges"]) == ["a", "b"]
    assert {one["code"] for one in found["charges"]} == {"counted"}


@pytest.mark.parametrize(
    ("aggregation_type", "properties", "code"),
    [
        ("sum_agg", {}, "property_missing"),
        ("sum_agg", {"n": None}, "property_missing"),
        ("sum_agg", {"n": "1e3"}, "property_not_numeric"),
        ("max_agg", {"n": "many"}, "property_not_numeric"),
        ("unique_count_agg", {"n": ""}, "property_missing"),
        ("unique_count_agg", {"n": "a", "operation_type": "drop"}, "operation_unknown"),
    ],
)
def test_properties_that_do_not_count(api: Api, aggregation_type: str, properties: dict[str, Any], code: str) -> None:
    subscribe(api, charge(api, aggregation_type=aggregation_type))
    found = explain(api, event(api, **properties))
    assert (found["counted"], found["code"]) == (False, code)
    assert outcome(only(found)) == (False, code, "0.0")
    assert found["sentence"].endswith(".")


@pytest.mark.parametrize(
    ("aggregation_type", "sent", "outcomes"),
    [
        ("count_agg", [{}, {}], [(True, "counted", "1.0"), (True, "counted", "1.0")]),
        ("max_agg", [{"n": 5}, {"n": 3}], [(True, "counted", "5.0"), (True, "below_maximum", "0.0")]),
        ("latest_agg", [{"n": 5}, {"n": 3}], [(True, "superseded", "0.0"), (True, "counted", "3.0")]),
        (
            "unique_count_agg",
            [{"n": "a"}, {"n": "a"}, {"n": "a", "operation_type": "remove"}, {"n": "b", "operation_type": "remove"}],
            [
                (True, "counted", "1.0"),
                (False, "duplicate_operation", "0.0"),
                (True, "counted", "-1.0"),
                (False, "duplicate_operation", "0.0"),
            ],
        ),
    ],
)
def test_what_an_event_adds(
    api: Api, aggregation_type: str, sent: list[dict[str, Any]], outcomes: list[tuple[Any, ...]]
) -> None:
    subscribe(api, charge(api, aggregation_type=aggregation_type))
    ids = [event(api, at=JUNE_1 + second, **properties) for second, properties in enumerate(sent)]
    assert [outcome(only(explain(api, one))) for one in ids] == outcomes


def test_carried_values(api: Api) -> None:
    subscribe(api, charge(api, metric={"recurring": True}))
    before = explain(api, event(api, at=MAY_20, n=4))
    assert outcome(only(before)) == (True, "carried", "4.0")
    assert before["period"]["from_datetime"] == "2025-06-01T00:00:00Z"


def test_events_that_no_subscription_counts(api: Api) -> None:
    subscribe(api, charge(api))
    catalog.metric(api, "other", "count_agg")
    subscriptions.subscribe(api, external_id="later", subscription_at="2025-08-01T00:00:00Z")
    cases = [
        (event(api, "nothing"), "unknown_code"),
        (event(api, of="nobody", n=1), "unknown_subscription"),
        (event(api, at=MAY_20, n=1), "before_start"),
        (event(api, of="later", n=1), "subscription_not_started"),
        (event(api, "other"), "not_on_plan"),
    ]
    for transaction_id, code in cases:
        found = explain(api, transaction_id)
        assert (found["counted"], found["code"], found["charges"]) == (False, code, [])
    api.at("2025-06-20T00:00:00Z").delete("/subscriptions/s")
    late = explain(api, event(api, at=JULY_5, n=1))
    assert (late["code"], late["subscription"]) == ("after_end", None)


def test_the_fee_that_bills_an_event(api: Api) -> None:
    subscribe(api, charge(api))
    sent = event(api, n=3)
    api.at("2025-07-02T00:00:00Z")
    found = explain(api, sent)
    (fee,) = api.get("/fees", fee_type="charge")["fees"]
    assert only(found)["fee"] == {
        "lago_id": fee["lago_id"],
        "lago_invoice_id": fee["lago_invoice_id"],
        "amount_cents": 300,
        "amount_currency": "EUR",
        "units": "3.0",
    }
    assert (found["period"]["invoice"]["lago_id"], found["period"]["invoice"]["status"]) == (
        fee["lago_invoice_id"],
        "finalized",
    )


def test_events_that_come_after_the_invoice(api: Api) -> None:
    seats = charge(api, "seats", metric={"recurring": True})
    subscribe(api, charge(api), seats)
    api.at("2025-07-02T00:00:00Z")
    assert outcome(only(explain(api, event(api, at=JUNE_10, n=3)))) == (False, "period_invoiced", "3.0")
    assert outcome(only(explain(api, event(api, "seats", at=JUNE_10, n=3)))) == (True, "counted_later", "3.0")


def test_a_draft_still_takes_late_events(api: Api) -> None:
    api.at("2025-06-01T09:00:00Z")
    catalog.plan(api, charges=[charge(api)])
    subscriptions.customer(api, billing_configuration={"invoice_grace_period": 5})
    subscriptions.subscribe(api, subscription_at="2025-06-01T00:00:00Z")
    api.at("2025-07-02T00:00:00Z")
    found = explain(api, event(api, at=JUNE_10, n=3))
    assert (found["code"], found["period"]["invoice"]["status"]) == ("counted", "draft")


def test_one_transaction_id_of_two_subscriptions(api: Api) -> None:
    subscribe(api, charge(api))
    subscriptions.subscribe(api, external_id="two")
    for name in ("s", "two"):
        body = {"transaction_id": "same", "external_subscription_id": name, "code": "m", "properties": {"n": 1}}
        api.post("/events", {"event": body})
    for name in ("s", "two"):
        assert explain(api, "same", external_subscription_id=name)["subscription"]["external_id"] == name
    assert api.get("/events/same/explain", 404, external_subscription_id="x")["code"] == "event_not_found"
    assert api.get("/events/x/explain", 404)["code"] == "event_not_found"


# -- fees ------------------------------------------------------------------------------------------


def explain_fee(api: Api, fee: dict[str, Any], **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/fees/{fee['lago_id']}/explain", **params)
    return found


def test_a_usage_fee_with_its_tiers_taxes_and_events(api: Api) -> None:
    api.post("/taxes", {"tax": {"name": "VAT", "code": "vat", "rate": "19", "applied_to_organization": True}})
    ranges = [
        {"from_value": 0, "to_value": 10, "per_unit_amount": "0.5", "flat_amount": "1"},
        {"from_value": 11, "to_value": None, "per_unit_amount": "0.25", "flat_amount": "0"},
    ]
    subscribe(api, charge(api, charge_model="graduated", properties={"graduated_ranges": ranges}))
    ids = [event(api, at=JUNE_1 + second, n=units) for second, units in enumerate((8, 3, 1))]
    event(api, n="no number")
    api.at("2025-07-02T00:00:00Z")
    (fee,) = api.get("/fees", fee_type="charge")["fees"]
    found = explain_fee(api, fee, per_page=2)
    trace = found["explanation"]["trace"]
    assert trace["window"] == {"from": "2025-06-01T00:00:00Z", "to": "2025-07-01T00:00:00Z"}
    assert (trace["units"], trace["model"], trace["aggregation"]["events"]) == ("12.0", "graduated", 3)
    assert [step["sentence"] for step in trace["steps"]] == [
        "10.0 units in the range 0.0-10.0 at 0.5 = 5.0",
        "flat amount of the range 0.0-10.0 = 1.0",
        "2.0 units in the range 10.0-∞ at 0.25 = 0.5",
        "flat amount of the range 10.0-∞ = 0.0",
    ]
    assert trace["sentences"] == ["650.0 cents rounded half away from zero = 650 cents"]
    taxes = found["explanation"]["taxes"]
    assert (taxes["base_cents"], taxes["amount_cents"], taxes["rate"]) == ("650.0", 124, 19.0)
    (vat,) = taxes["applied_taxes"]
    assert vat["sentence"] == "19.0 % of 650.0 cents = 123.5, rounded half away from zero = 124"
    assert found["explanation"]["fee"]["lago_id"] == fee["lago_id"]
    assert (found["explanation"]["units_today"], found["explanation"]["unchanged"]) == ("12.0", True)
    assert [(one["event"]["transaction_id"], one["units"], one["code"]) for one in found["events"]] == [
        (ids[0], "8.0", "counted"),
        (ids[1], "3.0", "counted"),
    ]
    assert (found["meta"]["total_count"], found["meta"]["next_page"]) == (3, 2)
    assert [one["value"] for one in explain_fee(api, fee, per_page=2, page=2)["events"]] == ["1"]
    past_end = explain_fee(api, fee, per_page=2, page=9)
    assert (past_end["events"], past_end["meta"]["total_count"]) == ([], 3)


def test_only_events_of_the_fees_bucket_and_group(api: Api) -> None:
    filters = [{"values": {"region": ["us"]}, "properties": {"amount": "2", "pricing_group_keys": ["team"]}}]
    subscribe(api, charge(api, filters=filters, metric=FILTERED))
    for units, region, team in ((1, "us", "red"), (2, "us", None), (4, "eu", "red")):
        event(api, n=units, region=region, team=team)
    api.at("2025-07-02T00:00:00Z")
    values = {
        fee["units"]: [one["value"] for one in explain_fee(api, fee)["events"]]
        for fee in api.get("/fees", fee_type="charge")["fees"]
    }
    assert values == {"1.0": ["1"], "2.0": ["2"], "4.0": ["4"]}


def test_a_fee_whose_events_changed_since(api: Api) -> None:
    subscribe(api, charge(api))
    event(api, n=3)
    api.at("2025-07-02T00:00:00Z")
    (fee,) = api.get("/fees", fee_type="charge")["fees"]
    event(api, at=JUNE_10, n=2)
    found = explain_fee(api, fee)["explanation"]
    assert (found["trace"]["units"], found["units_today"], found["unchanged"]) == ("3.0", "5.0", False)


def test_fees_without_events(api: Api) -> None:
    subscribe(api, charge(api, min_amount_cents=500))
    event(api, n=1)
    api.at("2025-07-02T00:00:00Z")
    for fee_type, sentence in (
        ("subscription", "100 cents for 30 of 30 days"),
        ("charge", "the minimum of 500 cents is 500.0 cents for 30 of 30 days; usage amounts to 100 cents"),
    ):
        fee = api.get("/fees", fee_type=fee_type)["fees"][-1]
        found = explain_fee(api, fee)
        assert (found["events"], found["meta"]["total_count"]) == ([], 0)
        assert sentence in found["explanation"]["trace"]["sentences"]
        assert (found["explanation"]["units_today"], found["explanation"]["unchanged"]) == (None, None)


def test_prorated_units_and_their_events(api: Api) -> None:
    subscribe(api, charge(api, prorated=True, metric={"recurring": True}))
    event(api, at=MAY_20, n=2)
    event(api, at=1750032000, n=10)  # 16 June: 15 of 30 days
    api.at("2025-07-02T00:00:00Z")
    (fee,) = api.get("/fees", fee_type="charge")["fees"]
    found = explain_fee(api, fee)
    assert (found["explanation"]["trace"]["units"], found["explanation"]["unchanged"]) == ("7.0", True)
    assert [(one["code"], one["units"]) for one in found["events"]] == [("carried", "2.0"), ("counted", "10.0")]


def test_a_fee_paid_in_advance_has_one_event(api: Api) -> None:
    subscribe(api, charge(api, pay_in_advance=True))
    sent = event(api, n=3)
    api.at("2025-06-02T00:00:00Z")
    (fee,) = api.get("/fees", fee_type="charge")["fees"]
    found = explain_fee(api, fee)
    assert [(one["event"]["transaction_id"], one["units"]) for one in found["events"]] == [(sent, "3.0")]
    assert found["explanation"]["trace"]["with_event"]["steps"][0]["sentence"] == "3.0 units at 1.0 = 3.0"
    assert only(explain(api, sent))["fee"]["lago_id"] == fee["lago_id"]


def test_unknown_fees(api: Api) -> None:
    assert api.get("/fees/x/explain", 404)["code"] == "fee_not_found"
