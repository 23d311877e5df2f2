"""Credits that are bought under `invoice_requires_successful_payment`: their invoice is issued when it is paid.

By hand or by a caller's word; what is told, numbered, dated and shown before and after (wallets.md §4.1).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tallystick.ground import agenda
from tallystick.ground.installation import Installation
from tallystick.ground.tables import Invoice
from tests.support.api import Api
from tests.support.billing import add_on, bill_once
from tests.support.payments import pay, payments
from tests.support.subscriptions import at, customer, listen, told
from tests.support.wallets import again, move, moves, wallet

Way = Callable[[Api, dict[str, Any]], None]


def by_hand(api: Api, invoice: dict[str, Any]) -> None:
    pay(api, invoice, 1000)


def by_word(api: Api, invoice: dict[str, Any]) -> None:
    said(api, invoice, "succeeded")


BOTH = pytest.mark.parametrize("way", [by_hand, by_word])


def said(api: Api, invoice: dict[str, Any], status: str) -> dict[str, Any]:
    """What a caller tells of a payment, and the answer."""
    path, body = f"/invoices/{invoice['lago_id']}", {"invoice": {"payment_status": status}}
    found: dict[str, Any] = api.put(path, body)["invoice"]
    return found


@pytest.fixture
def shop(api: Api) -> Api:
    """A customer of New York, who pays ten days later."""
    api.at("2025-01-01T12:00:00Z")
    customer(api, net_payment_term=10, timezone="America/New_York")
    return api


@pytest.fixture
def bought(shop: Api) -> dict[str, Any]:
    """A wallet with ten credits at 1 EUR that wait for their payment."""
    return wallet(shop, paid_credits="10", invoice_requires_successful_payment=True)


@pytest.fixture
def waiting(shop: Api, bought: dict[str, Any]) -> dict[str, Any]:
    """The invoice that nobody sees."""
    (row,) = moves(shop, bought)
    return {"lago_id": row["lago_invoice_id"], "purchase": row["lago_id"]}


@BOTH
async def test_paid_it_is_issued_on_that_day(
    shop: Api, installation: Installation, bought: dict[str, Any], waiting: dict[str, Any], way: Way
) -> None:
    add_on(shop)
    first = bill_once(shop)
    listen(shop)
    await at(installation, shop, "2025-03-20T02:00:00Z")
    await told(installation, shop)
    way(shop, waiting)
    # the wallet comes first, and nobody had known of a payment to be told of (webhooks.md §2.3)
    assert await told(installation, shop) == [
        ("wallet_transaction.updated", waiting["purchase"]),
        ("wallet.updated", bought["lago_id"]),
        ("invoice.paid_credit_added", waiting["lago_id"]),
    ]
    invoice = shop.get(f"/invoices/{waiting['lago_id']}")["invoice"]
    assert (invoice["invoice_type"], invoice["status"], invoice["payment_status"]) == (
        "credit",
        "finalized",
        "succeeded",
    )
    assert (invoice["issuing_date"], invoice["payment_due_date"]) == ("2025-03-19", "2025-03-29")
    assert (invoice["created_at"], invoice["updated_at"]) == ("2025-01-01T12:00:00Z", "2025-03-20T02:00:00Z")
    async with installation.database.begin() as tx:
        stored = await tx.get_one(Invoice, uuid.UUID(waiting["lago_id"]))
        assert stored.finalized_at == dt.datetime.fromisoformat("2025-03-20T02:00:00Z")
    # numbers are those of the issued, in the order in which they were issued
    assert (first["sequential_id"], invoice["sequential_id"]) == (1, 2)
    assert (first["number"][-4:], invoice["number"]) == ("-001", f"{first['number'][:-4]}-002")
    assert (invoice["total_amount_cents"], invoice["payment_overdue"]) == (1000, False)
    (fee,) = invoice["fees"]
    assert (fee["item"]["type"], fee["amount_cents"], fee["payment_status"]) == ("credit", 1000, "succeeded")
    (row,) = moves(shop, bought)
    assert (row["status"], row["remaining_amount_cents"], again(shop, bought)["balance_cents"]) == (
        "settled",
        1000,
        1000,
    )
    assert {one["lago_id"] for one in shop.get("/invoices", external_customer_id="c")["invoices"]} == {
        first["lago_id"],
        waiting["lago_id"],
    }


@BOTH
async def test_paid_it_gets_a_document_and_is_never_overdue(
    shop: Api, installation: Installation, waiting: dict[str, Any], way: Way
) -> None:
    way(shop, waiting)
    async with installation.database.begin() as tx:
        assert await agenda.of_subjects(tx, [uuid.UUID(waiting["lago_id"])]) == []
    shop.at("2025-02-01T00:00:00Z")
    invoice = shop.get(f"/invoices/{waiting['lago_id']}")["invoice"]
    assert invoice["file_url"] is not None
    assert invoice["payment_overdue"] is False


def test_its_payment_is_seen_with_the_number_it_got(shop: Api, bought: dict[str, Any], waiting: dict[str, Any]) -> None:
    part = pay(shop, waiting, 400, 422)
    assert part["error_details"] == {"amount_cents": ["invalid_amount"]}
    shop.get(f"/invoices/{waiting['lago_id']}", 404)
    made = pay(shop, waiting, 1000)
    invoice = shop.get(f"/invoices/{waiting['lago_id']}")["invoice"]
    assert made["invoice_numbers"] == [invoice["number"]]
    assert [row["lago_id"] for row in payments(shop)] == [made["lago_id"]]
    assert (invoice["total_paid_amount_cents"], invoice["total_due_amount_cents"]) == (1000, 0)


def test_the_word_of_a_caller_is_answered_with_the_issued_invoice(shop: Api, waiting: dict[str, Any]) -> None:
    answer = said(shop, waiting, "succeeded")
    assert answer["status"] == "finalized"
    assert answer == shop.get(f"/invoices/{waiting['lago_id']}")["invoice"]
    # no money was recorded: it can be, once (invoicing.md §25, 15)
    assert (answer["total_paid_amount_cents"], answer["total_due_amount_cents"]) == (0, 1000)
    pay(shop, waiting, 1000)
    again_shown = shop.get(f"/invoices/{waiting['lago_id']}")["invoice"]
    assert (again_shown["number"], again_shown["total_due_amount_cents"]) == (answer["number"], 0)


@BOTH
async def test_a_failed_payment_leaves_it_waiting(
    shop: Api, installation: Installation, bought: dict[str, Any], waiting: dict[str, Any], way: Way
) -> None:
    listen(shop)
    await told(installation, shop)
    said(shop, waiting, "failed")
    assert await told(installation, shop) == [("wallet_transaction.updated", waiting["purchase"])]
    shop.get(f"/invoices/{waiting['lago_id']}", 404)
    assert shop.get("/invoices")["invoices"] == []
    assert moves(shop, bought)[0]["status"] == "failed"
    way(shop, waiting)
    assert [name for name, _ in await told(installation, shop)] == [
        "wallet_transaction.updated",
        "wallet.updated",
        "invoice.paid_credit_added",
    ]
    assert shop.get(f"/invoices/{waiting['lago_id']}")["invoice"]["status"] == "finalized"
    assert again(shop, bought)["balance_cents"] == 1000


def test_paid_once_it_stays_issued(shop: Api, bought: dict[str, Any], waiting: dict[str, Any]) -> None:
    number = said(shop, waiting, "succeeded")["number"]
    answer = said(shop, waiting, "failed")
    assert (answer["status"], answer["payment_status"], answer["number"]) == ("finalized", "failed", number)
    assert said(shop, waiting, "succeeded")["number"] == number
    assert again(shop, bought)["balance_cents"] == 1000


def test_only_its_payment_reaches_it(shop: Api, waiting: dict[str, Any]) -> None:
    path = f"/invoices/{waiting['lago_id']}"
    pairs = [{"key": "k", "value": "v"}]
    assert shop.put(path, {"invoice": {"metadata": pairs}}, 404)["code"] == "invoice_not_found"
    shop.post(f"{path}/void", None, 404)
    shop.post(f"{path}/download", None, 404)
    refused = shop.put(path, {"invoice": {"payment_status": "lost"}}, 422)["error_details"]
    assert refused == {"payment_status": ["value_is_invalid"]}
    answer = shop.put(path, {"invoice": {"payment_status": "succeeded", "metadata": pairs}})["invoice"]
    assert [row["key"] for row in answer["metadata"]] == ["k"]


def test_the_sections_of_the_order_stay(shop: Api, bought: dict[str, Any]) -> None:
    for code in ("old", "new"):
        shop.post("/invoice_custom_sections", {"invoice_custom_section": {"code": code, "name": code}})
    (made,) = move(
        shop,
        bought,
        paid_credits="10",
        invoice_requires_successful_payment=True,
        invoice_custom_section={"invoice_custom_section_codes": ["old"]},
    )
    customer(shop, invoice_custom_section_codes=["new"])
    (row,) = [row for row in moves(shop, bought) if row["lago_id"] == made["lago_id"]]
    answer = said(shop, {"lago_id": row["lago_invoice_id"]}, "succeeded")
    assert [one["code"] for one in answer["applied_invoice_custom_sections"]] == ["old"]
