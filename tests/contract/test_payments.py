"""Payments and payment requests through the official client: every method, and what it raises."""

from __future__ import annotations

from typing import Any

import pytest
from lago_python_client.models import Payment, PaymentRequest

from tests.contract.refusals import coded, invalid, refused
from tests.contract.shop import Shop


@pytest.fixture
def invoice(shop: Shop) -> Any:
    """The invoice of June: 20.00 and 20 % tax."""
    return shop.invoice()


def body(invoice: Any, cents: int = 1000, **more: Any) -> Payment:
    return Payment(**{"invoice_id": invoice.lago_id, "amount_cents": cents, "reference": "wire", **more})


def test_create_find_and_list(shop: Shop, invoice: Any) -> None:
    client = shop.lago.payments
    made = client.create(body(invoice, paid_at="2025-06-30"))
    assert (made.invoice_ids, made.invoice_numbers) == ([invoice.lago_id], [invoice.number])
    assert (made.amount_cents, made.amount_currency, made.payment_status) == (1000, "EUR", "succeeded")
    assert (made.type, made.reference, made.external_payment_id) == ("manual", "wire", None)
    assert made.created_at == "2025-06-30T00:00:00Z"
    assert client.find(made.lago_id) == made
    assert client.find_all()["payments"] == [made]
    assert client.find_all({"invoice_id": invoice.lago_id})["payments"] == [made]
    assert client.find_all({"external_customer_id": "nobody"})["payments"] == []
    assert refused(client.find_all, {"invoice_id": "x"}) == invalid(invoice_id=["is in invalid format"])
    # `customer_payments.find_all` of the client never sends the key
    (row,) = shop.api.get("/customers/acme/payments")["payments"]
    assert row["lago_id"] == made.lago_id


def test_the_whole_invoice(shop: Shop, invoice: Any) -> None:
    shop.lago.payments.create(body(invoice, 2400))
    after = shop.lago.invoices.find(invoice.lago_id)
    assert (after.payment_status, after.total_paid_amount_cents, after.total_due_amount_cents) == ("succeeded", 2400, 0)


def test_refusals(shop: Shop, invoice: Any) -> None:
    client = shop.lago.payments
    assert refused(client.create, body(invoice, 2401)) == invalid(amount_cents=["value_is_out_of_range"])
    assert refused(client.create, body(invoice, 0)) == invalid(amount_cents=["invalid_value"])
    assert refused(client.create, body(invoice, reference="")) == invalid(reference=["value_is_mandatory"])
    assert refused(client.create, body(invoice, invoice_id="x")) == coded(404, "invoice_not_found")
    assert refused(client.create, body(invoice, paid_at="x")) == invalid(paid_at=["invalid_date"])
    assert refused(client.find, "x") == coded(404, "payment_not_found")


def test_requests(shop: Shop, invoice: Any) -> None:
    client = shop.lago.payment_requests
    asked = PaymentRequest(external_customer_id="acme", email="a@b.test", lago_invoice_ids=[invoice.lago_id])
    assert refused(client.create, asked) == coded(405, "invoices_not_overdue")
    shop.api.at("2025-08-15T00:00:00Z")
    made = client.create(asked)
    assert (made.amount_cents, made.amount_currency, made.payment_status) == (2400, "EUR", "pending")
    assert (made.email, made.customer.external_id) == ("a@b.test", "acme")
    assert [row.lago_id for row in made.invoices.__root__] == [invoice.lago_id]
    assert client.find(made.lago_id) == made
    assert client.find_all({"external_customer_id": "acme"})["payment_requests"] == [made]
    assert refused(client.find, "x") == coded(404, "payment_request_not_found")
