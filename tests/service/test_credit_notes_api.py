"""`/api/v1/credit_notes` over HTTP: refusals, lists and their filters, metadata, refunds, files (credits.md §3)."""

from __future__ import annotations

import uuid
from io import BytesIO
from typing import Any

import httpx
import pytest
from pypdf import PdfReader
from sqlalchemy import text

from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.billing import add_on, bill_once
from tests.support.credit_notes import note, note_body, notes, tax
from tests.support.payments import pay
from tests.support.subscriptions import customer


@pytest.fixture
def sold(api: Api) -> dict[str, Any]:
    """An invoice of two add-ons of 50 EUR with 10 % tax."""
    api.at("2025-06-05T10:00:00Z")
    tax(api, 10)
    customer(api, name="Acme")
    add_on(api, cents=5000)
    return bill_once(api, [{"add_on_code": "setup"}, {"add_on_code": "setup"}], purchase_order_number="PO-9")


def refused(api: Api, sold: dict[str, Any], *items: Any, **more: Any) -> dict[str, list[str]]:
    details: dict[str, list[str]] = note(api, sold, *items, status=422, **more)["error_details"]
    return details


def test_what_a_note_says(api: Api, sold: dict[str, Any]) -> None:
    fee = sold["fees"][0]
    made = note(
        api,
        sold,
        (fee, 1000),
        credit_amount_cents=600,
        offset_amount_cents=500,
        reason="duplicated_charge",
        description="twice",
        metadata={"case": "7"},
    )
    shown = api.get(f"/credit_notes/{made['lago_id']}")["credit_note"]
    assert shown == made
    assert (made["reason"], made["description"], made["metadata"]) == ("duplicated_charge", "twice", {"case": "7"})
    assert (made["number"], made["invoice_number"]) == (f"{sold['number']}-CN001", sold["number"])
    assert (made["purchase_order_number"], made["self_billed"], made["error_details"]) == ("PO-9", False, [])
    assert (made["total_amount_cents"], made["precise_total_amount_cents"]) == (1100, "1100.0")
    assert (made["taxes_amount_cents"], made["precise_taxes_amount_cents"], made["taxes_rate"]) == (100, "100.0", 10)
    (row,) = made["applied_taxes"]
    assert (row["lago_credit_note_id"], row["base_amount_cents"], row["amount_cents"]) == (made["lago_id"], 1000, 100)
    assert made["customer"]["external_id"] == "c"
    assert made["items"][0]["fee"]["lago_id"] == fee["lago_id"]
    after = api.get(f"/invoices/{sold['lago_id']}")["invoice"]
    assert (after["total_due_amount_cents"], after["payment_status"]) == (10500, "pending")


def test_items_are_checked_one_by_one(api: Api, sold: dict[str, Any]) -> None:
    first, second = sold["fees"]
    assert refused(api, sold, (first, 3000), (first, 2001), credit_amount_cents=5501) == {
        "amount_cents": ["higher_than_remaining_fee_amount"]
    }
    assert refused(api, sold, (first, "many"), credit_amount_cents=1) == {"amount_cents": ["invalid_value"]}
    shapeless: list[Any] = [None, "x", {"0": {}}]
    for items in shapeless:
        body = {"credit_note": {"invoice_id": sold["lago_id"], "credit_amount_cents": 1, "items": items}}
        assert api.post("/credit_notes", body, 422)["error_details"] == {"items": ["must_be_an_array"]}
        body["credit_note"]["invoice_id"] = str(uuid.uuid4())
        assert api.post("/credit_notes", body, 404)["code"] == "invoice_not_found"
    stranger = {"lago_id": str(uuid.uuid4())}
    assert note(api, sold, (stranger, 1), credit_amount_cents=1, status=404)["code"] == "fee_not_found"
    assert note(api, stranger, (first, 1), credit_amount_cents=1, status=404)["code"] == "invoice_not_found"
    assert note(api, sold, (first, 2000), (second, "500.5"), credit_amount_cents=2751)["total_amount_cents"] == 2751
    assert notes(api)[0]["items"][1]["precise_amount_cents"] == "500.5"


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, {"base": ["does_not_match_item_amounts", "total_amount_must_be_positive"]}),
        ({"credit_amount_cents": 1102}, {"base": ["does_not_match_item_amounts"]}),
        ({"credit_amount_cents": -1}, {"credit_amount_cents": ["value_is_out_of_range"]}),
        ({"reason": "because", "credit_amount_cents": 1100}, {"reason": ["value_is_invalid"]}),
        (
            {"refund_amount_cents": 1100},
            {"refund_amount_cents": ["cannot_refund_unpaid_invoice", "higher_than_remaining_invoice_amount"]},
        ),
        (
            {"credit_amount_cents": 1100, "metadata": {"k": "x" * 256}},
            {"value": ["value for key 'k' must be empty or a String up to 255 characters"]},
        ),
    ],
)
def test_notes_that_are_refused(
    api: Api, sold: dict[str, Any], more: dict[str, Any], wanted: dict[str, list[str]]
) -> None:
    assert refused(api, sold, (sold["fees"][0], 1000), **more) == wanted
    assert notes(api) == []


async def test_invoices_without_amounts_have_no_notes(
    api: Api, sold: dict[str, Any], installation: Installation
) -> None:
    made = {**note_body(sold, (sold["fees"][0], 1), credit_amount_cents=1)}
    async with installation.database.begin() as tx:
        await tx.execute(text("alter table invoices disable trigger user"))
        await tx.execute(text("update invoices set status = 'failed' where id = :id"), {"id": sold["lago_id"]})
        await tx.execute(text("alter table invoices enable trigger user"))
    assert api.post("/credit_notes", made, 405)["code"] == "invalid_type_or_status"
    assert api.post("/credit_notes/estimate", made, 405)["code"] == "invalid_type_or_status"


def test_a_voided_invoice_can_still_be_credited_but_not_offset(api: Api, sold: dict[str, Any]) -> None:
    api.post(f"/invoices/{sold['lago_id']}/void")
    fee = sold["fees"][0]
    assert refused(api, sold, (fee, 1000), offset_amount_cents=1100) == {
        "offset_amount_cents": ["higher_than_remaining_invoice_amount"]
    }
    assert note(api, sold, (fee, 1000), credit_amount_cents=1100)["credit_status"] == "available"


def test_an_estimate_stores_nothing(api: Api, sold: dict[str, Any]) -> None:
    first, second = sold["fees"]
    body = note_body(sold, (first, 1000), (second, 5000))
    guess = api.post("/credit_notes/estimate", body)["estimated_credit_note"]
    assert (guess["max_creditable_amount_cents"], guess["max_refundable_amount_cents"]) == (6600, 0)
    assert guess["max_offsettable_amount_cents"] == 6600
    assert guess["items"] == [
        {"lago_fee_id": first["lago_id"], "amount_cents": 1000},
        {"lago_fee_id": second["lago_id"], "amount_cents": 5000},
    ]
    (row,) = guess["applied_taxes"]
    assert (row["tax_code"], row["base_amount_cents"], row["amount_cents"]) == ("vat", 6000, 600)
    assert notes(api) == []
    wrong = api.post("/credit_notes/estimate", note_body(sold, (first, 5001)), 422)
    assert wrong["error_details"] == {"amount_cents": ["higher_than_remaining_fee_amount"]}


# -- changes -------------------------------------------------------------------------------------


def test_refunds_are_noted_by_hand(api: Api, sold: dict[str, Any]) -> None:
    pay(api, sold, 11000)
    first, second = sold["fees"]
    made = note(api, sold, (first, 5000), refund_amount_cents=5500)
    assert (made["refund_status"], made["credit_status"], made["balance_amount_cents"]) == ("pending", "available", 0)
    path = f"/credit_notes/{made['lago_id']}"
    wrong = api.put(path, {"credit_note": {"refund_status": "maybe"}}, 422)
    assert wrong["error_details"] == {"refund_status": ["value_is_invalid"]}
    for status in ("succeeded", "failed", "pending"):
        assert api.put(path, {"credit_note": {"refund_status": status}})["credit_note"]["refund_status"] == status
    assert api.put(f"{path}/void", status=405)["code"] == "no_voidable_amount"
    credited = note(api, sold, (second, 5000), credit_amount_cents=5500)
    wrong = api.put(f"/credit_notes/{credited['lago_id']}", {"credit_note": {"refund_status": "failed"}}, 422)
    assert wrong["error_details"] == {"refund_status": ["value_is_invalid"]}


def test_metadata(api: Api, sold: dict[str, Any]) -> None:
    made = note(api, sold, (sold["fees"][0], 1000), credit_amount_cents=1100)
    assert "metadata" not in made
    path = f"/credit_notes/{made['lago_id']}"
    assert api.delete(f"{path}/metadata/a", 404)["code"] == "metadata_not_found"
    assert api.put(path, {"credit_note": {"metadata": {"a": "1"}}})["credit_note"]["metadata"] == {"a": "1"}
    assert api.put(path, {"credit_note": {"metadata": {"b": None}}})["credit_note"]["metadata"] == {"a": "1", "b": None}
    assert api.post(f"{path}/metadata", {"metadata": {"c": "3"}}) == {"metadata": {"c": "3"}}
    assert api.call("PATCH", f"{path}/metadata", {"metadata": {"d": "4"}}) == {"metadata": {"c": "3", "d": "4"}}
    assert api.call("PATCH", f"{path}/metadata", {}) == {"metadata": {"c": "3", "d": "4"}}
    assert api.delete(f"{path}/metadata/c") == {"metadata": {"d": "4"}}
    assert api.post(f"{path}/metadata") == {"metadata": {}}
    assert api.get(path)["credit_note"]["metadata"] == {}
    assert api.delete(f"{path}/metadata") == {"metadata": None}
    assert "metadata" not in api.get(path)["credit_note"]
    wrong = api.post(f"{path}/metadata", {"metadata": {"k" * 101: "v"}}, 422)
    assert wrong["error_details"] == {"value": [f"key '{'k' * 101}' must be a String up to 100 characters"]}


def test_unknown_notes(api: Api, sold: dict[str, Any]) -> None:
    for missing in (uuid.uuid4(), "nonsense"):
        path = f"/credit_notes/{missing}"
        answers = [
            api.get(path, 404),
            api.put(path, {"credit_note": {"refund_status": "failed"}}, 404),
            api.put(f"{path}/void", status=404),
            api.post(f"{path}/download", status=404),
            api.post(f"{path}/metadata", {"metadata": {}}, 404),
        ]
        assert {answer["code"] for answer in answers} == {"credit_note_not_found"}
    assert api.get("/customers/nobody/credit_notes", 404)["code"] == "customer_not_found"


# -- lists ---------------------------------------------------------------------------------------


def test_filters(api: Api, sold: dict[str, Any]) -> None:
    first = sold["fees"][0]
    made = [
        note(api, sold, (first, 1000), credit_amount_cents=1100, reason="other"),
        note(api, sold, (first, 2000), offset_amount_cents=2200, reason="order_change"),
    ]
    customer(api, "other", name="Else")
    api.at("2025-06-07T10:00:00Z")
    later = bill_once(api, of="other")
    made.append(note(api, later, (later["fees"][0], 3000), credit_amount_cents=3300))
    api.put(f"/credit_notes/{made[0]['lago_id']}/void")
    entity = made[0]["billing_entity_code"]
    filters: list[tuple[list[int], dict[str, Any]]] = [
        ([0, 1, 2], {}),
        ([0, 1], {"external_customer_id": "c"}),
        ([1], {"reason": "order_change"}),
        ([0, 1, 2], {"reason": "nonsense"}),
        ([0], {"credit_status": "voided"}),
        ([], {"refund_status": "pending"}),
        ([1], {"types[]": ["offset"]}),
        ([0, 2], {"types": "credit"}),
        ([0, 1, 2], {"types[]": ["credit", "offset", "nonsense"]}),
        ([0, 1], {"invoice_number": sold["number"]}),
        ([0, 1], {"purchase_order_number": "po-9"}),
        ([1, 2], {"amount_from": 2200}),
        ([0, 1], {"amount_to": 2200}),
        ([2], {"issuing_date_from": "2025-06-06"}),
        ([0, 1], {"issuing_date_to": "2025-06-06"}),
        ([], {"currency": "USD"}),
        ([0, 1, 2], {"currency": "eur", "self_billed": "false"}),
        ([0, 1, 2], {"billing_entity_codes[]": [entity]}),
        ([2], {"search_term": "else"}),
        ([1], {"search_term": "cn002"}),
        ([0], {"search_term": made[0]["lago_id"]}),
    ]
    for wanted, params in filters:
        found = [row["lago_id"] for row in notes(api, **params)]
        assert found == [made[place]["lago_id"] for place in wanted], params
    assert api.get("/credit_notes?billing_entity_codes[]=none", 404)["code"] == "billing_entity_not_found"
    page = api.get("/customers/c/credit_notes", per_page=1)
    assert [row["lago_id"] for row in page["credit_notes"]] == [made[1]["lago_id"]]
    assert page["meta"]["total_count"] == 2
    assert api.get("/customers/c/credit_notes", external_customer_id="other")["meta"]["total_count"] == 2
    settled = api.get("/invoices?settlements[]=credit_note")["invoices"]
    assert [row["lago_id"] for row in settled] == [sold["lago_id"]]


# -- files ---------------------------------------------------------------------------------------


def test_the_pdf_is_made_once_and_served_by_its_link(api: Api, sold: dict[str, Any]) -> None:
    made = note(api, sold, (sold["fees"][0], 1000), credit_amount_cents=1100)
    path = f"/credit_notes/{made['lago_id']}"
    assert made["file_url"] is None
    assert api.post(f"{path}/download") is None
    assert api.post(f"{path}/download_xml") is None
    api.at(api.now)
    shown = api.post(f"{path}/download_pdf")["credit_note"]
    assert "items" not in shown
    assert shown["xml_url"] is None
    file = httpx.get(str(api.http.base_url.join(httpx.URL(shown["file_url"]).path)))
    assert file.headers["content-type"] == "application/pdf"
    assert made["number"] in file.headers["content-disposition"]
    words = PdfReader(BytesIO(file.content)).pages[0].extract_text()
    assert made["number"] in words
    assert "€11.00" in words
    assert api.get(path)["credit_note"]["file_url"] == shown["file_url"]
