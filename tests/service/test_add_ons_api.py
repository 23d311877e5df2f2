"""Add-ons over HTTP (invoicing.md §11, api.md §15.7)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.billing import add_on, bill_once
from tests.support.catalog import refused
from tests.support.subscriptions import customer


def body(**more: Any) -> dict[str, Any]:
    given = {"name": "Setup", "code": "setup", "amount_cents": 15000, "amount_currency": "EUR", **more}
    return {"add_on": {key: value for key, value in given.items() if value is not ...}}


def tax(api: Api, code: str) -> None:
    api.post("/taxes", {"tax": {"name": code, "code": code, "rate": "20"}})


def test_an_add_on_in_full(api: Api) -> None:
    tax(api, "vat")
    made = add_on(api, invoice_display_name="The setup", description="Installation", tax_codes=["vat"])
    assert list(made) == [
        *("lago_id", "name", "invoice_display_name", "code", "description"),
        *("amount_cents", "amount_currency", "created_at", "taxes"),
    ]
    assert (made["invoice_display_name"], made["description"]) == ("The setup", "Installation")
    assert [row["code"] for row in made["taxes"]] == ["vat"]
    assert api.get("/add_ons/setup")["add_on"] == made


def test_only_given_fields_change(api: Api) -> None:
    tax(api, "vat")
    made = add_on(api, description="Installation", tax_codes=["vat"])
    changed = api.put("/add_ons/setup", {"add_on": {"amount_cents": 200}})["add_on"]
    assert changed == {**made, "amount_cents": 200}
    assert api.put("/add_ons/setup", {"add_on": {"tax_codes": [], "description": None}})["add_on"] == {
        **changed,
        "taxes": [],
        "description": None,
    }


def test_lists_show_the_newest_first(api: Api) -> None:
    for code in ("a", "b", "c"):
        add_on(api, code)
    listed = api.get("/add_ons", per_page=2)
    assert [row["code"] for row in listed["add_ons"]] == ["c", "b"]
    assert listed["meta"]["total_count"] == 3


@pytest.mark.parametrize(
    ("given", "details"),
    [
        ({"name": ..., "code": ...}, {"name": ["value_is_mandatory"], "code": ["value_is_mandatory"]}),
        ({"amount_cents": 0}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": -1}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": ...}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": "1.5"}, {"amount_cents": ["value_is_invalid"]}),
        ({"amount_currency": "XXY"}, {"amount_currency": ["value_is_invalid"]}),
        ({"amount_currency": ...}, {"amount_currency": ["value_is_invalid"]}),
        ({"code": "x" * 256}, {"code": ["value_is_too_long"]}),
    ],
)
def test_refused_values(api: Api, given: dict[str, Any], details: dict[str, list[str]]) -> None:
    assert refused(api, "POST", "/add_ons", body(**given)) == details
    add_on(api)
    changed = {key: None if value is ... else value for key, value in given.items()}
    assert refused(api, "PUT", "/add_ons/setup", {"add_on": changed}) == details
    assert api.get("/add_ons/setup")["add_on"]["amount_cents"] == 15000


def test_codes_are_unique_among_live_add_ons(api: Api) -> None:
    add_on(api)
    add_on(api, "other")
    assert refused(api, "POST", "/add_ons", body()) == {"code": ["value_already_exist"]}
    assert refused(api, "PUT", "/add_ons/other", {"add_on": {"code": "setup"}}) == {"code": ["value_already_exist"]}
    api.delete("/add_ons/setup")
    add_on(api)


def test_unknown_taxes_and_add_ons_are_not_found(api: Api) -> None:
    assert api.post("/add_ons", body(tax_codes=["nope"]), 404)["code"] == "tax_not_found"
    assert api.get("/add_ons", per_page=1)["meta"]["total_count"] == 0
    for method in ("GET", "DELETE"):
        assert api.call(method, "/add_ons/nope", None, 404)["code"] == "add_on_not_found"
    assert api.put("/add_ons/nope", body(), 404)["code"] == "add_on_not_found"


def test_a_deleted_add_on_stays_on_what_was_billed_with_it(api: Api) -> None:
    customer(api)
    made = add_on(api)
    invoice = bill_once(api)
    assert api.delete("/add_ons/setup")["add_on"] == made
    assert api.get("/add_ons/setup", 404)["code"] == "add_on_not_found"
    assert api.delete("/add_ons/setup", 404)["code"] == "add_on_not_found"
    (fee,) = api.get(f"/invoices/{invoice['lago_id']}")["invoice"]["fees"]
    assert (fee["item"]["code"], fee["item"]["lago_item_id"]) == ("setup", made["lago_id"])
