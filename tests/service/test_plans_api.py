"""Plans over HTTP: shapes, rules, deletion, metadata (subscriptions.md §1, api.md §9, §15.9)."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tallystick.flows.lifecycle import plans as lifecycle
from tallystick.flows.wire import plans as wire
from tallystick.ground.installation import Installation
from tallystick.ground.json import dumps
from tallystick.ground.tables import Plan, Subscription
from tallystick.rooms.catalog import plans
from tests.support.api import Api
from tests.support.catalog import charge, metric, plan, plan_body, refused, subscribe

BASE_KEYS = [
    *("lago_id", "name", "invoice_display_name", "created_at", "code", "interval", "description", "amount_cents"),
    *("amount_currency", "trial_period", "pay_in_advance", "bill_charges_monthly", "bill_fixed_charges_monthly"),
    *("customers_count", "active_subscriptions_count", "draft_invoices_count", "parent_id", "pending_deletion"),
]
MEMBERS = [
    *("charges", "fixed_charges", "entitlements", "usage_thresholds", "applicable_usage_thresholds", "taxes"),
]


def tax(api: Api, code: str = "vat") -> None:
    api.post("/taxes", {"tax": {"name": code, "code": code, "rate": "20"}})


def change(api: Api, **fields: Any) -> dict[str, Any]:
    changed: dict[str, Any] = api.put("/plans/p", {"plan": fields})["plan"]
    return changed


def test_shape_of_a_bare_plan(api: Api) -> None:
    made = plan(api)
    assert list(made) == [*BASE_KEYS, *MEMBERS]
    assert all(made[name] == [] for name in MEMBERS)
    assert made["pay_in_advance"] is False
    assert made["bill_charges_monthly"] is None
    assert api.get("/plans/p")["plan"] == made
    listed = api.get("/plans")
    assert listed["plans"] == [made]
    assert listed["meta"]["total_count"] == 1


def test_shape_of_a_full_plan(api: Api) -> None:
    tax(api)
    thresholds = [{"amount_cents": 100, "threshold_display_name": "first"}, {"amount_cents": 10, "recurring": True}]
    made = plan(
        api,
        interval="yearly",
        trial_period="7.5",
        tax_codes=["vat"],
        charges=[charge(metric(api), tax_codes=["vat"])],
        minimum_commitment={"amount_cents": 1000, "tax_codes": ["vat"]},
        usage_thresholds=thresholds,
        metadata={"a": None, "b": ""},
    )
    assert list(made) == [*BASE_KEYS, *MEMBERS, "minimum_commitment", "metadata"]
    assert made["trial_period"] == 7.5
    assert (made["bill_charges_monthly"], made["bill_fixed_charges_monthly"]) == (False, False)
    assert list(made["minimum_commitment"]) == [
        *("lago_id", "plan_code", "invoice_display_name", "amount_cents", "interval", "created_at", "updated_at"),
        "taxes",
    ]
    assert made["minimum_commitment"]["interval"] == "yearly"
    owners = [made, made["charges"][0], made["minimum_commitment"]]
    assert [[one["code"] for one in owner["taxes"]] for owner in owners] == [["vat"]] * 3
    assert "applied_to_billing_entities_codes" not in made["taxes"][0]
    assert list(made["usage_thresholds"][0]) == [
        *("lago_id", "threshold_display_name", "amount_cents", "recurring", "created_at", "updated_at"),
    ]
    assert made["applicable_usage_thresholds"] == [
        {"threshold_display_name": "first", "amount_cents": 100, "recurring": False},
        {"threshold_display_name": None, "amount_cents": 10, "recurring": True},
    ]
    assert made["metadata"] == {"a": None, "b": ""}


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"name": None, "code": " "}, {"name": ["value_is_mandatory"], "code": ["value_is_mandatory"]}),
        ({"interval": "daily"}, {"interval": ["value_is_invalid"]}),
        ({"interval": None}, {"interval": ["value_is_invalid"]}),
        ({"amount_cents": None}, {"amount_cents": ["value_is_mandatory"]}),
        ({"amount_cents": -1}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": 10**30}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": 1.5}, {"amount_cents": ["value_is_invalid"]}),
        ({"amount_currency": "XXX"}, {"amount_currency": ["value_is_invalid"]}),
        ({"amount_currency": None}, {"amount_currency": ["value_is_invalid"]}),
        ({"trial_period": "x"}, {"trial_period": ["value_is_invalid"]}),
        ({"trial_period": 10**15}, {"trial_period": ["value_is_out_of_range"]}),
        ({"minimum_commitment": {"invoice_display_name": "x"}}, {"amount_cents": ["value_is_mandatory"]}),
        ({"minimum_commitment": {"amount_cents": 0}}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"usage_thresholds": [{}]}, {"usage_thresholds": ["missing_amount_cents"]}),
        ({"usage_thresholds": [{"amount_cents": 0}]}, {"usage_thresholds": ["value_is_out_of_range"]}),
        ({"usage_thresholds": [{"amount_cents": 5}, {"amount_cents": 5}]}, {"usage_thresholds": ["duplicated_values"]}),
        (
            {"usage_thresholds": [{"amount_cents": n, "recurring": True} for n in (1, 2)]},
            {"usage_thresholds": ["multiple_recurring_thresholds"]},
        ),
        ({"metadata": {"k": 1}}, {"value": ["value for key 'k' must be empty or a String up to 255 characters"]}),
        ({"metadata": {"k" * 101: ""}}, {"value": [f"key '{'k' * 101}' must be a String up to 100 characters"]}),
        ({"metadata": {str(n): "" for n in range(51)}}, {"value": ["cannot have more than 50 keys"]}),
        ({"code": "c" * 3000}, {"code": ["value_is_too_long"]}),
    ],
)
def test_validation(api: Api, fields: dict[str, Any], details: dict[str, list[str]]) -> None:
    assert refused(api, "POST", "/plans", {"plan": {**plan_body(), **fields}}) == details


def test_code_is_unique_until_the_plan_is_deleted(api: Api) -> None:
    plan(api)
    plan(api, "q")
    assert refused(api, "POST", "/plans", {"plan": plan_body()}) == {"code": ["value_already_exist"]}
    assert refused(api, "PUT", "/plans/q", {"plan": {"code": "p"}}) == {"code": ["value_already_exist"]}
    assert api.delete("/plans/p")["plan"]["pending_deletion"] is True
    assert api.get("/plans/p", 404)["code"] == "plan_not_found"
    assert api.delete("/plans/p", 404)["code"] == "plan_not_found"
    plan(api)


def test_unknown_references(api: Api) -> None:
    for wrong in (str(uuid.uuid4()), "x", None, 7):
        body = {"plan": plan_body(charges=[{"billable_metric_id": wrong, "charge_model": "standard"}])}
        assert api.post("/plans", body, 404)["code"] == "billable_metrics_not_found"
    made = metric(api)
    for fields in (
        {"tax_codes": ["no"]},
        {"charges": [charge(made, tax_codes=["no"])]},
        {"minimum_commitment": {"amount_cents": 1, "tax_codes": ["no"]}},
    ):
        assert api.post("/plans", {"plan": plan_body(**fields)}, 404)["code"] == "tax_not_found"
    fixed = {"plan": plan_body(fixed_charges=[{"add_on_code": "no", "charge_model": "standard"}])}
    assert api.post("/plans", fixed, 404)["code"] == "add_ons_not_found"
    assert api.get("/plans")["plans"] == []


def test_metrics_of_another_organization_are_unknown(api: Api, running: Any) -> None:
    other = Api(running.url)
    made = metric(other)
    other.http.close()
    assert api.post("/plans", {"plan": plan_body(charges=[charge(made)])}, 404)["code"] == "billable_metrics_not_found"


def test_everything_changes_without_subscriptions(api: Api) -> None:
    tax(api)
    plan(api, charges=[charge(metric(api))])
    fields = {
        "name": "n",
        "code": "p",
        "invoice_display_name": "i",
        "description": "d",
        "amount_cents": 7,
        "interval": "yearly",
        "pay_in_advance": True,
        "amount_currency": "USD",
        "trial_period": 3.0,
        "bill_charges_monthly": True,
        "bill_fixed_charges_monthly": True,
    }
    changed = change(api, **fields, tax_codes=["vat"])
    assert {name: changed[name] for name in fields} == fields
    assert [one["code"] for one in changed["taxes"]] == ["vat"]
    assert len(changed["charges"]) == 1
    assert change(api, interval="monthly")["bill_charges_monthly"] is None
    assert change(api, tax_codes=[], trial_period=None, description=None)["taxes"] == []
    assert refused(api, "PUT", "/plans/p", {"plan": {"pay_in_advance": None}}) == {
        "pay_in_advance": ["value_is_invalid"]
    }
    assert refused(api, "PUT", "/plans/p", {"plan": {"name": None}}) == {"name": ["value_is_mandatory"]}


async def test_a_plan_with_a_subscription_keeps_its_rhythm(api: Api, installation: Installation) -> None:
    made = plan(api, charges=[charge(metric(api), properties={"amount": "1"})])
    await subscribe(installation, api, made["lago_id"], "terminated")
    kept = {
        "code": "x",
        "interval": "yearly",
        "pay_in_advance": True,
        "amount_currency": "USD",
        "trial_period": 3.0,
        "bill_charges_monthly": True,
    }
    item = {
        "id": made["charges"][0]["lago_id"],
        "charge_model": "package",
        "min_amount_cents": 5,
        "code": "y",
        "pay_in_advance": True,
        "properties": {"amount": "2"},
        "invoice_display_name": "shown",
    }
    changed = change(api, **kept, name="n", amount_cents=5, charges=[item])
    assert {name: changed[name] for name in kept} == {name: made[name] for name in kept}
    assert (changed["name"], changed["amount_cents"]) == ("n", 5)
    expected = {**made["charges"][0], "invoice_display_name": "shown"}
    assert changed["charges"] == [{**expected, "properties": {"amount": "2"}}]


def test_parts_are_replaced(api: Api) -> None:
    commitment = {"amount_cents": 10, "invoice_display_name": "c"}
    made = plan(api, minimum_commitment=commitment, usage_thresholds=[{"amount_cents": 1}, {"amount_cents": 2}])
    changed = change(api, minimum_commitment={"amount_cents": 11}, usage_thresholds=[{"amount_cents": 2}])
    assert changed["minimum_commitment"]["lago_id"] == made["minimum_commitment"]["lago_id"]
    assert changed["minimum_commitment"]["amount_cents"] == 11
    assert changed["minimum_commitment"]["invoice_display_name"] == "c"
    assert [one["lago_id"] for one in changed["usage_thresholds"]] == [made["usage_thresholds"][1]["lago_id"]]
    assert change(api, name="n")["minimum_commitment"]["amount_cents"] == 11
    changed = change(api, minimum_commitment={}, usage_thresholds=[])
    assert "minimum_commitment" not in changed
    assert changed["usage_thresholds"] == []


async def test_deletion_waits_for_what_cannot_end_yet(api: Api, installation: Installation) -> None:
    made = plan(api)
    await subscribe(installation, api, made["lago_id"], "incomplete")
    assert api.delete("/plans/p")["plan"]["pending_deletion"] is True
    assert api.get("/plans/p")["plan"]["pending_deletion"] is True
    assert api.delete("/plans/p", 404)["code"] == "plan_not_found"
    assert [one["code"] for one in api.get("/plans")["plans"]] == ["p"]


def test_metadata(api: Api) -> None:
    plan(api)
    path = "/plans/p/metadata"
    assert api.delete(f"{path}/a", 404)["code"] == "metadata_not_found"
    assert api.call("PATCH", path, {"metadata": {}}) == {"metadata": None}
    assert api.call("PATCH", path, {"metadata": {"a": "1"}}) == {"metadata": {"a": "1"}}
    assert api.put(path, {"metadata": {"b": None, "c": "3"}}) == {"metadata": {"a": "1", "b": None, "c": "3"}}
    assert api.post(path, {}) == {"metadata": {"a": "1", "b": None, "c": "3"}}
    assert api.delete(f"{path}/c") == {"metadata": {"a": "1", "b": None}}
    assert api.delete(f"{path}/unknown") == {"metadata": {"a": "1", "b": None}}
    assert api.post(path, {"metadata": {"z": "9"}}) == {"metadata": {"z": "9"}}
    assert api.get("/plans/p")["plan"]["metadata"] == {"z": "9"}
    assert api.delete(f"{path}/z") == {"metadata": {}}
    assert api.get("/plans/p")["plan"]["metadata"] == {}
    assert api.delete(path) == {"metadata": None}
    assert "metadata" not in api.get("/plans/p")["plan"]
    assert refused(api, "POST", path, {"metadata": {"k": 1}}) == {
        "value": ["value for key 'k' must be empty or a String up to 255 characters"]
    }
    assert api.post("/plans/none/metadata", {"metadata": {"k": 1}}, 404)["code"] == "plan_not_found"


async def override(installation: Installation, api: Api, asked: dict[str, Any]) -> Any:
    organization_id = uuid.UUID(api.organization["lago_id"])
    async with installation.database.begin() as tx:
        parent = await plans.find(tx, organization_id, "p")
        child = (await lifecycle.override(tx, parent, asked, parent.created_at)).written.plan
        [body] = await wire.plans(tx, [child])
    return json.loads(dumps(body))


def nameless(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "lago_id"}


async def test_override_inherits_what_it_does_not_name(api: Api, installation: Installation) -> None:
    tax(api)
    filters = [{"values": {"region": ["us"]}, "properties": {"amount": "9"}, "invoice_display_name": "US"}]
    made = plan(
        api,
        tax_codes=["vat"],
        trial_period=3,
        charges=[
            charge(
                metric(api, filters=[{"key": "region", "values": ["us"]}]),
                tax_codes=["vat"],
                filters=filters,
                properties={"amount": "1"},
            ),
            charge(metric(api, "other")),
        ],
        minimum_commitment={"amount_cents": 10, "tax_codes": ["vat"]},
        usage_thresholds=[{"amount_cents": 1}],
    )
    child = await override(installation, api, {"amount_cents": 55, "name": None})
    assert (child["amount_cents"], child["parent_id"], child["code"]) == (55, made["lago_id"], "p")
    assert child["trial_period"] == 3.0
    assert [one["code"] for one in child["taxes"]] == ["vat"]
    assert child["usage_thresholds"] == []
    assert child["applicable_usage_thresholds"] == made["applicable_usage_thresholds"]
    assert [one["lago_parent_id"] for one in child["charges"]] == [one["lago_id"] for one in made["charges"]]
    for own, parent in zip(child["charges"], made["charges"], strict=True):
        assert own["lago_id"] != parent["lago_id"]
        assert (own["code"], own["properties"], own["taxes"]) == (parent["code"], parent["properties"], parent["taxes"])
        assert [{**one, "lago_id": ""} for one in own["filters"]] == [
            {**one, "lago_id": ""} for one in parent["filters"]
        ]
    assert child["minimum_commitment"]["amount_cents"] == 10
    assert [one["code"] for one in child["minimum_commitment"]["taxes"]] == ["vat"]
    assert api.get("/plans")["meta"]["total_count"] == 1


async def test_override_of_charges(api: Api, installation: Installation) -> None:
    tax(api)
    made = plan(
        api,
        charges=[
            charge(metric(api, filters=[{"key": "region", "values": ["us", "eu"]}]), properties={"amount": "1"}),
            charge(metric(api, "other"), "package", properties={"amount": "5", "package_size": 2, "free_units": 0}),
        ],
        minimum_commitment={"amount_cents": 10},
    )
    asked = {
        "charges": [
            {
                "id": made["charges"][0]["lago_id"],
                "properties": {"amount": "3"},
                "min_amount_cents": 7,
                "charge_model": "package",
                "tax_codes": ["vat"],
                "invoice_display_name": "shown",
                "filters": [{"values": {"region": ["eu"]}, "properties": {"amount": "4"}}],
            },
            {"id": str(uuid.uuid4()), "properties": {"amount": "x"}},
        ],
        "minimum_commitment": {"amount_cents": 20},
        "usage_thresholds": [{"amount_cents": 5}],
        "tax_codes": ["vat"],
    }
    child = await override(installation, api, asked)
    first, second = child["charges"]
    assert (first["charge_model"], first["properties"], first["min_amount_cents"]) == ("standard", {"amount": "3"}, 7)
    assert [one["code"] for one in first["taxes"]] == ["vat"]
    assert [(one["values"], one["properties"]) for one in first["filters"]] == [({"region": ["eu"]}, {"amount": "4"})]
    assert second["properties"] == made["charges"][1]["properties"]
    assert child["minimum_commitment"]["amount_cents"] == 20
    assert [one["amount_cents"] for one in child["usage_thresholds"]] == [5]


async def test_children_are_deleted_with_their_parent(api: Api, installation: Installation) -> None:
    plan(api)
    child = await override(installation, api, {"amount_cents": 1})
    used = await subscribe(installation, api, child["lago_id"], "incomplete")
    api.delete("/plans/p")
    assert api.get("/plans/p")["plan"]["pending_deletion"] is True
    async with installation.database.begin() as tx:
        (await tx.get_one(Subscription, used)).status = "canceled"
        await tx.flush()
        row = await tx.get_one(Plan, uuid.UUID(child["lago_id"]))
        parent_id = row.parent_id
        assert row.pending_deletion
        assert parent_id is not None
        assert len(await lifecycle.complete_deletion(tx, [parent_id], row.created_at)) == 2
    assert api.get("/plans/p", 404)["code"] == "plan_not_found"


DEEP: Any = {}
for _ in range(150):
    DEEP = {"a": [DEEP]}


@pytest.mark.parametrize(
    "fields",
    [
        {"charges": "x"},
        {"charges": [1, None, [], "x"]},
        {"charges": [{"filters": [1]}]},
        {"charges": {"a": 1}},
        {"tax_codes": [{}]},
        {"tax_codes": "x"},
        {"tax_codes": [None]},
        {"amount_cents": []},
        {"amount_cents": 10**200},
        {"name": {"a": 1}},
        {"trial_period": {}},
        {"trial_period": "1e400"},
        {"minimum_commitment": [1]},
        {"minimum_commitment": {"amount_cents": "x"}},
        {"usage_thresholds": {"a": 1}},
        {"usage_thresholds": [1]},
        {"usage_thresholds": [{"amount_cents": 2**70}]},
        {"fixed_charges": [1]},
        {"fixed_charges": 3},
        {"metadata": [1]},
        {"metadata": {"a": {"b": 1}}},
        {"metadata": DEEP},
        {"interval": 7},
        {"pay_in_advance": "maybe"},
        {"name": "a\x00b"},
    ],
)
def test_no_input_is_a_fault(api: Api, fields: dict[str, Any]) -> None:
    api.post("/plans", {"plan": {**plan_body(), **fields}}, (200, 400, 404, 422))
    plan(api, "q")
    api.put("/plans/q", {"plan": fields}, (200, 400, 404, 422))
