"""Payments over HTTP: the order of the checks, lists and their filters, what they show (payments.md §3.11, §4)."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.billing import GRACE, add_on, bill_once, drafted
from tests.support.catalog import plan
from tests.support.payments import pay, payments
from tests.support.subscriptions import customer

STRANGER = str(uuid.uuid4())


@pytest.fixture
def sold(api: Api) -> dict[str, Any]:
    """A one-off invoice of 150 EUR."""
    api.at("2025-06-05T10:00:00Z")
    customer(api)
    add_on(api)
    return bill_once(api)


def test_what_a_payment_shows(api: Api, sold: dict[str, Any]) -> None:
    made = pay(api, sold, 4000, reference="wire 17")
    assert list(made.items()) == [
        ("lago_id", made["lago_id"]),
        ("lago_customer_id", sold["customer"]["lago_id"]),
        ("external_customer_id", "c"),
        ("invoice_ids", [sold["lago_id"]]),
        ("invoice_numbers", [sold["number"]]),
        ("lago_payable_id", sold["lago_id"]),
        ("payable_type", "Invoice"),
        ("amount_cents", 4000),
        ("amount_currency", "EUR"),
        ("status", "succeeded"),
        ("payment_status", "succeeded"),
        ("type", "manual"),
        ("reference", "wire 17"),
        ("payment_provider_code", None),
        ("payment_provider_type", None),
        ("external_payment_id", None),
        ("provider_payment_id", None),
        ("provider_customer_id", None),
        ("next_action", None),
        ("created_at", "2025-06-05T10:00:00Z"),
    ]
    assert api.get(f"/payments/{made['lago_id']}")["payment"] == made
    assert payments(api) == [made]
    for unknown in (STRANGER, "x"):
        assert api.get(f"/payments/{unknown}", status=404)["code"] == "payment_not_found"


def test_a_payment_has_the_date_it_was_paid(api: Api, sold: dict[str, Any]) -> None:
    days = ("2025-06-02", "2025-06-01T12:30:00+02:00", "")
    made = [pay(api, sold, 100, paid_at=day) for day in days]
    assert [row["created_at"] for row in made] == [
        "2025-06-02T00:00:00Z",
        "2025-06-01T10:30:00Z",
        "2025-06-05T10:00:00Z",
    ]
    assert [row["lago_id"] for row in payments(api)] == [made[place]["lago_id"] for place in (1, 0, 2)]
    assert api.get(f"/invoices/{sold['lago_id']}")["invoice"]["updated_at"] == "2025-06-05T10:00:00Z"


@pytest.mark.parametrize(
    ("given", "details"),
    [
        ({"invoice_id": "", "amount_cents": 0}, {"invoice_id": ["value_is_mandatory"]}),
        ({"invoice_id": STRANGER, "amount_cents": 0}, {"amount_cents": ["invalid_value"]}),
        ({"amount_cents": -5}, {"amount_cents": ["invalid_value"]}),
        ({"amount_cents": 1.5}, {"amount_cents": ["invalid_value"]}),
        ({"amount_cents": "many"}, {"amount_cents": ["invalid_value"]}),
        ({"amount_cents": [1]}, {"amount_cents": ["invalid_value"]}),
        ({"amount_cents": 10**19}, {"amount_cents": ["invalid_value"]}),
        ({"amount_cents": None}, {"amount_cents": ["invalid_value"]}),
        ({"paid_at": "yesterday", "reference": ""}, {"paid_at": ["invalid_date"]}),
        ({"amount_cents": 15001}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"reference": "x" * 41}, {"reference": ["value_is_too_long"]}),
        ({"reference": None}, {"reference": ["value_is_mandatory"]}),
        (
            {"amount_cents": 15001, "reference": " "},
            {"amount_cents": ["value_is_out_of_range"], "reference": ["value_is_mandatory"]},
        ),
    ],
)
def test_refusals(api: Api, sold: dict[str, Any], given: dict[str, Any], details: dict[str, Any]) -> None:
    body = {"amount_cents": 100, **given}
    assert pay(api, sold, body.pop("amount_cents"), 422, **body)["error_details"] == details
    assert payments(api) == []


def test_which_invoices_are_paid(api: Api, sold: dict[str, Any]) -> None:
    assert pay(api, {"lago_id": STRANGER}, 5, 404, paid_at="x")["code"] == "invoice_not_found"
    assert pay(api, {"lago_id": "x"}, 5, 404)["code"] == "invoice_not_found"
    other = Api(str(api.http.base_url))
    assert pay(other, sold, 5, 404)["code"] == "invoice_not_found"
    pay(api, sold, 100)
    api.post(f"/invoices/{sold['lago_id']}/void")
    assert pay(api, sold, 5, 403, paid_at="x")["code"] == "feature_unavailable"
    assert api.post("/payments", {}, 400)["error"].endswith("invalid: payment")
    assert [row["amount_cents"] for row in payments(api)] == [100]


def test_drafts_are_not_paid(api: Api) -> None:
    plan(api, amount_cents=1000, pay_in_advance=True)
    draft = drafted(api, until="2025-06-02T00:00:00Z", **GRACE)
    assert pay(api, draft, 5, 403)["code"] == "feature_unavailable"


def test_lists(api: Api, sold: dict[str, Any]) -> None:
    customer(api, "d")
    other = bill_once(api, of="d")
    rows = [pay(api, invoice, cents) for invoice, cents in ((sold, 1), (other, 2), (sold, 3))]
    ids = [row["lago_id"] for row in rows]

    def listed(path: str = "/payments", **params: Any) -> list[int]:
        return [ids.index(row["lago_id"]) for row in api.get(path, **params)["payments"]]

    assert listed() == [2, 1, 0]
    assert listed(invoice_id=sold["lago_id"]) == [2, 0]
    assert listed(invoice_id="") == [2, 1, 0]
    assert listed(external_customer_id="d") == [1]
    assert listed(external_customer_id="nobody") == []
    assert listed("/customers/c/payments") == [2, 0]
    assert listed("/customers/c/payments", invoice_id=other["lago_id"]) == []
    assert listed("/customers/c/payments", external_customer_id="d") == [2, 0]
    page = api.get("/payments", page=2, per_page=2)
    assert (len(page["payments"]), page["meta"]["total_count"]) == (1, 3)
    wrong = api.get("/payments", 422, invoice_id="x")
    assert wrong["error_details"] == {"invoice_id": ["is in invalid format"]}
    assert api.get("/customers/x/payments", 404)["code"] == "customer_not_found"


def test_payments_at_the_same_time_never_exceed_what_is_due(api: Api, sold: dict[str, Any]) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: pay(api, sold, 6000, (200, 422)), range(4)))
    assert sum("lago_id" in answer for answer in answers) == 2
    after = api.get(f"/invoices/{sold['lago_id']}")["invoice"]
    assert (after["total_paid_amount_cents"], after["total_due_amount_cents"]) == (12000, 3000)
