"""`wallets`, `wallet_transactions` and a customer's wallets through the official client."""

from __future__ import annotations

from typing import Any

from lago_python_client import Client
from lago_python_client.models import Wallet, WalletTransaction

from tests.contract.refusals import coded, invalid, refused
from tests.contract.shop import Shop


def create(lago: Client, **more: Any) -> Any:
    given = {"external_customer_id": "acme", "name": "Credits", "rate_amount": "1", "currency": "EUR", **more}
    return lago.wallets.create(Wallet(**given))


def test_create_find_update_destroy(shop: Shop) -> None:
    lago = shop.lago
    made = create(lago, granted_credits="5", paid_credits="2", expiration_at="2030-01-01T00:00:00Z")
    assert (made.status, made.rate_amount, made.balance_cents, made.code) == ("active", "1.0", 0, "credits")
    found = lago.wallets.find(made.lago_id)
    assert (found.balance_cents, found.ongoing_balance_cents, found.credits_ongoing_balance) == (500, 500, "5.0")
    assert lago.wallets.update(Wallet(name="Renamed", priority=2), made.lago_id).name == "Renamed"
    assert [row.lago_id for row in lago.wallets.find_all({"external_customer_id": "acme"})["wallets"]] == [made.lago_id]
    assert refused(lambda: create(lago, code="credits")) == invalid(code=["value_already_exist"])
    assert lago.wallets.destroy(made.lago_id).status == "terminated"
    assert refused(lago.wallets.find, "nothing") == coded(404, "wallet_not_found")


def test_wallets_of_a_customer(shop: Shop) -> None:
    lago = shop.lago
    body = Wallet(name="Own", rate_amount="2", currency="EUR", granted_credits="5")
    made = lago.customers.wallets.create("acme", body)
    assert lago.customers.wallets.find("acme", "own").balance_cents == 1000
    assert lago.customers.wallets.update("acme", "own", Wallet(name="More")).name == "More"
    assert [row.lago_id for row in lago.customers.wallets.find_all("acme")["wallets"]] == [made.lago_id]
    assert lago.customers.wallets.metadata.replace("acme", "own", {"a": "1"}) == {"a": "1"}
    assert lago.customers.wallets.metadata.merge("acme", "own", {"b": "2"}) == {"a": "1", "b": "2"}
    assert lago.customers.wallets.destroy("acme", "own").status == "terminated"


def test_metadata(shop: Shop) -> None:
    lago = shop.lago
    made = create(lago)
    assert lago.wallets.replace_metadata(made.lago_id, {"a": "1"}) == {"a": "1"}
    assert lago.wallets.merge_metadata(made.lago_id, {"b": "2"}) == {"a": "1", "b": "2"}
    assert lago.wallets.delete_metadata_key(made.lago_id, "a") == {"b": "2"}
    assert lago.wallets.delete_all_metadata(made.lago_id) is None


def test_transactions(shop: Shop) -> None:
    lago = shop.lago
    made = create(lago, granted_credits="5")
    answer = lago.wallet_transactions.create(
        WalletTransaction(wallet_id=made.lago_id, paid_credits="3", granted_credits="10", voided_credits="1")
    )
    rows = answer["wallet_transactions"]
    assert [(row.transaction_status, row.status, row.amount) for row in rows] == [
        ("purchased", "pending", "3.0"),
        ("granted", "settled", "10.0"),
        ("voided", "settled", "1.0"),
    ]
    invoice = shop.invoice()
    assert invoice.prepaid_credit_amount_cents == 1400
    spent = lago.wallet_transactions.find_all(made.lago_id, {"transaction_status": "invoiced"})["wallet_transactions"]
    (out,) = spent
    funded = lago.wallet_transactions.fundings(out.lago_id)["wallet_transaction_fundings"]
    assert sum(row.amount_cents for row in funded) == 1400
    top_up = funded[0].wallet_transaction
    used = lago.wallet_transactions.consumptions(top_up.lago_id)["wallet_transaction_consumptions"]
    assert out.lago_id in [row.wallet_transaction.lago_id for row in used]
