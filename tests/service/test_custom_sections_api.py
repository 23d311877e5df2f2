"""Custom sections over HTTP: their routes, who selects them, and the copies on invoices (invoicing.md §20)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api

ROOT = "invoice_custom_section"
PATH = "/invoice_custom_sections"


def section(api: Api, code: str, **more: Any) -> dict[str, Any]:
    body = {"code": code, "name": code.title(), "display_name": f"About {code}", "details": f"{code}:\nline", **more}
    made: dict[str, Any] = api.post(PATH, {ROOT: body})[ROOT]
    return made


def codes(sections: list[dict[str, Any]]) -> list[str]:
    return [one["code"] for one in sections]


def customer(api: Api, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.post("/customers", {"customer": {"external_id": "acme", "currency": "EUR", **fields}})
    return made["customer"]  # type: ignore[no-any-return]


def one_off(api: Api, status: int = 200, **more: Any) -> dict[str, Any]:
    body = {"external_customer_id": "acme", "currency": "EUR", "fees": [{"add_on_code": "setup"}], **more}
    made: dict[str, Any] = api.post("/invoices", {"invoice": body}, status)
    return made.get("invoice", made)  # type: ignore[no-any-return]


def applied(invoice: dict[str, Any]) -> list[str]:
    return codes(invoice["applied_invoice_custom_sections"])


@pytest.fixture
def shop(api: Api) -> Api:
    """Sections a to d, and something to sell."""
    api.at("2025-05-10T00:00:00Z")
    for code in "abcd":
        section(api, code)
    add_on = {"name": "Setup", "code": "setup", "amount_cents": 1000, "amount_currency": "EUR"}
    api.post("/add_ons", {"add_on": add_on})
    plan = {"name": "P", "code": "p", "interval": "monthly", "amount_cents": 3100, "amount_currency": "EUR"}
    api.post("/plans", {"plan": {**plan, "pay_in_advance": True}})
    return api


def select_for_entity(api: Api, *chosen: str) -> dict[str, Any]:
    path = f"/billing_entities/{api.organization['slug']}"
    body = {"billing_entity": {"invoice_custom_section_codes": list(chosen)}}
    return api.put(path, body)["billing_entity"]  # type: ignore[no-any-return]


def test_routes(api: Api) -> None:
    made = section(api, "terms", description="d")
    assert list(made) == [
        "lago_id",
        "code",
        "name",
        "description",
        "details",
        "display_name",
        "organization_id",
    ]
    assert made["organization_id"] == api.organization["lago_id"]
    assert api.get(f"{PATH}/terms")[ROOT] == made
    section(api, "bank")
    listed = api.get(PATH)
    assert codes(listed["invoice_custom_sections"]) == ["bank", "terms"]
    assert listed["meta"]["total_count"] == 2
    changed = api.put(f"{PATH}/terms", {ROOT: {"details": "new", "display_name": None}})[ROOT]
    assert (changed["details"], changed["display_name"], changed["name"]) == ("new", None, "Terms")
    assert api.delete(f"{PATH}/terms")[ROOT]["code"] == "terms"
    assert api.get(f"{PATH}/terms", 404)["code"] == "invoice_custom_section_not_found"
    assert section(api, "terms")["lago_id"] != made["lago_id"]


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"name": "x"}, {"code": ["value_is_mandatory"]}),
        ({"code": "x", "name": " "}, {"name": ["value_is_mandatory"]}),
        ({"code": "taken", "name": "x"}, {"code": ["value_already_exist"]}),
        ({"code": "x", "name": "x", "details": "y" * 10_001}, {"details": ["value_is_too_long"]}),
    ],
)
def test_what_is_refused(api: Api, body: dict[str, Any], details: dict[str, list[str]]) -> None:
    section(api, "taken")
    assert api.post(PATH, {ROOT: body}, 422)["error_details"] == details


def test_the_customer_s_own_else_those_of_the_issuer(shop: Api) -> None:
    assert codes(select_for_entity(shop, "b", "a")["selected_invoice_custom_sections"]) == ["b", "a"]
    assert codes(customer(shop)["applicable_invoice_custom_sections"]) == ["b", "a"]
    assert applied(one_off(shop)) == ["b", "a"]
    assert codes(customer(shop, invoice_custom_section_codes=["c"])["applicable_invoice_custom_sections"]) == ["c"]
    assert applied(one_off(shop)) == ["c"]
    assert customer(shop, skip_invoice_custom_sections=True)["applicable_invoice_custom_sections"] == []
    assert applied(one_off(shop)) == []
    given = shop.get(f"{PATH}/d")[ROOT]["lago_id"]
    chosen = customer(shop, invoice_custom_section_ids=[given])
    assert (chosen["skip_invoice_custom_sections"], codes(chosen["applicable_invoice_custom_sections"])) == (
        False,
        ["d"],
    )
    assert codes(customer(shop, invoice_custom_section_codes=[])["applicable_invoice_custom_sections"]) == ["b", "a"]


def test_a_request_for_a_one_off_invoice_has_the_last_word(shop: Api) -> None:
    select_for_entity(shop, "a")
    customer(shop, invoice_custom_section_codes=["b"])
    assert applied(one_off(shop, invoice_custom_section={"invoice_custom_section_codes": ["d", "c"]})) == ["d", "c"]
    assert applied(one_off(shop, invoice_custom_section={"skip_invoice_custom_sections": True})) == []
    assert applied(one_off(shop, invoice_custom_section={})) == ["b"]
    both = {"skip_invoice_custom_sections": True, "invoice_custom_section_codes": ["a"]}
    refused = one_off(shop, 422, invoice_custom_section=both)
    assert refused["error_details"] == {"invoice_custom_sections": ["skip_sections_and_selected_ids_sent_together"]}


@pytest.mark.parametrize("kind", ["customer", "subscription", "one_off", "billing_entity"])
def test_unknown_sections_are_refused(shop: Api, kind: str) -> None:
    customer(shop)
    choice = {"invoice_custom_section_codes": ["a", "nope"]}
    body: dict[str, Any]
    if kind == "customer":
        answer = shop.post("/customers", {"customer": {"external_id": "acme", **choice}}, 404)
    elif kind == "billing_entity":
        answer = shop.put(f"/billing_entities/{shop.organization['slug']}", {"billing_entity": choice}, 404)
    elif kind == "one_off":
        answer = one_off(shop, 404, invoice_custom_section=choice)
    else:
        body = {"external_customer_id": "acme", "plan_code": "p", "external_id": "s", "invoice_custom_section": choice}
        answer = shop.post("/subscriptions", {"subscription": body}, 404)
    assert answer["code"] == "invoice_custom_section_not_found"


def subscribe(api: Api, external_id: str, **choice: Any) -> dict[str, Any]:
    body = {"external_customer_id": "acme", "plan_code": "p", "external_id": external_id}
    made = api.post("/subscriptions", {"subscription": {**body, "invoice_custom_section": choice}})
    return made["subscription"]  # type: ignore[no-any-return]


def newest(api: Api) -> dict[str, Any]:
    listed = api.get("/invoices")["invoices"][0]
    return api.get(f"/invoices/{listed['lago_id']}")["invoice"]  # type: ignore[no-any-return]


def test_subscriptions_select_for_their_invoices(shop: Api) -> None:
    customer(shop, invoice_custom_section_codes=["c"])
    shown = subscribe(shop, "s", invoice_custom_section_codes=["a", "b"])["applied_invoice_custom_sections"]
    assert [list(one) for one in shown] == [
        ["lago_id", "invoice_custom_section_id", "created_at", "invoice_custom_section"]
    ] * 2
    assert codes([one["invoice_custom_section"] for one in shown]) == ["a", "b"]
    assert applied(newest(shop)) == ["a", "b"]
    shop.put("/subscriptions/s", {"subscription": {"invoice_custom_section": {"skip_invoice_custom_sections": True}}})
    shop.at("2025-06-01T01:00:00Z")
    assert applied(newest(shop)) == []
    shop.put("/subscriptions/s", {"subscription": {"invoice_custom_section": {"invoice_custom_section_codes": ["d"]}}})
    shop.at("2025-07-01T01:00:00Z")
    assert applied(newest(shop)) == ["d"]
    subscribe(shop, "s", invoice_custom_section_codes=[])
    shop.at("2025-08-01T01:00:00Z")
    assert applied(newest(shop)) == ["c"]


def test_copies_stay_as_they_were(shop: Api) -> None:
    customer(shop, invoice_custom_section_codes=["a"])
    made = one_off(shop)
    (copied,) = made["applied_invoice_custom_sections"]
    assert list(copied) == ["lago_id", "lago_invoice_id", "code", "details", "display_name", "created_at"]
    assert (copied["lago_invoice_id"], copied["details"]) == (made["lago_id"], "a:\nline")
    shop.put(f"{PATH}/a", {ROOT: {"details": "changed"}})
    shop.delete(f"{PATH}/a")
    assert shop.get(f"/invoices/{made['lago_id']}")["invoice"]["applied_invoice_custom_sections"] == [copied]
    assert customer(shop)["applicable_invoice_custom_sections"] == []


def test_drafts_follow_until_they_are_issued(shop: Api) -> None:
    customer(shop, invoice_custom_section_codes=["a"], billing_configuration={"invoice_grace_period": 3})
    subscribe(shop, "s")
    draft = newest(shop)
    assert (draft["status"], applied(draft)) == ("draft", ["a"])
    customer(shop, invoice_custom_section_codes=["b"])
    assert applied(shop.put(f"/invoices/{draft['lago_id']}/refresh")["invoice"]) == ["b"]
    customer(shop, invoice_custom_section_codes=["c", "d"])
    assert applied(shop.put(f"/invoices/{draft['lago_id']}/finalize")["invoice"]) == ["c", "d"]
