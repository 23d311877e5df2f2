"""Fixed charges over HTTP: fields, refusals, rules of plans with subscriptions, overrides, updates that cascade."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.billing import add_on, invoices
from tests.support.catalog import charge, metric, plan, refused
from tests.support.fixed_charges import fixed, lines, shop
from tests.support.subscriptions import change, customer, listen, subscribe, told

PATH = "/plans/p/fixed_charges"
RANGES = [{"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "0"}]
VOLUME = {"charge_model": "volume", "properties": {"volume_ranges": RANGES}}
GRADUATED = {"charge_model": "graduated", "properties": {"graduated_ranges": RANGES}}


@pytest.fixture
def store(api: Api) -> Api:
    """An organization with an add-on and a plan with one fixed charge."""
    api.at("2025-01-01T00:00:00Z")
    shop(api, fixed())
    return api


def of_plan(api: Api, code: str = "p") -> list[dict[str, Any]]:
    """The fixed charges of a plan."""
    found: list[dict[str, Any]] = api.get(f"/plans/{code}")["plan"]["fixed_charges"]
    return found


def test_shape(store: Api) -> None:
    (row,) = of_plan(store)
    assert row == {
        "lago_id": row["lago_id"],
        "lago_add_on_id": store.get("/add_ons/seat")["add_on"]["lago_id"],
        "code": "seat",
        "invoice_display_name": "",
        "add_on_code": "seat",
        "created_at": "2025-01-01T00:00:00Z",
        "charge_model": "standard",
        "pay_in_advance": False,
        "prorated": False,
        "properties": {"amount": "10"},
        "units": "10.0",
        "lago_parent_id": None,
        "taxes": [],
    }
    assert store.get("/plans")["plans"][0]["fixed_charges"] == [row]
    assert store.get(f"{PATH}/seat")["fixed_charge"] == row
    assert store.get(PATH)["fixed_charges"] == [row]


def test_create_change_delete(store: Api) -> None:
    store.post("/taxes", {"tax": {"name": "vat", "code": "vat", "rate": 20}})
    add_on_id = store.get("/add_ons/seat")["add_on"]["lago_id"]
    body = {"add_on_id": add_on_id, "charge_model": "standard", "prorated": True, "tax_codes": ["vat"]}
    made = store.post(PATH, {"fixed_charge": body})["fixed_charge"]
    assert (made["code"], made["units"], made["properties"]) == ("seat_2", "0.0", {"amount": "0"})
    assert [tax["code"] for tax in made["taxes"]] == ["vat"]
    fields = {"units": "2.5", "invoice_display_name": "Seats", "code": "own", "prorated": False, "tax_codes": []}
    changed = store.put(f"{PATH}/seat_2", {"fixed_charge": fields})["fixed_charge"]
    assert (changed["code"], changed["units"], changed["invoice_display_name"]) == ("own", "2.5", "Seats")
    assert (changed["prorated"], changed["taxes"]) == (True, [])
    assert {row["code"] for row in store.get(PATH)["fixed_charges"]} == {"own", "seat"}
    assert store.delete(f"{PATH}/own")["fixed_charge"]["code"] == "own"
    assert store.get(f"{PATH}/own", 404)["code"] == "fixed_charge_not_found"
    assert store.put(f"{PATH}/own", {"fixed_charge": {"units": 1}}, 404)["code"] == "fixed_charge_not_found"


@pytest.mark.parametrize(
    ("more", "details"),
    [
        ({"units": -1}, {"units": ["value_is_out_of_range"]}),
        ({"charge_model": "package"}, {"charge_model": ["value_is_invalid"]}),
        ({"charge_model": None}, {"charge_model": ["value_is_invalid"]}),
        ({**VOLUME, "pay_in_advance": True}, {"pay_in_advance": ["invalid_charge_model"]}),
        ({**GRADUATED, "pay_in_advance": True, "prorated": True}, {"prorated": ["invalid_charge_model"]}),
        ({"properties": {"amount": 10}}, {"properties": ["invalid_amount"]}),
        ({"code": "seat"}, {"code": ["value_already_exist"]}),
    ],
)
def test_refusals(store: Api, more: dict[str, Any], details: dict[str, list[str]]) -> None:
    assert refused(store, "POST", PATH, {"fixed_charge": {**fixed(), **more}}) == details


def test_unknown_add_ons(store: Api) -> None:
    body = {"charge_model": "standard", "properties": {"amount": "1"}}
    for named in ({}, {"add_on_code": "x"}, {"add_on_id": "x"}):
        assert store.post(PATH, {"fixed_charge": {**body, **named}}, 404)["code"] == "add_on_not_found"
        new = {"name": "n", "code": "n", "interval": "monthly", "amount_cents": 1, "amount_currency": "EUR"}
        answer = store.post("/plans", {"plan": {**new, "fixed_charges": [{**body, **named}]}}, 404)
        assert answer["code"] == "add_ons_not_found"


def test_the_list_of_a_plan_replaces(store: Api) -> None:
    (row,) = of_plan(store)
    store.put("/plans/p", {"plan": {"name": "n"}})
    assert len(of_plan(store)) == 1
    items = [{"id": row["lago_id"], "units": 3}, fixed(units=1)]
    after = store.put("/plans/p", {"plan": {"fixed_charges": items}})["plan"]["fixed_charges"]
    assert [(one["code"], one["units"]) for one in after] == [("seat", "3.0"), ("seat_2", "1.0")]
    assert store.put("/plans/p", {"plan": {"fixed_charges": []}})["plan"]["fixed_charges"] == []


def test_plans_with_subscriptions_keep_models_and_codes(store: Api) -> None:
    (row,) = of_plan(store)
    fields = {"charge_model": "volume", "code": "x", "units": 4, "properties": {"amount": "2"}, "pay_in_advance": True}
    assert store.put(f"{PATH}/seat", {"fixed_charge": {**fields, **VOLUME, "code": "y"}})["fixed_charge"]["code"] == "y"
    store.put(f"{PATH}/y", {"fixed_charge": {"charge_model": "standard", "code": "seat"}})
    customer(store)
    subscribe(store)
    after = store.put(f"{PATH}/seat", {"fixed_charge": fields})["fixed_charge"]
    assert (after["charge_model"], after["code"], after["pay_in_advance"]) == ("standard", "seat", False)
    assert (after["units"], after["properties"]) == ("4.0", {"amount": "2"})
    assert after["lago_id"] == row["lago_id"]


def test_subscription_routes(store: Api) -> None:
    customer(store)
    subscribe(store)
    path = "/subscriptions/s/fixed_charges"
    assert store.get(path)["fixed_charges"] == of_plan(store)
    own = store.put(f"{path}/seat", {"fixed_charge": {"units": 7}})["fixed_charge"]
    assert (own["units"], own["lago_parent_id"]) == ("7.0", None)
    assert store.get(f"{path}/seat")["fixed_charge"]["units"] == "7.0"
    assert of_plan(store)[0]["units"] == "10.0"
    assert refused(store, "PUT", f"{path}/seat", {"fixed_charge": {"units": -7}}) == {
        "units": ["value_is_out_of_range"]
    }
    priced = store.put(f"{path}/seat", {"fixed_charge": {"properties": {"amount": "9"}}})["fixed_charge"]
    assert (priced["units"], priced["properties"]) == ("7.0", {"amount": "9"})
    assert priced["lago_parent_id"] == of_plan(store)[0]["lago_id"]
    again = store.put(f"{path}/seat", {"fixed_charge": {"units": 8}})["fixed_charge"]
    assert (again["lago_id"], again["units"]) == (priced["lago_id"], "8.0")
    assert store.put(f"{path}/seat", {"fixed_charge": {"charge_model": "volume"}}, 403)["code"] == (
        "cannot_override_charge_model"
    )
    assert store.get(f"{path}/x", 404)["code"] == "fixed_charge_not_found"
    assert store.get("/subscriptions/x/fixed_charges", 404)["code"] == "subscription_not_found"
    assert store.get(f"{path}?subscription_status=terminated", 404)["code"] == "subscription_not_found"


def test_taxes_are_inherited_and_overridden(store: Api) -> None:
    for code in ("a", "b"):
        store.post("/taxes", {"tax": {"name": code, "code": code, "rate": 10}})
    store.put(f"{PATH}/seat", {"fixed_charge": {"tax_codes": ["a"]}})
    store.put("/plans/p", {"plan": {"tax_codes": ["b"]}})
    customer(store)
    subscribe(store, plan_overrides={"amount_cents": 5})
    (own,) = store.get("/subscriptions/s/fixed_charges")["fixed_charges"]
    assert [tax["code"] for tax in own["taxes"]] == ["a"]
    store.put("/subscriptions/s/fixed_charges/seat", {"fixed_charge": {"tax_codes": ["b", "a"]}})
    (own,) = store.get("/subscriptions/s/fixed_charges")["fixed_charges"]
    assert {tax["code"] for tax in own["taxes"]} == {"a", "b"}


async def test_messages_of_fees_paid_in_advance(api: Api, installation: Installation) -> None:
    api.at("2025-01-01T00:00:00Z")
    shop(api, fixed(pay_in_advance=True))
    customer(api)
    listen(api)
    await told(installation, api)
    subscribe(api)
    assert [name for name, _ in await told(installation, api)] == [
        "subscription.started",
        "fee.created",
        "invoice.created",
    ]
    body = {"fixed_charge": {"units": 12, "apply_units_immediately": True}}
    api.put("/subscriptions/s/fixed_charges/seat", body)
    sent = await told(installation, api)
    assert [name for name, _ in sent] == ["subscription.updated", "fee.created", "invoice.created"]
    assert sent[1][1] == invoices(api)[1]["fees"][0]["lago_id"]


def child(api: Api, external_id: str = "s", **overrides: Any) -> dict[str, Any]:
    """A subscription on an override of the plan."""
    customer(api, external_id)
    return subscribe(api, of=external_id, external_id=external_id, plan_overrides={"description": "own", **overrides})


def charges_of(api: Api, external_id: str = "s") -> list[dict[str, Any]]:
    """The charges of a subscription's own plan."""
    found: list[dict[str, Any]] = api.get(f"/subscriptions/{external_id}")["subscription"]["plan"]["charges"]
    return found


def test_amounts_cascade_where_they_agree(store: Api) -> None:
    child(store, "same")
    child(store, "other", amount_cents=77)
    store.put("/plans/p", {"plan": {"amount_cents": 500}})
    assert store.get("/subscriptions/same")["subscription"]["plan"]["amount_cents"] == 0
    store.put("/plans/p", {"plan": {"amount_cents": 0}})
    store.put("/plans/p", {"plan": {"amount_cents": 500, "cascade_updates": True}})
    assert store.get("/subscriptions/same")["subscription"]["plan"]["amount_cents"] == 500
    assert store.get("/subscriptions/other")["subscription"]["plan"]["amount_cents"] == 77


def test_fixed_charges_cascade(store: Api) -> None:
    (row,) = of_plan(store)
    child(store, "same")
    child(store, "other", fixed_charges=[{"id": row["lago_id"], "units": 3, "invoice_display_name": "x"}])
    item = {"id": row["lago_id"], "units": 20, "properties": {"amount": "2"}, "apply_units_immediately": True}
    new = fixed(units=1, code="new")
    store.put("/plans/p", {"plan": {"fixed_charges": [item, new], "cascade_updates": True}})
    same = {one["code"]: one for one in store.get("/subscriptions/same/fixed_charges")["fixed_charges"]}
    other = {one["code"]: one for one in store.get("/subscriptions/other/fixed_charges")["fixed_charges"]}
    assert (same["seat"]["units"], same["seat"]["properties"]) == ("20.0", {"amount": "2"})
    assert (other["seat"]["units"], other["seat"]["properties"]) == ("3.0", {"amount": "10"})
    parent = {one["code"]: one["lago_id"] for one in of_plan(store)}
    assert {found["new"]["lago_parent_id"] for found in (same, other)} == {parent["new"]}
    store.at("2025-02-01T00:00:00Z")
    (invoice,) = invoices(store, "same")
    assert lines(invoice)[0] == ("20.0", 4000)
    store.put("/plans/p", {"plan": {"fixed_charges": [{"id": row["lago_id"]}], "cascade_updates": True}})
    assert [one["code"] for one in store.get("/subscriptions/same/fixed_charges")["fixed_charges"]] == ["seat"]


def test_own_endpoints_cascade_when_asked(store: Api) -> None:
    child(store)
    store.put(f"{PATH}/seat", {"fixed_charge": {"units": 4}})
    store.post(PATH, {"fixed_charge": fixed(code="a")})
    assert [one["units"] for one in store.get("/subscriptions/s/fixed_charges")["fixed_charges"]] == ["10.0"]
    store.post(PATH, {"fixed_charge": {**fixed(code="b"), "cascade_updates": True}})
    store.put(f"{PATH}/b", {"fixed_charge": {"units": 6, "cascade_updates": True}})
    found = {one["code"]: one["units"] for one in store.get("/subscriptions/s/fixed_charges")["fixed_charges"]}
    assert found == {"seat": "10.0", "b": "6.0"}
    store.delete(f"{PATH}/b?cascade_updates=true")
    assert len(store.get("/subscriptions/s/fixed_charges")["fixed_charges"]) == 1


def test_charges_cascade(api: Api) -> None:
    api.at("2025-01-01T00:00:00Z")
    calls = metric(api, "calls", filters=[{"key": "region", "values": ["eu", "us", "asia"]}])
    eu = {"values": {"region": ["eu"]}, "properties": {"amount": "5"}}
    made = plan(api, charges=[charge(calls, properties={"amount": "1"}, filters=[eu])])
    row = made["charges"][0]
    child(api, "same")
    child(api, "other", charges=[{"id": row["lago_id"], "properties": {"amount": "9"}}])
    filters = [{**eu, "properties": {"amount": "6"}}, {"values": {"region": ["us"]}, "properties": {"amount": "7"}}]
    properties = {"amount": "2", "pricing_group_keys": ["user"]}
    item = {"id": row["lago_id"], "billable_metric_id": calls["lago_id"], "charge_model": "standard"}
    items = [{**item, "properties": properties, "filters": filters}, charge(calls, properties={"amount": "3"})]
    api.put("/plans/p", {"plan": {"charges": items, "cascade_updates": True}})
    same, new = charges_of(api, "same")
    assert same["properties"]["amount"] == "2"
    assert same["properties"]["pricing_group_keys"] == ["user"]
    found = {one["values"]["region"][0]: one["properties"]["amount"] for one in same["filters"]}
    assert found == {"eu": "6", "us": "7"}
    assert (new["properties"], new["code"]) == ({"amount": "3"}, "calls_2")
    other, _ = charges_of(api, "other")
    assert other["properties"]["amount"] == "9"
    assert other["properties"]["pricing_group_keys"] == ["user"]
    api.put("/plans/p/charges/calls", {"charge": {"filters": [filters[1]], "cascade_updates": True}})
    assert [one["values"]["region"] for one in charges_of(api, "same")[0]["filters"]] == [["us"]]
    api.delete("/plans/p/charges/calls?cascade_updates=true")
    assert [one["code"] for one in charges_of(api, "same")] == ["calls_2"]


def test_an_add_on_that_is_gone_is_still_shown(store: Api) -> None:
    store.delete("/add_ons/seat")
    assert of_plan(store)[0]["add_on_code"] == "seat"
    add_on(store, "seat", 1000)
    customer(store)
    subscribe(store)
    change(store, plan_overrides={"amount_cents": 1})
    assert store.get("/subscriptions/s/fixed_charges")["fixed_charges"][0]["add_on_code"] == "seat"
