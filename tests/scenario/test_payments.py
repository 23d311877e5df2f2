"""Invoices paid by hand: in parts, whole, too late, after credit notes; what is told and what follows."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.billing import add_on, bill_once
from tests.support.credit_notes import note
from tests.support.payments import pay, payments
from tests.support.subscriptions import at, customer, listen, told

STATE = ("payment_status", "total_paid_amount_cents", "total_due_amount_cents")


@pytest.fixture
def sold(api: Api) -> dict[str, Any]:
    """An invoice of 100 EUR of 5 June, due ten days later."""
    api.at("2025-06-05T10:00:00Z")
    customer(api, net_payment_term=10)
    add_on(api, cents=10000)
    invoice = bill_once(api)
    listen(api)
    return invoice


def shown(api: Api, invoice: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = api.get(f"/invoices/{invoice['lago_id']}")["invoice"]
    return row


def state(api: Api, invoice: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(shown(api, invoice)[name] for name in STATE)


def set_status(api: Api, invoice: dict[str, Any], status: str) -> None:
    api.put(f"/invoices/{invoice['lago_id']}", {"invoice": {"payment_status": status}})


async def test_parts_are_not_told_the_last_one_is(api: Api, installation: Installation, sold: dict[str, Any]) -> None:
    """The steps of payments.md §3.18, with the charges of providers left out."""
    pay(api, sold, 3000)
    assert state(api, sold) == ("pending", 3000, 7000)
    assert await told(installation, api) == []
    set_status(api, sold, "failed")
    await told(installation, api)
    pay(api, sold, 2000)
    assert state(api, sold) == ("failed", 5000, 5000)
    assert await told(installation, api) == []
    pay(api, sold, 5000)
    assert state(api, sold) == ("succeeded", 10000, 0)
    assert await told(installation, api) == [("invoice.payment_status_updated", sold["lago_id"])]
    assert {fee["payment_status"] for fee in shown(api, sold)["fees"]} == {"succeeded"}
    over = pay(api, sold, 1, 422)
    assert over["error_details"] == {"amount_cents": ["value_is_out_of_range"]}


async def test_a_late_payment_ends_the_overdue_mark(api: Api, installation: Installation, sold: dict[str, Any]) -> None:
    await at(installation, api, "2025-06-20T00:00:00Z")
    assert [kind for kind, _ in await told(installation, api)] == ["invoice.payment_overdue"]
    pay(api, sold, 4000)
    assert shown(api, sold)["payment_overdue"] is True
    pay(api, sold, 6000)
    assert shown(api, sold)["payment_overdue"] is False


async def test_a_paid_invoice_never_turns_overdue(api: Api, installation: Installation, sold: dict[str, Any]) -> None:
    pay(api, sold, 10000)
    await at(installation, api, "2025-06-20T00:00:00Z")
    assert [kind for kind, _ in await told(installation, api)] == ["invoice.payment_status_updated"]


async def test_money_for_an_invoice_that_was_said_to_be_paid(
    api: Api, installation: Installation, sold: dict[str, Any]
) -> None:
    set_status(api, sold, "succeeded")
    assert state(api, sold) == ("succeeded", 0, 10000)
    await told(installation, api)
    pay(api, sold, 10000)
    assert state(api, sold) == ("succeeded", 10000, 0)
    assert await told(installation, api) == []


async def test_payments_and_offsets_settle_together(api: Api, installation: Installation, sold: dict[str, Any]) -> None:
    note(api, sold, (sold["fees"][0], 2500), offset_amount_cents=2500)
    over = pay(api, sold, 7501, 422)
    assert over["error_details"] == {"amount_cents": ["value_is_out_of_range"]}
    await told(installation, api)
    pay(api, sold, 7500)
    assert state(api, sold) == ("succeeded", 7500, 0)
    assert await told(installation, api) == [("invoice.payment_status_updated", sold["lago_id"])]
    assert [row["amount_cents"] for row in payments(api)] == [7500]


def test_a_partly_paid_invoice_is_offset_and_refunded(api: Api, sold: dict[str, Any]) -> None:
    fee = sold["fees"][0]
    pay(api, sold, 7500)
    made = note(api, sold, (fee, 2500), offset_amount_cents=2500)
    assert (made["offset_amount_cents"], state(api, sold)) == (2500, ("succeeded", 7500, 0))
    back = note(api, sold, (fee, 7500), refund_amount_cents=7500)
    assert (back["refund_amount_cents"], back["refund_status"]) == (7500, "pending")


def test_a_purchase_of_credits_is_paid_whole(api: Api) -> None:
    api.at("2025-06-05T10:00:00Z")
    customer(api)
    body = {"external_customer_id": "c", "rate_amount": "1", "currency": "EUR"}
    wallet = api.post("/wallets", {"wallet": body})["wallet"]
    bought = {"wallet_id": wallet["lago_id"], "paid_credits": "50"}
    (row,) = api.post("/wallet_transactions", {"wallet_transaction": bought})["wallet_transactions"]
    invoice = {"lago_id": row["lago_invoice_id"]}
    assert pay(api, invoice, 4999, 422)["error_details"] == {"amount_cents": ["invalid_amount"]}
    pay(api, invoice, 5000)
    assert state(api, invoice) == ("succeeded", 5000, 0)
    assert api.get(f"/wallets/{wallet['lago_id']}")["wallet"]["balance_cents"] == 5000
