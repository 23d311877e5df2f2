"""Prepaid credits on real invoices: order, splits, sets, drafts, voids, purchases, previews, and what is told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from tallystick.core.occasion import Occasion, Reason
from tallystick.flows.billing.run import bill
from tallystick.ground.installation import Installation
from tallystick.ground.tables import Subscription, Wallet
from tests.support.api import Api
from tests.support.catalog import plan
from tests.support.statements import counted
from tests.support.subscriptions import at, customer, listen, subscribe, told
from tests.support.wallets import again, move, moves, wallet


@pytest.fixture
def shop(api: Api) -> Api:
    """A customer and a plan of 30 EUR a month."""
    api.at("2025-01-01T00:00:00Z")
    customer(api)
    plan(api, amount_cents=3000)
    return api


def invoices(api: Api, of: str = "c") -> list[dict[str, Any]]:
    """The invoices of a customer, oldest first."""
    rows: list[dict[str, Any]] = api.get("/invoices", external_customer_id=of)["invoices"]
    return sorted(rows, key=lambda row: (row["created_at"], row["sequential_id"] or 0))


def test_granted_and_purchased_credits_pay_together(shop: Api) -> None:
    mixed = wallet(shop, paid_credits="20", granted_credits="5")
    (purchase,) = invoices(shop)
    shop.put(f"/invoices/{purchase['lago_id']}", {"invoice": {"payment_status": "succeeded"}})
    subscribe(shop)
    shop.at("2025-02-01T00:00:00Z")
    _, invoice = invoices(shop)
    assert invoice["prepaid_credit_amount_cents"] == 2500
    assert invoice["prepaid_granted_credit_amount_cents"] == 500
    assert invoice["prepaid_purchased_credit_amount_cents"] == 2000
    assert (invoice["total_amount_cents"], invoice["payment_status"]) == (500, "pending")
    assert again(shop, mixed)["balance_cents"] == 0
    (out,) = moves(shop, mixed, transaction_type="outbound")
    links = shop.get(f"/wallet_transactions/{out['lago_id']}/fundings")["wallet_transaction_fundings"]
    found = [(one["amount_cents"], one["wallet_transaction"]["transaction_status"]) for one in links]
    assert sorted(found) == [(500, "granted"), (2000, "purchased")]


def test_credit_notes_pay_before_wallets(shop: Api) -> None:
    subscribe(shop)
    shop.at("2025-02-01T00:00:00Z")
    (first,) = invoices(shop)
    (fee,) = shop.get(f"/invoices/{first['lago_id']}")["invoice"]["fees"]
    items = [{"fee_id": fee["lago_id"], "amount_cents": 1000}]
    shop.post(
        "/credit_notes",
        {"credit_note": {"invoice_id": first["lago_id"], "items": items, "credit_amount_cents": 1000}},
    )
    prepaid = wallet(shop, granted_credits="100")
    shop.at("2025-03-01T00:00:00Z")
    _, second = invoices(shop)
    assert (second["credit_notes_amount_cents"], second["prepaid_credit_amount_cents"]) == (1000, 2000)
    assert again(shop, prepaid)["balance_cents"] == 8000


def test_other_currencies_and_ended_wallets_pay_nothing(shop: Api) -> None:
    wallet(shop, granted_credits="100", currency="USD", name="dollars")
    ended = wallet(shop, granted_credits="100", name="ended")
    shop.delete(f"/wallets/{ended['lago_id']}")
    subscribe(shop)
    shop.at("2025-02-01T00:00:00Z")
    (invoice,) = invoices(shop)
    assert (invoice["prepaid_credit_amount_cents"], invoice["total_amount_cents"]) == (0, 3000)


def test_invoices_of_one_run_find_what_the_one_before_left(shop: Api) -> None:
    prepaid = wallet(shop, granted_credits="50")
    subscribe(shop, external_id="one", consolidate_invoice=False)
    subscribe(shop, external_id="two", consolidate_invoice=False)
    shop.at("2025-02-01T00:00:00Z")
    paid = sorted(row["prepaid_credit_amount_cents"] for row in invoices(shop))
    assert paid in ([2000, 3000], [5000])
    assert again(shop, prepaid)["balance_cents"] == 0


async def test_messages_of_a_paid_invoice_and_its_void(running_api: Api, installation: Installation) -> None:
    api = running_api
    prepaid = wallet(api, granted_credits="10")
    subscribe(api)
    listen(api)
    await at(installation, api, "2025-02-01T00:00:00Z")
    (invoice,) = invoices(api)
    names = [name for name, _ in await told(installation, api)]
    assert names[:3] == ["wallet.updated", "wallet_transaction.created", "invoice.created"]
    api.post(f"/invoices/{invoice['lago_id']}/void")
    names = [name for name, _ in await told(installation, api)]
    assert names == ["wallet.updated", "wallet_transaction.created", "invoice.voided"]
    (back, _, first) = moves(api, prepaid)
    assert (back["transaction_status"], back["amount"], back["lago_voided_invoice_id"]) == (
        "granted",
        "10.0",
        invoice["lago_id"],
    )
    assert (first["remaining_amount_cents"], again(api, prepaid)["consumed_credits"]) == (0, "0.0")


@pytest.fixture
async def running_api(api: Api, installation: Installation) -> Api:
    """The shop again, its clock moved from the test's own process so that messages stay in the outbox."""
    await at(installation, api, "2025-01-01T00:00:00Z")
    customer(api)
    plan(api, amount_cents=3000)
    return api


def test_a_void_with_credit_notes_gives_no_credits_back(shop: Api) -> None:
    prepaid = wallet(shop, granted_credits="10")
    subscribe(shop)
    shop.at("2025-02-01T00:00:00Z")
    (invoice,) = invoices(shop)
    shop.post(f"/invoices/{invoice['lago_id']}/void?generate_credit_note=true&credit_amount=1000")
    assert again(shop, prepaid)["balance_cents"] == 0


def test_previews_show_what_wallets_would_pay(shop: Api) -> None:
    prepaid = wallet(shop, granted_credits="10")
    asked = {"customer": {"external_id": "c"}, "plan_code": "p"}
    looked = shop.post("/invoices/preview", asked)["invoice"]
    assert looked["prepaid_credit_amount_cents"] > 0
    assert again(shop, prepaid)["balance_cents"] == 1000


# -- purchases --------------------------------------------------------------------------------------


def test_a_purchase_and_its_invoice(shop: Api) -> None:
    bought = wallet(shop, name="Pro", rate_amount="0.5", paid_credits="10", purchase_order_number="PO-1")
    (listed,) = invoices(shop)
    invoice = shop.get(f"/invoices/{listed['lago_id']}")["invoice"]
    assert (invoice["invoice_type"], invoice["status"], invoice["payment_status"]) == (
        "credit",
        "finalized",
        "pending",
    )
    assert (invoice["total_amount_cents"], invoice["purchase_order_number"]) == (500, "PO-1")
    (fee,) = invoice["fees"]
    (purchase,) = moves(shop, bought)
    assert (fee["units"], fee["precise_unit_amount"], fee["amount_cents"]) == ("10.0", "0.5", 500)
    assert (fee["item"]["type"], fee["item"]["code"]) == ("credit", "credit")
    assert fee["item"]["lago_item_id"] == purchase["lago_id"]
    assert fee["item"]["invoice_display_name"] == "Prepaid credits - Pro"
    assert "from_date" not in fee
    assert purchase["lago_invoice_id"] == invoice["lago_id"]


def pay(api: Api, status: str) -> None:
    (invoice,) = invoices(api)
    api.put(f"/invoices/{invoice['lago_id']}", {"invoice": {"payment_status": status}})


def test_a_failed_purchase_may_settle_later(shop: Api) -> None:
    bought = wallet(shop, paid_credits="10")
    pay(shop, "failed")
    (row,) = moves(shop, bought)
    assert (row["status"], row["failed_at"]) == ("failed", "2025-01-01T00:00:00Z")
    pay(shop, "succeeded")
    (row,) = moves(shop, bought)
    assert (row["status"], row["remaining_amount_cents"]) == ("settled", 1000)
    pay(shop, "failed")  # what was paid is not taken back
    assert again(shop, bought)["balance_cents"] == 1000


def test_a_gated_purchase_is_invisible_until_it_is_paid(shop: Api) -> None:
    bought = wallet(shop, paid_credits="10", invoice_requires_successful_payment=True)
    assert invoices(shop) == []
    (row,) = moves(shop, bought)
    assert (row["status"], row["invoice_requires_successful_payment"]) == ("pending", True)
    shop.get(f"/invoices/{row['lago_invoice_id']}", 404)


def test_a_purchase_for_an_ended_wallet_still_settles(shop: Api) -> None:
    bought = wallet(shop, paid_credits="10")
    shop.delete(f"/wallets/{bought['lago_id']}")
    pay(shop, "succeeded")
    assert (again(shop, bought)["status"], again(shop, bought)["balance_cents"]) == ("terminated", 1000)


def noted(api: Api, cents: int, status: int = 200, **parts: int) -> Any:
    """A credit note of so much of the only invoice."""
    (listed,) = invoices(api)
    (fee,) = api.get(f"/invoices/{listed['lago_id']}")["invoice"]["fees"]
    items = [{"fee_id": fee["lago_id"], "amount_cents": cents}]
    return api.post(
        "/credit_notes", {"credit_note": {"invoice_id": listed["lago_id"], "items": items, **parts}}, status
    )


def test_a_refund_voids_the_credits_it_pays_back(shop: Api) -> None:
    bought = wallet(shop, paid_credits="10")
    (invoice,) = invoices(shop)
    shop.post("/payments", {"payment": {"invoice_id": invoice["lago_id"], "amount_cents": 1000, "reference": "r"}})
    assert again(shop, bought)["balance_cents"] == 1000
    move(shop, bought, voided_credits="3")
    refused = noted(shop, 800, 422, refund_amount_cents=800)["error_details"]
    assert refused == {"amount_cents": ["higher_than_wallet_balance"]}
    note = noted(shop, 400, refund_amount_cents=400)["credit_note"]
    assert again(shop, bought)["balance_cents"] == 300
    (voided, *_) = moves(shop, bought)
    assert (voided["transaction_status"], voided["amount"], voided["lago_credit_note_id"]) == (
        "voided",
        "4.0",
        note["lago_id"],
    )
    shop.delete(f"/wallets/{bought['lago_id']}")
    assert noted(shop, 100, 405, refund_amount_cents=100)["code"] == "invalid_type_or_status"


def test_an_offset_gives_no_credits(shop: Api) -> None:
    bought = wallet(shop, paid_credits="10")
    noted(shop, 1000, offset_amount_cents=1000)
    (row,) = moves(shop, bought)
    assert (row["status"], again(shop, bought)["balance_cents"]) == ("failed", 0)


# -- voids ------------------------------------------------------------------------------------------


def test_voids_name_what_they_take(shop: Api) -> None:
    made = wallet(shop, granted_credits="10")
    (late,) = move(shop, made, granted_credits="5", priority=1)
    (first,) = move(shop, made, voided_credits="6")
    fundings = shop.get(f"/wallet_transactions/{first['lago_id']}/fundings")["wallet_transaction_fundings"]
    assert sorted(one["amount_cents"] for one in fundings) == [100, 500]
    assert move(shop, made, 422, voided_transaction_id=late["lago_id"]) == {
        "voided_transaction_id": ["no_remaining_amount"]
    }
    (old,) = [row for row in moves(shop, made) if row["remaining_amount_cents"]]
    refused = move(shop, made, 422, voided_transaction_id=old["lago_id"], voided_credits="9.01")
    assert refused == {"voided_credits": ["insufficient_credits"]}
    (rest,) = move(shop, made, voided_transaction_id=old["lago_id"])
    assert (rest["amount"], rest["credit_amount"], again(shop, made)["credits_balance"]) == ("9.0", "9.0", "0.0")


def test_voided_credits_are_not_realigned(shop: Api) -> None:
    made = wallet(shop, granted_credits="100")
    move(shop, made, voided_credits="14.28444999")
    found = again(shop, made)
    assert (found["credits_balance"], found["balance_cents"]) == ("85.71556", 8572)


# -- ends -------------------------------------------------------------------------------------------


def test_wallets_end_on_their_day_and_with_their_customer(shop: Api) -> None:
    short = wallet(shop, name="short", expiration_at="2025-01-10T12:00:00Z")
    long = wallet(shop, name="long")
    shop.at("2025-01-11T00:00:00Z")
    assert again(shop, short)["terminated_at"] == "2025-01-10T12:00:00.000Z"
    shop.delete("/customers/c")
    shop.at("2025-01-11T00:00:01Z")
    assert again(shop, long)["status"] == "terminated"


# -- sets -------------------------------------------------------------------------------------------


async def test_many_customers_cost_as_many_statements_as_few(running_api: Api, installation: Installation) -> None:
    api = running_api
    counts = []
    for size in (2, 6):
        names = [f"{size}-{place}" for place in range(size)]
        for name in names:
            customer(api, name)
            wallet(api, name, name="a", granted_credits="10")
            wallet(api, name, name="b", granted_credits="100")
            subscribe(api, of=name, external_id=name)
        async with installation.database.begin() as tx:
            rows = list(await tx.scalars(select(Subscription).where(Subscription.external_id.in_(names))))
            when = dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
            with counted(installation.database) as statements:
                made = await bill(tx, [Occasion(row.id, Reason.PERIODIC, when) for row in rows])
            counts.append(len(statements))
            assert len(made) == size
            ids = {row.customer_id for row in rows}
            left = await tx.scalars(select(Wallet.balance_cents).where(Wallet.customer_id.in_(ids)))
            assert sorted(left) == [0] * size + [8000] * size
    assert counts[0] == counts[1]
