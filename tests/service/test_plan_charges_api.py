"""Charges and charge filters over HTTP (rating.md §2, metering.md §4, api.md §15.10)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.catalog import charge, metric, plan, plan_body, refused

KEYS = [
    *("lago_id", "lago_billable_metric_id", "code", "invoice_display_name", "billable_metric_code", "created_at"),
    *("charge_model", "invoiceable", "regroup_paid_fees", "pay_in_advance", "prorated", "min_amount_cents"),
    *("accepts_target_wallet", "properties", "applied_pricing_unit", "lago_parent_id", "filters", "taxes"),
]
FILTER_KEYS = ["lago_id", "charge_code", "invoice_display_name", "properties", "values"]
REGIONS = [{"key": "region", "values": ["asia", "eu", "us"]}, {"key": "tier", "values": ["free", "pro"]}]


def values(region: str, amount: str = "1", **more: Any) -> dict[str, Any]:
    return {"values": {"region": [region]}, "properties": {"amount": amount}, **more}


def test_charge_endpoints(api: Api) -> None:
    made = metric(api)
    plan(api)
    path = "/plans/p/charges"
    body = charge(made, properties={"amount": "1"}, min_amount_cents=5, invoice_display_name="shown")
    first = api.post(path, {"charge": body})["charge"]
    assert list(first) == KEYS
    assert first["taxes"] == []
    assert (first["code"], first["min_amount_cents"], first["invoiceable"]) == ("m", 5, True)
    second = api.post(path, {"charge": charge(made)})["charge"]
    assert (second["code"], second["properties"]) == ("m_2", {"amount": "0"})
    assert api.get(f"{path}/m_2")["charge"] == second
    listed = api.get(path)
    assert [one["code"] for one in listed["charges"]] == ["m_2", "m"]
    assert listed["meta"]["total_count"] == 2
    api.post("/taxes", {"tax": {"name": "vat", "code": "vat", "rate": "20"}})
    changed = api.put(f"{path}/m", {"charge": {"properties": {"amount": "2"}, "tax_codes": ["vat"], "code": "n"}})
    assert changed["charge"]["properties"] == {"amount": "2"}
    assert [one["code"] for one in changed["charge"]["taxes"]] == ["vat"]
    assert changed["charge"]["min_amount_cents"] == 5
    assert api.delete(f"{path}/n")["charge"]["code"] == "n"
    assert api.get(f"{path}/n", 404)["code"] == "charge_not_found"
    assert api.get("/plans/x/charges/n", 404)["code"] == "plan_not_found"
    unknown = {"charge": {"billable_metric_id": str(uuid.uuid4()), "charge_model": "standard"}}
    assert api.post(path, unknown, 404)["code"] == "billable_metric_not_found"
    assert api.post("/plans/x/charges", {}, 404)["code"] == "plan_not_found"
    assert api.post(path, {}, 400)["status"] == 400


CASES: list[tuple[str, dict[str, Any], dict[str, list[str]]]] = [
    ("count", {"charge_model": "magic"}, {"charge_model": ["value_is_invalid"]}),
    ("count", {"charge_model": None}, {"charge_model": ["value_is_invalid"]}),
    ("count", {"charge_model": "dynamic"}, {"charge_model": ["invalid_aggregation_type_or_charge_model"]}),
    ("sum", {"charge_model": "custom"}, {"charge_model": ["invalid_aggregation_type_or_charge_model"]}),
    (
        "count",
        {"charge_model": "volume", "pay_in_advance": True},
        {"pay_in_advance": ["invalid_aggregation_type_or_charge_model"]},
    ),
    ("max", {"pay_in_advance": True}, {"pay_in_advance": ["invalid_aggregation_type_or_charge_model"]}),
    ("sum", {"prorated": True}, {"prorated": ["invalid_billable_metric_or_charge_model"]}),
    (
        "recurring",
        {"prorated": True, "charge_model": "package"},
        {"prorated": ["invalid_billable_metric_or_charge_model"]},
    ),
    (
        "recurring",
        {"prorated": True, "pay_in_advance": True, "charge_model": "graduated"},
        {"prorated": ["invalid_billable_metric_or_charge_model"]},
    ),
    ("weighted", {"prorated": True}, {"prorated": ["invalid_billable_metric_or_charge_model"]}),
    ("count", {"invoiceable": False}, {"invoiceable": ["must_be_true_unless_pay_in_advance"]}),
    (
        "count",
        {"regroup_paid_fees": "invoice", "pay_in_advance": True},
        {"regroup_paid_fees": ["only_compatible_with_pay_in_advance_and_non_invoiceable"]},
    ),
    ("count", {"min_amount_cents": -1}, {"min_amount_cents": ["value_is_out_of_range"]}),
    (
        "count",
        {"min_amount_cents": 1, "pay_in_advance": True},
        {"min_amount_cents": ["not_compatible_with_pay_in_advance"]},
    ),
    ("latest", {"charge_model": "percentage"}, {"properties": ["invalid_value"]}),
    ("count", {"properties": {"amount": 1}}, {"properties": ["invalid_amount"]}),
    (
        "count",
        {"charge_model": "package", "properties": {"amount": "x", "package_size": 0}},
        {"properties": ["invalid_amount", "invalid_package_size", "invalid_free_units"]},
    ),
    ("count", {"charge_model": "graduated", "properties": {"x": 1}}, {"properties": ["missing_graduated_ranges"]}),
    ("count", {"properties": {"amount": "1", "pricing_group_keys": "a"}}, {"properties": ["invalid_type"]}),
    (
        "count",
        {"properties": {"amount": "1", "presentation_group_keys": [{"value": str(n)} for n in range(3)]}},
        {"properties": ["too_many_keys"]},
    ),
    (
        "count",
        {"applied_pricing_unit": {"code": "tokens", "conversion_rate": "0"}},
        {"pricing_unit": ["relation_must_exist"], "conversion_rate": ["value_is_out_of_range"]},
    ),
    (
        "count",
        {"applied_pricing_unit": {"code": "tokens"}},
        {"pricing_unit": ["relation_must_exist"], "conversion_rate": ["value_is_mandatory"]},
    ),
    ("count", {"filters": [{}]}, {"values": ["value_is_mandatory"]}),
    ("count", {"filters": [{"values": {}}]}, {"values": ["value_is_mandatory"]}),
    ("count", {"filters": [{"values": {"region": []}}]}, {"values": ["value_is_mandatory"]}),
    ("count", {"filters": [{"values": {"region": 5}}]}, {"values": ["value_is_invalid"]}),
    ("count", {"filters": [{"values": {"region": [["us"]]}}]}, {"values": ["value_is_invalid"]}),
    ("count", {"filters": [{"values": {"region": ["mars"]}}]}, {"values": ["value_is_invalid"]}),
    (
        "count",
        {"filters": [{"values": {"region": ["__ALL_FILTER_VALUES__", "us"]}}]},
        {"values": ["value_is_invalid"]},
    ),
    (
        "count",
        {"filters": [{"values": {"planet": ["us"]}}]},
        {"billable_metric_filter": ["relation_must_exist"], "values": ["value_is_invalid"]},
    ),
    (
        "count",
        {"filters": [{"values": {"region": ["us"]}, "properties": {"amount": "x"}}]},
        {"properties": ["invalid_amount"]},
    ),
]


def metric_for(api: Api, kind: str) -> dict[str, Any]:
    more: dict[str, dict[str, Any]] = {
        "count": {"aggregation_type": "count_agg"},
        "sum": {"aggregation_type": "sum_agg"},
        "max": {"aggregation_type": "max_agg"},
        "latest": {"aggregation_type": "latest_agg"},
        "recurring": {"aggregation_type": "sum_agg", "recurring": True},
        "weighted": {"aggregation_type": "weighted_sum_agg", "recurring": True, "weighted_interval": "seconds"},
    }
    return metric(api, "m", **{"field_name": "gb", "filters": REGIONS, **more[kind]})


@pytest.mark.parametrize(("kind", "fields", "details"), CASES)
def test_validation(api: Api, kind: str, fields: dict[str, Any], details: dict[str, list[str]]) -> None:
    body = {**charge(metric_for(api, kind)), **fields}
    assert refused(api, "POST", "/plans", {"plan": plan_body(charges=[body])}) == details
    plan(api)
    assert refused(api, "POST", "/plans/p/charges", {"charge": body}) == details


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("recurring", {"prorated": True}),
        ("recurring", {"prorated": True, "pay_in_advance": True}),
        ("recurring", {"prorated": True, "charge_model": "volume"}),
        ("sum", {"charge_model": "dynamic"}),
        ("count", {"pay_in_advance": True, "invoiceable": False, "regroup_paid_fees": "invoice"}),
        ("count", {"charge_model": "graduated_percentage"}),
        ("latest", {"charge_model": "standard"}),
    ],
)
def test_allowed_combinations(api: Api, kind: str, fields: dict[str, Any]) -> None:
    made = plan(api, charges=[{**charge(metric_for(api, kind)), **fields}])["charges"][0]
    assert {name: made[name] for name in fields} == fields


def test_codes(api: Api) -> None:
    made = metric(api)
    bodies = [charge(made), charge(made, code="m_7"), charge(made), charge(made, code="own")]
    codes = [one["code"] for one in plan(api, charges=bodies)["charges"]]
    assert codes == ["m", "m_7", "m_8", "own"]
    twice = plan_body("q", charges=[charge(made, code="a"), charge(made, code="a")])
    assert refused(api, "POST", "/plans", {"plan": twice}) == {"code": ["value_already_exist"]}
    body = {"charge": charge(made, code="own")}
    assert refused(api, "POST", "/plans/p/charges", body) == {"code": ["value_already_exist"]}
    assert refused(api, "PUT", "/plans/p/charges/m", {"charge": {"code": "own"}}) == {"code": ["value_already_exist"]}


def test_properties_are_normalised(api: Api) -> None:
    made = metric(api)
    sent = {"amount": "1e-7", "unknown": 1, "grouped_by": ["region", ""], "presentation_group_keys": [{"value": "x"}]}
    stored = plan(api, charges=[charge(made, properties=sent)])["charges"][0]["properties"]
    assert stored["amount"] == "1e-7"
    assert "unknown" not in stored
    assert stored["pricing_group_keys"] == stored["grouped_by"] == ["region"]
    assert stored["presentation_group_keys"] == [{"value": "x"}]


def test_put_replaces_charges_by_id(api: Api) -> None:
    made = metric(api, filters=REGIONS)
    first, second = plan(api, charges=[charge(made, filters=[values("us")]), charge(made, code="gone")])["charges"]
    items = [
        {"id": first["lago_id"], "charge_model": "package", "invoice_display_name": "shown"},
        charge(made, "volume", code="gone"),
    ]
    error = refused(api, "PUT", "/plans/p", {"plan": {"charges": items}})
    assert set(error["properties"]) == {"invalid_package_size", "invalid_free_units"}  # of the filter that stays
    items[0]["filters"] = []
    changed = api.put("/plans/p", {"plan": {"charges": items}})["plan"]["charges"]
    assert [(one["code"], one["charge_model"]) for one in changed] == [("m", "package"), ("gone", "volume")]
    assert changed[0]["lago_id"] == first["lago_id"]
    assert changed[0]["properties"] == {"package_size": 1, "amount": "0", "free_units": 0}
    assert changed[1]["lago_id"] != second["lago_id"]
    assert api.put("/plans/p", {"plan": {"charges": None}})["plan"]["charges"] == changed
    assert api.put("/plans/p", {"plan": {"charges": []}})["plan"]["charges"] == []


def test_filters_are_replaced_by_their_values(api: Api) -> None:
    made = metric(api, filters=REGIONS)
    plan(api, charges=[charge(made, filters=[values("us"), values("eu")])])
    before = api.get("/plans/p/charges/m")["charge"]["filters"]
    assert list(before[0]) == FILTER_KEYS
    assert before[0]["charge_code"] == "m"
    body = {"charge": {"filters": [values("asia"), values("us", "5", invoice_display_name="US")]}}
    after = api.put("/plans/p/charges/m", body)["charge"]["filters"]
    assert [one["values"]["region"] for one in after] == [["asia"], ["us"]]
    assert after[1]["lago_id"] == before[0]["lago_id"]
    assert (after[1]["properties"], after[1]["invoice_display_name"]) == ({"amount": "5"}, "US")
    assert api.put("/plans/p/charges/m", {"charge": {"invoice_display_name": "x"}})["charge"]["filters"] == after
    assert api.put("/plans/p/charges/m", {"charge": {"filters": []}})["charge"]["filters"] == []


def test_filter_endpoints(api: Api) -> None:
    made = metric(api, filters=REGIONS)
    plan(api, charges=[charge(made)])
    path = "/plans/p/charges/m/filters"
    sent = {**values("us"), "properties": {"amount": "1", "presentation_group_keys": [{"value": "x"}]}}
    first = api.post(path, {"filter": sent})["filter"]
    assert list(first) == FILTER_KEYS
    assert first["properties"] == {"amount": "1"}
    every = {"values": {"region": ["__ALL_FILTER_VALUES__"], "tier": ["pro"]}}
    second = api.post(path, {"filter": every})["filter"]
    assert (second["values"], second["properties"]) == (every["values"], {"amount": "0"})
    assert refused(api, "POST", path, {"filter": values("us")}) == {"values": ["value_already_exists"]}
    assert refused(api, "POST", path, {"filter": {"properties": {"amount": "1"}}}) == {"values": ["value_is_mandatory"]}
    listed = api.get(path)
    assert [one["lago_id"] for one in listed["filters"]] == [first["lago_id"], second["lago_id"]]
    assert listed["meta"]["total_count"] == 2
    one = f"{path}/{first['lago_id']}"
    assert api.get(one)["filter"] == first
    changed = api.put(one, {"filter": {"invoice_display_name": "US", "properties": {"amount": "3"}}})["filter"]
    assert changed == {**first, "invoice_display_name": "US", "properties": {"amount": "3"}}
    assert refused(api, "PUT", one, {"filter": {"values": every["values"]}}) == {"values": ["value_already_exists"]}
    assert refused(api, "PUT", one, {"filter": {"values": {}}}) == {"values": ["value_is_mandatory"]}
    assert api.delete(one)["filter"] == changed
    assert api.get(one, 404)["code"] == "charge_filter_not_found"
    assert api.get(f"{path}/x", 404)["code"] == "charge_filter_not_found"
    assert api.get("/plans/p/charges/x/filters", 404)["code"] == "charge_not_found"
    assert len(api.get("/plans/p/charges/m")["charge"]["filters"]) == 1


WRONG: list[dict[str, Any]] = [
    {"filters": "x"},
    {"filters": [1, None, []]},
    {"filters": [{"values": {"region": {"a": 5}}}]},
    {"filters": [{"values": [1]}]},
    {"filters": [{"values": {"region": [10**40, True, None]}}]},
    {"filters": [{"values": {"region": ["us"]}, "properties": "x"}]},
    {"properties": [1]},
    {"properties": {"amount": {"a": 1}}},
    {"properties": {"amount": "9" * 5000}},
    {"properties": {"amount": "1e999999999"}},
    {"properties": {"amount": "1", "pricing_group_keys": {"a": 1}}},
    {"properties": {"amount": "1", "presentation_group_keys": [{"value": {}}]}},
    {"charge_model": "graduated", "properties": {"graduated_ranges": {"a": 1}}},
    {"charge_model": "graduated", "properties": {"graduated_ranges": [1, [2]]}},
    {"charge_model": "volume", "properties": {"volume_ranges": [{"from_value": {}, "to_value": []}]}},
    {
        "charge_model": "graduated",
        "properties": {
            "graduated_ranges": [{"from_value": 10**60, "to_value": None, "per_unit_amount": "1", "flat_amount": "0"}]
        },
    },
    {"charge_model": "package", "properties": {"amount": "1", "package_size": 10**300, "free_units": 10**300}},
    {"charge_model": ["standard"]},
    {"min_amount_cents": 10**40},
    {"min_amount_cents": "x"},
    {"id": {"a": 1}},
    {"code": "c" * 5000},
    {"applied_pricing_unit": {"conversion_rate": {"a": 1}}},
    {"applied_pricing_unit": {"conversion_rate": "NaN"}},
    {"applied_pricing_unit": [1]},
    {"tax_codes": [[1]]},
]


@pytest.mark.parametrize("fields", WRONG)
def test_no_input_is_a_fault(api: Api, fields: dict[str, Any]) -> None:
    allowed = (200, 400, 404, 422)
    body = {**charge(metric(api, filters=REGIONS)), **fields}
    api.post("/plans", {"plan": plan_body("a", charges=[body])}, allowed)
    plan(api, charges=[charge({"lago_id": body["billable_metric_id"]})])
    api.post("/plans/p/charges", {"charge": body}, allowed)
    api.put("/plans/p/charges/m", {"charge": body}, allowed)
    api.post("/plans/p/charges/m/filters", {"filter": {**values("us"), **fields}}, allowed)
    for item in fields["filters"] if isinstance(fields.get("filters"), list) else []:
        api.post("/plans/p/charges/m/filters", {"filter": item}, allowed)
