"""Payment requests over HTTP: the order of the checks, amounts, lists and their filters (dunning.md §2)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tallystick.ground.installation import Installation
from tests.support.api import Api, Status
from tests.support.billing import add_on, bill_once
from tests.support.payments import pay
from tests.support.subscriptions import customer, listen, told


def ask(api: Api, *invoices: dict[str, Any], of: str = "c", status: Status = 200, **more: Any) -> dict[str, Any]:
    """A request for invoices, or the answer of a refusal."""
    body = {"external_customer_id": of, "lago_invoice_ids": [row["lago_id"] for row in invoices], **more}
    made: dict[str, Any] = api.post("/payment_requests", {"payment_request": body}, status)
    row: dict[str, Any] = made.get("payment_request", made)
    return row


def late(api: Api, *of: str) -> list[dict[str, Any]]:
    """Invoices of 150 EUR of these customers, overdue."""
    api.at("2025-06-05T10:00:00Z")
    add_on(api)
    for external_id in dict.fromkeys(of):
        customer(api, external_id, net_payment_term=0, email=f"{external_id}@acme.test")
    made = [bill_once(api, of=external_id) for external_id in of]
    api.at("2025-06-07T00:00:00Z")
    return made


async def test_what_is_due_is_asked_for(api: Api, installation: Installation) -> None:
    first, second = late(api, "c", "c")
    pay(api, first, 4000)
    listen(api)
    made = ask(api, second, first, {"lago_id": str(uuid.uuid4())}, {"lago_id": "x"}, first)
    assert (made["amount_cents"], made["amount_currency"], made["payment_status"]) == (26000, "EUR", "pending")
    assert (made["email"], made["customer"]["external_id"]) == ("c@acme.test", "c")
    assert [row["lago_id"] for row in made["invoices"]] == [first["lago_id"], second["lago_id"]]
    assert await told(installation, api) == [("payment_request.created", made["lago_id"])]
    assert ask(api, first, email=" a@x.test, b@x.test ")["email"] == "a@x.test,b@x.test"
    pay(api, first, 11000)
    assert api.get(f"/payment_requests/{made['lago_id']}")["payment_request"]["amount_cents"] == 26000
    assert ask(api, first, status=405)["code"] == "invoices_not_overdue"


def test_refusals(api: Api) -> None:
    mine, foreign = late(api, "c", "d")
    fresh = bill_once(api)
    assert ask(api, mine, of="nobody", status=404)["code"] == "customer_not_found"
    assert ask(api, foreign, status=404)["code"] == "invoice_not_found"
    assert ask(api, status=404)["code"] == "invoice_not_found"
    assert ask(api, mine, fresh, status=405)["code"] == "invoices_not_overdue"
    assert ask(api, mine, email="nobody", status=422)["error_details"] == {"email": ["invalid_email_format"]}
    assert api.get("/payment_requests/x", 404)["code"] == "payment_request_not_found"
    assert api.get("/payment_requests")["payment_requests"] == []


def test_one_issuer(api: Api) -> None:
    (mine,) = late(api, "c")
    api.post("/billing_entities", {"billing_entity": {"code": "second", "name": "Second"}})
    other = bill_once(api, billing_entity_code="second")
    api.at("2025-06-09T00:00:00Z")
    assert ask(api, mine, other, status=405)["code"] == "invoices_have_different_billing_entities"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/payment_requests", "dc"),
        ("/payment_requests?external_customer_id=c", "c"),
        ("/payment_requests?payment_status=failed", ""),
        ("/payment_requests?payment_status=pending&currency=eur", "dc"),
        ("/payment_requests?currency=USD", ""),
        ("/customers/c/payment_requests", "c"),
    ],
)
def test_lists(api: Api, path: str, found: str) -> None:
    for invoice, of in zip(late(api, "c", "d"), "cd", strict=True):
        ask(api, invoice, of=of)
    code = api.get("/billing_entities")["billing_entities"][0]["code"]
    for more in ("", f"billing_entity_codes[]={code}"):
        rows = api.get(f"{path}{'&' if '?' in path else '?'}{more}")["payment_requests"]
        assert "".join(row["customer"]["external_id"] for row in rows) == found
    assert api.get("/payment_requests?billing_entity_codes[]=x", 404)["code"] == "billing_entity_not_found"
    assert api.get("/customers/x/payment_requests", 404)["code"] == "customer_not_found"
