"""Subscriptions over HTTP: decisions, errors, the row a route takes, lists, edits and ends (subscriptions.md §2)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.catalog import charge, metric, plan, refused
from tests.support.subscriptions import at, body, change, customer, due, found, listen, subscribe, told

NOW = "2025-05-11T09:00:00Z"

BASE = [
    *("lago_id", "external_id", "lago_customer_id", "external_customer_id", "billing_entity_code", "name", "plan_code"),
    *("plan_amount_cents", "plan_amount_currency", "status", "billing_time", "subscription_at", "started_at"),
    *("trial_ended_at", "ending_at", "terminated_at", "canceled_at", "created_at", "previous_plan_code"),
    *("next_plan_code", "downgrade_plan_date", "current_billing_period_started_at"),
    *("current_billing_period_ending_at", "on_termination_credit_note", "on_termination_invoice"),
    *("progressive_billing_disabled", "consolidate_invoice", "purchase_order_number", "cancellation_reason"),
    "activated_at",
]
THRESHOLDS, SECTIONS = "applicable_usage_thresholds", "applied_invoice_custom_sections"


@pytest.fixture
async def world(api: Api, installation: Installation) -> Api:
    """11 May 2025 with plans of 100, 500 and 1000 a month, arrears, and a customer."""
    await at(installation, api, NOW)
    plan(api, "small")
    plan(api, "p", amount_cents=500)
    plan(api, "large", amount_cents=1000)
    customer(api)
    return api


def reasons(api: Api) -> list[list[str]]:
    """Why each invoice was made, oldest first."""
    rows = api.get("/invoices")["invoices"]
    full = [api.get(f"/invoices/{row['lago_id']}")["invoice"] for row in reversed(rows)]
    return [[period["invoicing_reason"] for period in row["billing_periods"]] for row in full]


def of_status(*values: str) -> dict[str, Any]:
    """The filter of lists."""
    return {"status[]": list(values)}


# -- shapes (api.md §15.16) ---------------------------------------------------------------------------


def test_shapes_of_the_answers(world: Api) -> None:
    made = subscribe(world)
    tail = ["payment_method", "plan", THRESHOLDS, SECTIONS, "activation_rules"]
    assert list(made) == [*BASE, "entitlements", *tail]
    assert list(world.get("/subscriptions/s")["subscription"]) == [*BASE, "entitlements", *tail]
    assert list(change(world, name="n")) == [*BASE, *tail]
    listed = world.get("/subscriptions")["subscriptions"]
    assert [list(row) for row in listed] == [[*BASE, "payment_method", "activation_rules"]]
    ended = world.delete("/subscriptions/s")["subscription"]
    assert list(ended) == [*BASE, "payment_method", "plan", SECTIONS, "activation_rules"]


def test_a_new_subscription(world: Api) -> None:
    made = subscribe(world, external_id="  s ", name="Team", purchase_order_number=" 4711 ", consolidate_invoice=False)
    assert {key: made[key] for key in BASE[3:] if made[key] is not None} == {
        "external_customer_id": "c",
        "billing_entity_code": made["billing_entity_code"],
        "name": "Team",
        "plan_code": "p",
        "plan_amount_cents": 500,
        "plan_amount_currency": "EUR",
        "status": "active",
        "billing_time": "calendar",
        "subscription_at": NOW,
        "started_at": "2025-05-11T09:00:00.000Z",
        "created_at": NOW,
        "current_billing_period_started_at": NOW,
        "current_billing_period_ending_at": "2025-05-31T23:59:59Z",
        "on_termination_invoice": "generate",
        "progressive_billing_disabled": False,
        "consolidate_invoice": False,
        "purchase_order_number": "4711",
        "activated_at": NOW,
    }
    assert made["payment_method"] == {"payment_method_id": None, "payment_method_type": "provider"}
    assert made["external_id"] == "s"


def test_an_unknown_customer_is_created(world: Api) -> None:
    made = subscribe(world, of="new", external_id="s2")
    seen = world.get("/customers/new")["customer"]
    assert (seen["lago_id"], seen["currency"]) == (made["lago_customer_id"], "EUR")


# -- errors of create (§2.3) --------------------------------------------------------------------------

IN_ORDER: list[tuple[dict[str, Any], dict[str, list[str]]]] = [
    ({"external_customer_id": " "}, {"external_customer_id": ["value_is_mandatory"]}),
    ({"external_id": " "}, {"external_id": ["value_is_mandatory"]}),
    ({"billing_time": "lunar"}, {"billing_time": ["value_is_invalid"]}),
    ({"subscription_at": "soon"}, {"subscription_at": ["invalid_date"]}),
    ({"ending_at": "soon"}, {"ending_at": ["invalid_date"]}),
    ({"ending_at": "2025-05-11T23:00:00Z"}, {"ending_at": ["invalid_date"]}),
    ({"subscription_at": "2025-06-10", "ending_at": "2025-06-10T10:00:00Z"}, {"ending_at": ["invalid_date"]}),
    ({"on_termination_invoice": "burn"}, {"on_termination_invoice": ["invalid_value"]}),
    ({"on_termination_credit_note": "burn"}, {"on_termination_credit_note": ["invalid_value"]}),
    ({"payment_method": {"payment_method_type": "gold"}}, {"payment_method": ["invalid_payment_method"]}),
    ({"payment_method": {"payment_method_id": str(uuid.uuid4())}}, {"payment_method": ["invalid_payment_method"]}),
    ({"purchase_order_number": "x" * 256}, {"purchase_order_number": ["value_is_too_long"]}),
    ({"activation_rules": {"type": "payment"}}, {"activation_rules": ["invalid_format"]}),
    ({"activation_rules": ["payment"]}, {"activation_rules": ["invalid_format"]}),
    ({"activation_rules": [{"type": "moon"}]}, {"activation_rules": ["invalid_type"]}),
    ({"activation_rules": [{"type": "payment"}] * 2}, {"activation_rules": ["duplicated_type"]}),
    (
        {"activation_rules": [{"type": "payment", "timeout_hours": -1}]},
        {"timeout_hours": ["value_must_be_positive_or_zero"]},
    ),
    ({"activation_rules": [{"type": "payment", "timeout_hours": 1}]}, {"customer": ["no_linked_payment_provider"]}),
    (
        {"usage_thresholds": [{"amount_cents": 1}], "plan_overrides": {"usage_thresholds": [{"amount_cents": 2}]}},
        {"usage_thresholds": ["incompatible_params"], "plan_overrides.usage_thresholds": ["incompatible_params"]},
    ),
    ({"plan_overrides": {"amount_cents": -1}}, {"amount_cents": ["value_is_out_of_range"]}),
]


@pytest.mark.parametrize(("fields", "details"), IN_ORDER)
def test_refused(world: Api, fields: dict[str, Any], details: dict[str, list[str]]) -> None:
    asked = body()
    asked["subscription"].update(fields)
    assert refused(world, "POST", "/subscriptions", asked) == details
    assert world.get("/subscriptions", **of_status("any"))["subscriptions"] == []


def test_the_plan_is_looked_up_before_the_rest_is_read(world: Api) -> None:
    asked = body("none", subscription_at="soon")
    assert world.post("/subscriptions", asked, 404)["code"] == "plan_not_found"
    asked["subscription"]["external_customer_id"] = ""
    assert refused(world, "POST", "/subscriptions", asked) == {"external_customer_id": ["value_is_mandatory"]}
    asked = body(billing_entity_code="none")
    assert world.post("/subscriptions", asked, 404)["code"] == "billing_entity_not_found"


def test_rules_are_refused_by_what_the_customer_can_pay_with(world: Api) -> None:
    billing = {"payment_provider": "stripe", "payment_provider_code": "x", "provider_customer_id": "cus_1"}
    customer(world, "paying", billing_configuration=billing)
    rules: dict[str, Any] = {"activation_rules": [{"type": "payment", "timeout_hours": "0"}]}
    asked = body(of="paying", **rules)
    assert refused(world, "POST", "/subscriptions", asked) == {"customer": ["no_default_payment_method"]}
    asked["subscription"]["payment_method"] = {"payment_method_type": "manual"}
    assert refused(world, "POST", "/subscriptions", asked) == {
        "customer": ["manual_payment_method_invalid_for_payment_activation_rules"]
    }
    past = subscribe(world, **rules, subscription_at="2025-05-10")
    assert (past["status"], past["activation_rules"]) == ("active", [])


def test_an_external_id_runs_once_in_an_organization(world: Api) -> None:
    subscribe(world)
    asked = body(of="other")
    assert refused(world, "POST", "/subscriptions", asked) == {"external_id": ["value_already_exist"]}


@pytest.mark.parametrize(
    "fields",
    [
        {"ending_at": 5},
        {"name": ["x"]},
        {"payment_method": "x"},
        {"payment_method": {"payment_method_type": ["x"]}},
        {"plan_overrides": []},
        {"plan_overrides": {"trial_period": 10**8}},
        {"subscription_at": "0001-01-01"},
        {"subscription_at": "9999-12-31T23:59:59Z"},
        {"subscription_at": "8999-12-31T23:59:59Z"},
        {"subscription_at": "1900-01-31", "billing_time": "anniversary"},
        {"ending_at": "8999-12-31"},
        {"activation_rules": 7},
        {"usage_thresholds": {"a": 1}},
        {"external_id": {"a": 1}},
        {"purchase_order_number": {"a": 1}},
        {"plan_code": ["p"]},
        {"billing_entity_code": 12},
    ],
)
def test_strange_input_is_answered(world: Api, fields: dict[str, Any]) -> None:
    asked = body()
    asked["subscription"].update(fields)
    world.post("/subscriptions", asked, (200, 404, 422))
    world.put("/subscriptions/s", {"subscription": fields}, (200, 404, 405, 422))


# -- the decision (§2.3) ------------------------------------------------------------------------------


def test_the_same_plan_changes_nothing(world: Api) -> None:
    first = subscribe(world, name="a")
    subscribe(world, "small")
    again = subscribe(world, name="b", ending_at="2025-12-01", plan_overrides={"amount_cents": 7})
    assert (again["lago_id"], again["name"], again["ending_at"]) == (first["lago_id"], "a", None)
    assert again["next_plan_code"] == "small"


def test_a_start_to_come_changes_its_plan_in_place(world: Api) -> None:
    first = subscribe(world, subscription_at="2025-06-10", name="a")
    assert (first["status"], first["started_at"], first["current_billing_period_started_at"]) == ("pending", None, None)
    again = subscribe(world, "large", plan_overrides={"amount_cents": 7}, subscription_at="2025-07-01")
    assert (again["lago_id"], again["plan_code"], again["plan_amount_cents"]) == (first["lago_id"], "large", 1000)
    assert (again["name"], again["subscription_at"]) == ("a", "2025-06-10T00:00:00Z")


@pytest.mark.parametrize(
    ("plan_code", "overrides", "upgraded"),
    [
        ("large", {}, True),
        ("small", {}, False),
        ("equal", {}, True),
        ("weekly", {}, True),
        ("yearly", {}, False),
        ("small", {"amount_cents": 501}, True),
        ("large", {"amount_cents": 499, "amount_currency": "JPY"}, False),
    ],
)
def test_dearer_or_equal_at_once_cheaper_later(
    world: Api, plan_code: str, overrides: dict[str, Any], upgraded: bool
) -> None:
    plan(world, "equal", amount_cents=500)
    plan(world, "weekly", amount_cents=116, interval="weekly")  # 52 weeks: 6032 a year
    plan(world, "yearly", amount_cents=5999, interval="yearly")
    first = subscribe(world, "p")
    asked = subscribe(world, plan_code, plan_overrides=overrides) if overrides else subscribe(world, plan_code)
    if upgraded:
        assert (asked["plan_code"], asked["previous_plan_code"], asked["status"]) == (plan_code, "p", "active")
        assert asked["lago_id"] != first["lago_id"]
        assert found(world, status="terminated")["next_plan_code"] == plan_code
    else:
        assert (asked["lago_id"], asked["plan_code"], asked["next_plan_code"]) == (first["lago_id"], "p", plan_code)
        assert asked["downgrade_plan_date"] == "2025-06-01"
        assert found(world, status="pending")["previous_plan_code"] == "p"


def test_the_parent_plan_is_another_plan_than_the_override(world: Api) -> None:
    first = subscribe(world, plan_overrides={"amount_cents": 500, "name": "special"})
    assert (first["plan_code"], first["plan"]["parent_id"] is None, first["plan"]["name"]) == ("p", False, "special")
    again = subscribe(world)
    assert (again["plan"]["parent_id"], again["previous_plan_code"]) == (None, "p")


def test_what_a_new_row_takes_over(world: Api) -> None:
    world.post("/billing_entities", {"billing_entity": {"code": "north", "name": "North"}})
    subscribe(
        world,
        name="n",
        billing_time="anniversary",
        ending_at="2026-01-01",
        consolidate_invoice=False,
        purchase_order_number="1",
        billing_entity_code="north",
        progressive_billing_disabled=True,
        payment_method={"payment_method_type": "manual"},
        on_termination_invoice="skip",
    )
    row = subscribe(world, "large", billing_time="calendar", subscription_at="2025-01-01")
    kept = ("billing_time", "subscription_at", "ending_at", "consolidate_invoice", "purchase_order_number")
    assert [row[name] for name in kept] == ["anniversary", NOW, "2026-01-01T00:00:00Z", False, "1"]
    assert row["billing_entity_code"] == "north"
    dropped = ("name", "progressive_billing_disabled", "on_termination_invoice")
    assert [row[name] for name in dropped] == [None, False, "generate"]
    assert row["payment_method"]["payment_method_type"] == "provider"
    given = subscribe(world, "small", ending_at="2026-02-01", purchase_order_number="2", name="m")
    assert given["ending_at"] == "2026-01-01T00:00:00Z"
    coming = found(world, status="pending")
    assert (coming["ending_at"], coming["purchase_order_number"], coming["name"]) == ("2026-02-01T00:00:00Z", "2", "m")


async def test_only_the_last_request_counts(world: Api, installation: Installation) -> None:
    plan(world, "tiny", amount_cents=50)
    listen(world)
    current = subscribe(world)["lago_id"]
    await told(installation, world)
    subscribe(world, "small")
    first = found(world, status="pending")["lago_id"]
    subscribe(world, "tiny")
    assert found(world, status="canceled")["lago_id"] == first
    assert found(world)["next_plan_code"] == "tiny"
    assert await told(installation, world) == [("subscription.updated", current)] * 2
    upgraded = subscribe(world, "large")["lago_id"]
    assert world.get("/subscriptions", **of_status("pending"))["subscriptions"] == []
    assert (await told(installation, world))[:2] == [
        ("subscription.terminated", current),
        ("subscription.started", upgraded),
    ]


async def test_downgrades_follow_the_prices(world: Api, installation: Installation) -> None:
    """§1.3: p costs 500 and small 100; each is repriced while a downgrade from p to small waits."""
    first = subscribe(world)
    subscribe(world, "small")
    listen(world)
    world.put("/plans/p", {"plan": {"amount_cents": 101}})
    assert found(world)["next_plan_code"] == "small"
    world.put("/plans/small", {"plan": {"amount_cents": 100, "name": "same price"}})
    assert found(world)["lago_id"] == first["lago_id"]
    world.put("/plans/p", {"plan": {"amount_cents": 99}})
    assert (found(world)["next_plan_code"], found(world, status="canceled")["plan_code"]) == (None, "small")
    world.put("/plans/p", {"plan": {"amount_cents": 500}})
    subscribe(world, "small", name="kept")
    await told(installation, world)
    world.put("/plans/small", {"plan": {"amount_cents": 500}})
    assert (found(world)["plan_code"], found(world)["name"]) == ("small", "kept")
    sent = [kind for kind, _ in await told(installation, world)]
    assert sent == ["plan.updated", "subscription.terminated", "subscription.started", "invoice.created"]


# -- starts (§2.4) ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subscription_at", "started_at", "invoices"),
    [
        ("2025-05-11T00:00:00Z", "2025-05-11T00:00:00.000Z", [["subscription_starting"]]),
        ("2025-05-11T20:00:00Z", "2025-05-11T20:00:00.000Z", [["subscription_starting"]]),
        ("2025-05-10T23:59:59Z", "2025-05-10T23:59:59.000Z", []),
        ("2025-05-12T00:00:00Z", None, []),
    ],
)
def test_the_local_date_decides(world: Api, subscription_at: str, started_at: str | None, invoices: list[Any]) -> None:
    plan(world, "ahead", amount_cents=3100, pay_in_advance=True)
    made = subscribe(world, "ahead", subscription_at=subscription_at)
    assert (made["started_at"], made["status"]) == (started_at, "active" if started_at else "pending")
    assert reasons(world) == invoices


def test_today_is_where_the_customer_is(world: Api) -> None:
    customer(world, "tokyo", timezone="Asia/Tokyo")
    made = subscribe(world, of="tokyo", subscription_at="2025-05-10T16:00:00Z")  # 11 May, 01:00
    assert made["status"] == "active"
    assert made["current_billing_period_ending_at"] == "2025-05-31T14:59:59Z"
    later = subscribe(world, of="tokyo", external_id="s2", subscription_at="2025-05-11T15:00:00Z")
    assert later["status"] == "pending"


def test_no_invoice_at_the_start_of_a_trial(world: Api) -> None:
    plan(world, "tried", amount_cents=3100, pay_in_advance=True, trial_period=10)
    assert subscribe(world, "tried")["trial_ended_at"] is None
    assert reasons(world) == []


async def test_a_backdated_start_stays_behind_the_last_invoiced_end(world: Api, installation: Installation) -> None:
    subscribe(world, subscription_at="2025-05-01")
    world.delete("/subscriptions/s")
    await at(installation, world, "2025-05-20T00:00:00Z")
    made = subscribe(world, subscription_at="2025-05-05")
    assert (made["started_at"], made["previous_plan_code"]) == ("2025-05-11T09:00:00.000Z", None)


# -- the row a route takes (api.md §7) ----------------------------------------------------------------


def test_rows_by_status(world: Api) -> None:
    for code in ("small", "p", "large"):
        subscribe(world, code)
    subscribe(world, "small")
    seen = {status: found(world, status=status)["plan_code"] for status in ("active", "terminated", "pending")}
    assert seen == {"active": "large", "terminated": "p", "pending": "small"}
    assert found(world, status="terminated")["next_plan_code"] == "large"
    for path in ("/subscriptions/s?status=canceled", "/subscriptions/s?status=odd", "/subscriptions/none"):
        assert world.get(path, 404)["code"] == "subscription_not_found"


def test_an_edit_takes_the_only_row_whatever_its_status(world: Api) -> None:
    subscribe(world, purchase_order_number="1")
    world.delete("/subscriptions/s")
    assert change(world, name="late")["status"] == "terminated"
    refusal = {"subscription": {"purchase_order_number": "2"}}
    assert world.put("/subscriptions/s", refusal, 405)["code"] == "purchase_order_number_not_editable"
    subscribe(world)
    assert change(world, name="x")["status"] == "active"
    subscribe(world, "small")
    row = world.put("/subscriptions/s?status=pending", {"subscription": {"name": "y"}})["subscription"]
    assert (row["status"], row["name"]) == ("pending", "y")
    assert world.put("/subscriptions/s?status=odd", {"subscription": {"name": "y"}}, 404)
    assert world.put("/subscriptions/none", {}, 404)["code"] == "subscription_not_found"


# -- lists (api.md §6) --------------------------------------------------------------------------------


def test_lists_and_their_filters(world: Api) -> None:
    world.post("/billing_entities", {"billing_entity": {"code": "north", "name": "North"}})
    plan(world, "yen", amount_currency="JPY")
    subscribe(world, external_id="a", subscription_at="2025-03-01")
    subscribe(world, "yen", of="d", external_id="b", subscription_at="2025-04-01", billing_entity_code="north")
    subscribe(world, external_id="e", subscription_at="2025-02-01", plan_overrides={"amount_cents": 1})
    subscribe(world, external_id="f", subscription_at="2025-09-01")
    subscribe(world, external_id="g")
    world.delete("/subscriptions/g")

    def ids(path: str = "/subscriptions", **params: Any) -> list[str]:
        return [row["external_id"] for row in world.get(path, **params)["subscriptions"]]

    assert ids() == ["b", "a", "e"]
    assert ids(**of_status("pending")) == ["f"]
    assert ids(**of_status("pending", "terminated")) == ["f", "g"]
    assert ids(**of_status("pending", "odd")) == ["f", "g", "b", "a", "e"]
    assert ids(external_customer_id="d") == ["b"]
    assert ids(external_id="a") == ["a"]
    assert ids(plan_code="p") == ["a", "e"]
    assert ids(currency="JPY") == ["b"]
    assert ids(overridden="true") == ["e"]
    assert ids(overriden="False") == ["b", "a"]
    assert ids(billing_entity_codes="north") == ["b"]
    assert world.get("/subscriptions", 404, billing_entity_codes="x")["code"] == "billing_entity_not_found"
    assert ids("/customers/c/subscriptions") == ["a", "e"]
    assert world.get("/customers/none/subscriptions", 404)["code"] == "customer_not_found"
    page = world.get("/subscriptions", page=2, per_page=2)
    assert ([row["external_id"] for row in page["subscriptions"]], page["meta"]["total_count"]) == (["e"], 3)


# -- edits (§2.7) -------------------------------------------------------------------------------------


def test_edit_sets_and_clears(world: Api) -> None:
    subscribe(world, name="n", ending_at="2025-12-01", purchase_order_number="1")
    row = change(
        world,
        name=None,
        ending_at=None,
        purchase_order_number=None,
        progressive_billing_disabled=True,
        consolidate_invoice=False,
        on_termination_invoice="skip",
        on_termination_credit_note="skip",
        payment_method={"payment_method_type": "manual"},
        subscription_at="2025-01-01",
    )
    assert [row[name] for name in ("name", "ending_at", "purchase_order_number")] == [None] * 3
    assert (row["progressive_billing_disabled"], row["consolidate_invoice"]) == (True, False)
    assert (row["on_termination_invoice"], row["on_termination_credit_note"]) == ("skip", None)
    assert (row["payment_method"]["payment_method_type"], row["subscription_at"]) == ("manual", NOW)
    row = change(world, payment_method=None, consolidate_invoice=None, on_termination_invoice=None)
    assert (row["payment_method"]["payment_method_type"], row["consolidate_invoice"]) == ("provider", True)
    assert row["on_termination_invoice"] == "generate"


def test_edits_that_are_refused(world: Api) -> None:
    subscribe(world)
    for fields, details in (
        ({"ending_at": "2025-05-11"}, {"ending_at": ["invalid_date"]}),
        ({"on_termination_credit_note": "x"}, {"on_termination_credit_note": ["invalid_value"]}),
        ({"activation_rules": []}, {"activation_rules": ["subscription_not_pending"]}),
        ({"payment_method": {"payment_method_id": "1"}}, {"payment_method": ["invalid_payment_method"]}),
    ):
        assert refused(world, "PUT", "/subscriptions/s", {"subscription": fields}) == details
    unknown = {"subscription": {"billing_entity_code": "x"}}
    assert world.put("/subscriptions/s", unknown, 404)["code"] == "billing_entity_not_found"


def test_overrides_of_an_edit(world: Api) -> None:
    plan(world, "charged", charges=[charge(metric(world), properties={"amount": "1"})])
    subscribe(world, "charged")
    row = change(world, plan_overrides={"amount_cents": 7})
    assert (row["plan_amount_cents"], row["plan"]["charges"][0]["lago_parent_id"] is None) == (7, False)
    child = row["plan"]["lago_id"]
    row = change(world, plan_overrides={"name": "mine"})
    assert (row["plan"]["lago_id"], row["plan_amount_cents"], row["plan"]["name"]) == (child, 7, "mine")


def test_advance_plans_keep_their_credit_note_mode(world: Api) -> None:
    plan(world, "ahead", pay_in_advance=True)
    assert subscribe(world, "ahead")["on_termination_credit_note"] == "credit"
    assert change(world, on_termination_credit_note="refund")["on_termination_credit_note"] == "refund"
    ended = world.delete("/subscriptions/s", on_termination_credit_note="offset", on_termination_invoice="skip")
    assert ended["subscription"]["on_termination_credit_note"] == "offset"
    assert ended["subscription"]["on_termination_invoice"] == "skip"


@pytest.mark.parametrize(
    ("moved", "status", "messages", "invoices"),
    [
        ("2025-07-01", "pending", [], []),
        ("2025-05-11", "active", ["subscription.started", "subscription.updated"], [["subscription_starting"]]),
        ("2025-05-02", "active", ["subscription.started", "subscription.updated"], []),
    ],
)
async def test_a_start_to_come_is_moved(
    world: Api, installation: Installation, moved: str, status: str, messages: list[str], invoices: list[Any]
) -> None:
    plan(world, "ahead", amount_cents=3100, pay_in_advance=True)
    subscribe(world, "ahead", subscription_at="2025-06-10")
    listen(world)
    row = change(world, subscription_at=moved)
    assert (row["status"], row["subscription_at"]) == (status, f"{moved}T00:00:00Z")
    sent = [kind for kind, _ in await told(installation, world) if kind.startswith("subscription")]
    assert sent == messages
    assert reasons(world) == invoices


# -- ends (§2.8) --------------------------------------------------------------------------------------


async def test_terminate(world: Api, installation: Installation) -> None:
    made = subscribe(world)["lago_id"]
    subscribe(world, "small")
    coming = found(world, status="pending")["lago_id"]
    listen(world)
    ended = world.delete("/subscriptions/s")["subscription"]
    assert (ended["lago_id"], ended["status"], ended["terminated_at"]) == (made, "terminated", NOW)
    sent = await told(installation, world)
    assert [kind for kind, _ in sent] == ["subscription.terminated", "invoice.created"]
    assert found(world, status="canceled")["lago_id"] == coming
    assert await due(installation, ended) == {}
    assert world.delete("/subscriptions/s", 404)["code"] == "subscription_not_found"
    assert reasons(world) == [["subscription_terminating"]]


async def test_options_of_an_end_are_stored_and_told(world: Api, installation: Installation) -> None:
    subscribe(world)
    listen(world)
    for name in ("on_termination_invoice", "on_termination_credit_note"):
        details = world.delete("/subscriptions/s", 422, **{name: "x"})["error_details"]
        assert details == {name: ["invalid_value"]}
    assert world.delete("/subscriptions/s", on_termination_invoice="skip")["subscription"]["status"] == "terminated"
    sent = [kind for kind, _ in await told(installation, world)]
    assert sent == ["subscription.updated", "subscription.terminated"]


async def test_cancel_what_is_pending(world: Api, installation: Installation) -> None:
    current = subscribe(world)["lago_id"]
    subscribe(world, "small")
    coming = found(world, status="pending")["lago_id"]
    listen(world)
    canceled = world.delete("/subscriptions/s?status=pending")["subscription"]
    assert (canceled["lago_id"], canceled["status"], canceled["canceled_at"]) == (coming, "canceled", NOW)
    assert await told(installation, world) == [("subscription.updated", current), ("subscription.terminated", coming)]
    assert (found(world)["next_plan_code"], found(world)["downgrade_plan_date"]) == (None, None)
    for status in ("pending", "odd"):
        assert world.delete(f"/subscriptions/s?status={status}", 404)["code"] == "subscription_not_found"
    future = subscribe(world, external_id="s2", subscription_at="2025-06-10")
    world.delete("/subscriptions/s2?status=pending")
    assert await told(installation, world) == [("subscription.terminated", future["lago_id"])]
    assert await due(installation, future) == {}


@pytest.mark.parametrize("path", ["/customers/c", "/plans/p"])
async def test_ends_with_its_customer_or_plan(world: Api, installation: Installation, path: str) -> None:
    running = subscribe(world)["lago_id"]
    subscribe(world, external_id="special", plan_overrides={"amount_cents": 3})
    subscribe(world, external_id="later", subscription_at="2025-06-10")
    listen(world)
    world.delete(path)
    sent = [pair for pair in await told(installation, world) if pair[0].startswith("subscription")]
    assert [kind for kind, _ in sent] == ["subscription.terminated"] * 2
    assert sent[0][1] == running
    assert found(world, "special", "terminated")["terminated_at"] == NOW
    assert found(world, "later", "canceled")["canceled_at"] == NOW
    assert world.get(path, 404)
