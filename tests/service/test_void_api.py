"""Issued invoices over HTTP: void, disputes, other attempts to collect (invoicing.md §16.1, §17)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text

from tallystick.flows.wire.messages import contents_at, render
from tallystick.ground.installation import Installation
from tallystick.ground.tables import OutboxMessage
from tests.support.api import Api
from tests.support.billing import add_on, bill_once, invoices
from tests.support.catalog import plan
from tests.support.subscriptions import customer, due, listen, subscribe, told


@pytest.fixture
def billed(api: Api) -> dict[str, Any]:
    """An invoice of one add-on, due at once."""
    api.at("2025-06-05T10:00:00Z")
    customer(api, email="acme@example.com")
    add_on(api)
    return bill_once(api)


async def payloads(installation: Installation, api: Api) -> list[tuple[str, dict[str, Any]]]:
    """(key, object) of the messages in the outbox."""
    statement = select(OutboxMessage).where(OutboxMessage.organization_id == api.organization["lago_id"])
    async with installation.database.begin() as tx:
        rows = list(await tx.scalars(statement.order_by(OutboxMessage.position)))
        rendered = await render(tx, rows, contents_at("http://localhost"))
    return [(item.object_type, dict(item.object)) for item in rendered]


async def test_a_voided_invoice_keeps_its_number_and_amounts(
    api: Api, billed: dict[str, Any], installation: Installation
) -> None:
    listen(api)
    api.at("2025-06-07T06:00:00Z")
    assert api.get(f"/invoices/{billed['lago_id']}")["invoice"]["payment_overdue"] is True
    await told(installation, api)
    gone = api.post(f"/invoices/{billed['lago_id']}/void")["invoice"]
    assert (gone["status"], gone["voided_at"], gone["payment_overdue"]) == ("voided", "2025-06-07T06:00:00Z", False)
    assert (gone["number"], gone["total_amount_cents"], gone["total_due_amount_cents"]) == (billed["number"], 15000, 0)
    assert await told(installation, api) == [("invoice.voided", billed["lago_id"])]
    assert api.get(f"/invoices/{billed['lago_id']}")["invoice"] == gone
    assert api.post(f"/invoices/{billed['lago_id']}/void", status=405)["code"] == "not_voidable"
    answer = api.put(f"/invoices/{billed['lago_id']}", {"invoice": {"payment_status": "succeeded"}}, 405)
    assert answer["code"] == "update_on_voided_invoice"
    assert bill_once(api)["sequential_id"] == 2


async def test_a_voided_invoice_never_turns_overdue(
    api: Api, billed: dict[str, Any], installation: Installation
) -> None:
    assert await due(installation, billed) == {"overdue_invoice": "2025-06-06T00:00:00Z"}
    api.post(f"/invoices/{billed['lago_id']}/void")
    assert await due(installation, billed) == {}


def test_a_paid_invoice_can_be_voided(api: Api, billed: dict[str, Any]) -> None:
    api.put(f"/invoices/{billed['lago_id']}", {"invoice": {"payment_status": "succeeded"}})
    assert api.post(f"/invoices/{billed['lago_id']}/void")["invoice"]["status"] == "voided"


async def test_lines_of_a_voided_invoice_free_their_period_and_its_tick_stays_billed(
    api: Api, installation: Installation
) -> None:
    api.at("2025-06-01T00:00:00Z")
    plan(api, amount_cents=3000)
    customer(api)
    subscribe(api)
    api.at("2025-07-01T06:00:00Z")
    (first,) = invoices(api)
    api.post(f"/invoices/{first['lago_id']}/void")
    async with installation.database.begin() as tx:
        live = list(await tx.scalars(text("select live from fees where invoice_id = :id"), {"id": first["lago_id"]}))
    assert live == [False]
    api.at("2025-08-01T06:00:00Z")
    shown = [(row["status"], row["issuing_date"], row["fees_amount_cents"]) for row in invoices(api)]
    assert shown == [("voided", "2025-07-01", 3000), ("finalized", "2025-08-01", 3000)]


def test_a_note_for_more_than_can_be_credited_is_refused(api: Api, billed: dict[str, Any]) -> None:
    body = {"generate_credit_note": True, "credit_amount": 15000, "refund_amount": 1}
    answer = api.post(f"/invoices/{billed['lago_id']}/void", body, 422)
    assert answer["error_details"] == {"credit_refund_amount": ["total_amount_exceeds_invoice_amount"]}
    assert api.get(f"/invoices/{billed['lago_id']}")["invoice"]["status"] == "finalized"


def test_a_voided_invoice_gives_its_coupon_back(api: Api) -> None:
    api.at("2025-06-01T00:00:00Z")
    plan(api, amount_cents=3000)
    customer(api)
    subscribe(api)
    coupon = {"name": "c", "code": "c", "coupon_type": "fixed_amount", "amount_cents": 500, "amount_currency": "EUR"}
    api.post("/coupons", {"coupon": {**coupon, "frequency": "once", "expiration": "no_expiration"}})
    api.post("/applied_coupons", {"applied_coupon": {"external_customer_id": "c", "coupon_code": "c"}})
    api.at("2025-07-01T06:00:00Z")
    (invoice,) = invoices(api)
    assert invoice["coupons_amount_cents"] == 500
    api.post(f"/invoices/{invoice['lago_id']}/void")
    api.at("2025-08-01T06:00:00Z")
    assert [row["coupons_amount_cents"] for row in invoices(api)] == [500, 500]


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_lost_dispute_is_told_each_time_and_keeps_its_first_date(
    api: Api, billed: dict[str, Any], installation: Installation, method: str
) -> None:
    listen(api)
    api.at("2025-06-07T06:00:00Z")
    await told(installation, api)
    path = f"/invoices/{billed['lago_id']}/lose_dispute"
    lost = api.call(method, path)["invoice"]
    assert (lost["payment_dispute_lost_at"], lost["payment_overdue"]) == ("2025-06-07T06:00:00.000Z", False)
    ((key, payload),) = await payloads(installation, api)
    assert (key, list(payload)) == ("payment_dispute_lost", ["invoice"])
    assert payload["invoice"]["customer"]["external_id"] == "c"
    assert "fees" not in payload["invoice"]
    await told(installation, api)
    api.at("2025-06-08T06:00:00Z")
    assert api.call(method, path)["invoice"]["payment_dispute_lost_at"] == "2025-06-07T06:00:00.000Z"
    assert await due(installation, billed) == {}


def test_a_voided_invoice_can_be_disputed(api: Api, billed: dict[str, Any]) -> None:
    api.post(f"/invoices/{billed['lago_id']}/void")
    assert api.post(f"/invoices/{billed['lago_id']}/lose_dispute")["invoice"]["payment_dispute_lost_at"] is not None


async def test_without_a_provider_nobody_collects(api: Api, billed: dict[str, Any], installation: Installation) -> None:
    listen(api)
    path = f"/invoices/{billed['lago_id']}"
    assert api.post(f"{path}/retry_payment") is None
    ((key, payload),) = await payloads(installation, api)
    assert key == "payment_provider_invoice_payment_error"
    assert payload == {
        "lago_invoice_id": billed["lago_id"],
        "lago_customer_id": billed["customer"]["lago_id"],
        "external_customer_id": "c",
        "provider_customer_id": None,
        "payment_provider": None,
        "payment_provider_code": None,
        "provider_error": None,
        "error_details": {"code": "customer_must_have_payment_provider"},
    }
    assert api.post(f"{path}/payment_url", status=422)["error_details"] == {"base": ["no_linked_payment_provider"]}
    api.put(path, {"invoice": {"payment_status": "succeeded"}})
    assert api.post(f"{path}/retry_payment", status=405)["code"] == "invalid_status"


@pytest.mark.parametrize(
    ("provider", "paid", "code"),
    [
        ("gocardless", True, "invalid_payment_provider"),
        ("stripe", True, "invalid_invoice_status_or_payment_status"),
        ("stripe", False, "missing_payment_provider"),
    ],
)
def test_who_gets_no_payment_page(api: Api, billed: dict[str, Any], provider: str, paid: bool, code: str) -> None:
    settings = {"payment_provider": provider, "payment_provider_code": "x"}
    api.post("/customers", {"customer": {"external_id": "c", "billing_configuration": settings}})
    path = f"/invoices/{billed['lago_id']}"
    if paid:
        api.put(path, {"invoice": {"payment_status": "succeeded"}})
    assert api.post(f"{path}/payment_url", status=422)["error_details"] == {"base": [code]}


async def test_taxes_are_asked_for_again_only_after_they_failed(
    api: Api, billed: dict[str, Any], installation: Installation
) -> None:
    path = f"/invoices/{billed['lago_id']}"
    assert api.post(f"{path}/retry", status=405)["code"] == "invalid_status"
    assert api.put(f"{path}/sync_salesforce_id", {"external_id": "x"}, 404)["code"] == "integration_not_found"


def test_who_gets_no_mail(api: Api, billed: dict[str, Any]) -> None:
    path = f"/invoices/{billed['lago_id']}/resend_email"
    assert api.post(path, status=405)["code"] == "email_settings_disabled"
    change = {"email_settings": ["invoice.finalized"]}
    api.put("/organizations", {"organization": change})
    assert api.post(path, status=422)["error_details"] == {"billing_entity": ["must have email configured"]}
    api.put("/organizations", {"organization": {"email": "seller@example.com"}})
    assert api.post(path) is None
    body = {"to": ["a@example.com", "nobody", "b"], "cc": ["c@example.com"], "bcc": ["@"]}
    assert api.post(path, body, 422)["error_details"] == {
        "to": ["invalid email format: nobody, b"],
        "bcc": ["invalid email format: @"],
    }
    api.post("/customers", {"customer": {"external_id": "c", "email": None}})
    assert api.post(path, status=422)["error_details"] == {"to": ["must have at least one recipient"]}
