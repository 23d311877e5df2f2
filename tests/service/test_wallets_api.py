"""`/wallets` and `/wallet_transactions`: fields, refusals, filters, metadata (wallets.md §1, §3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.catalog import metric, refused
from tests.support.subscriptions import customer
from tests.support.wallets import again, body, move, moves, wallet


@pytest.fixture
def shop(api: Api) -> Api:
    """A customer without currency, on 1 January."""
    api.at("2025-01-01T00:00:00Z")
    customer(api)
    return api


def test_the_answer_shows_the_wallet_before_its_credits(shop: Api) -> None:
    made = shop.post("/wallets", body(granted_credits="5", name="My Wallet", priority=3))["wallet"]
    assert (made["balance_cents"], made["credits_balance"], made["code"], made["priority"]) == (
        0,
        "0.0",
        "my_wallet",
        3,
    )
    assert again(shop, made)["balance_cents"] == 500
    assert shop.get("/customers/c")["customer"]["currency"] == "EUR"
    assert shop.get("/customers/c/wallets/my_wallet")["wallet"] == again(shop, made)


def test_a_taken_code_that_was_not_given_gets_the_time(shop: Api) -> None:
    assert [wallet(shop)["code"] for _ in range(2)] == ["default", "default_1735689600"]


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"external_customer_id": "nobody"}, {"customer": ["customer_not_found"]}),
        ({"rate_amount": "0"}, {"rate_amount": ["value_is_out_of_range"]}),
        ({"rate_amount": None}, {"rate_amount": ["value_is_out_of_range"]}),
        ({"currency": None}, {"currency": ["value_is_invalid"]}),
        ({"currency": "XXX"}, {"currency": ["value_is_invalid"]}),
        ({"priority": 51}, {"priority": ["value_is_invalid"]}),
        ({"expiration_at": "2024-12-31T00:00:00Z"}, {"expiration_at": ["invalid_date"]}),
        ({"expiration_at": "soon"}, {"expiration_at": ["invalid_date"]}),
        ({"paid_credits": 10}, {"paid_credits": ["invalid_paid_credits", "invalid_amount"]}),
        ({"granted_credits": "-1"}, {"granted_credits": ["invalid_granted_credits", "invalid_amount"]}),
        ({"granted_credits": "NaN"}, {"granted_credits": ["invalid_granted_credits", "invalid_amount"]}),
        ({"granted_credits": "9" * 25}, {"granted_credits": ["invalid_granted_credits", "invalid_amount"]}),
        ({"paid_credits": "0.001"}, {"paid_credits": ["amount_rounds_to_zero"]}),
        ({"paid_credits": "1", "paid_top_up_min_amount_cents": 101}, {"paid_credits": ["amount_below_minimum"]}),
        ({"paid_credits": "2", "paid_top_up_max_amount_cents": 199}, {"paid_credits": ["amount_above_maximum"]}),
        (
            {"paid_top_up_min_amount_cents": 2, "paid_top_up_max_amount_cents": 1},
            {"paid_top_up_max_amount_cents": ["must_be_greater_than_or_equal_min"]},
        ),
        ({"applies_to": {"fee_types": ["beer"]}}, {"applies_to": ["invalid_limitations"]}),
        ({"applies_to": {"billable_metric_codes": ["beer"]}}, {"applies_to": ["invalid_limitations"]}),
        ({"payment_method": {"payment_method_type": "card"}}, {"payment_method": ["invalid_payment_method"]}),
        ({"transaction_metadata": {}}, {"metadata": ["invalid_type"]}),
        ({"transaction_metadata": [{"key": "k" * 21, "value": "v"}]}, {"metadata": ["key_too_long"]}),
        ({"transaction_metadata": [{"key": "k", "value": []}]}, {"metadata": ["nested_structure_not_allowed"]}),
        ({"transaction_metadata": [{"key": "k"}] * 6}, {"metadata": ["too_many_keys", "invalid_key_value_pair"]}),
        ({"recurring_transaction_rules": [{}]}, {"recurring_transaction_rules": ["invalid_recurring_rule"]}),
    ],
)
def test_refused_wallets(shop: Api, fields: dict[str, Any], details: dict[str, list[str]]) -> None:
    assert refused(shop, "POST", "/wallets", body(**fields)) == details
    assert shop.get("/wallets")["wallets"] == []


def test_limits_of_top_ups_can_be_ignored_at_creation(shop: Api) -> None:
    made = wallet(shop, paid_credits="1", paid_top_up_min_amount_cents=500, ignore_paid_top_up_limits_on_creation=True)
    assert [row["amount"] for row in moves(shop, made)] == ["1.0"]


def test_a_customer_has_six_wallets_at_most(shop: Api) -> None:
    made = [wallet(shop, name=f"w{place}") for place in range(6)]
    assert refused(shop, "POST", "/wallets", body()) == {"customer": ["wallet_limit_reached"]}
    shop.delete(f"/wallets/{made[0]['lago_id']}")
    assert refused(shop, "POST", "/wallets", body(code="w1")) == {"code": ["value_already_exist"]}
    wallet(shop)


def test_limits_are_kept_unless_they_are_given(shop: Api) -> None:
    metric(shop, "calls")
    made = wallet(shop, applies_to={"fee_types": ["charge"], "billable_metric_codes": ["calls"]})
    path = f"/wallets/{made['lago_id']}"
    kept = shop.put(path, {"wallet": {"name": "x"}})["wallet"]
    assert kept["applies_to"] == {"fee_types": ["charge"], "billable_metric_codes": ["calls"]}
    cleared = shop.put(path, {"wallet": {"applies_to": {"fee_types": None, "billable_metric_codes": []}}})["wallet"]
    assert cleared["applies_to"] == {"fee_types": [], "billable_metric_codes": []}
    assert refused(shop, "PUT", path, {"wallet": {"applies_to": {"fee_types": ["beer"]}}}) == {
        "allowed_fee_types": ["invalid_fee_types"]
    }
    assert refused(shop, "PUT", path, {"wallet": {"applies_to": {"billable_metric_codes": ["beer"]}}}) == {
        "billable_metrics": ["invalid_identifier"]
    }


def test_an_expiration_can_be_moved_and_taken_away(shop: Api) -> None:
    made = wallet(shop, expiration_at="2025-01-02T00:00:00Z")
    path = f"/wallets/{made['lago_id']}"
    shop.put(path, {"wallet": {"expiration_at": None}})
    shop.at("2025-01-03T00:00:00Z")
    assert again(shop, made)["status"] == "active"
    assert refused(shop, "PUT", path, {"wallet": {"expiration_at": "2025-01-02T00:00:00Z"}}) == {
        "expiration_at": ["invalid_date"]
    }


def test_ended_wallets_are_read_only(shop: Api) -> None:
    made = wallet(shop, granted_credits="5")
    path = f"/wallets/{made['lago_id']}"
    ended = shop.delete(path)["wallet"]
    assert shop.delete(path)["wallet"] == ended
    terminated = {"wallet_id": ["wallet_is_terminated"]}
    assert refused(shop, "PUT", path, {"wallet": {"name": "x"}}) == terminated
    assert refused(shop, "POST", f"{path}/metadata", {"metadata": {"a": "b"}}) == terminated
    assert move(shop, made, 422, granted_credits="1") == terminated
    young = wallet(shop, granted_credits="1")
    assert (young["code"], shop.get("/customers/c/wallets/default")["wallet"]["lago_id"]) == (
        "default",
        young["lago_id"],
    )


def ids(api: Api, **params: Any) -> list[str]:
    """The wallets of a list."""
    return [row["lago_id"] for row in api.get("/wallets", **params)["wallets"]]


def test_lists(shop: Api) -> None:
    customer(shop, "other")
    first = wallet(shop, name="a")
    second = wallet(shop, "other", name="b", currency="USD")
    assert ids(shop) == [second["lago_id"], first["lago_id"]]
    assert ids(shop, external_customer_id="c") == [first["lago_id"]]
    assert ids(shop, currency="USD") == [second["lago_id"]]
    assert ids(shop, **{"billing_entity_codes[]": first["billing_entity_code"]}) == ids(shop)
    assert shop.get("/customers/other/wallets")["meta"]["total_count"] == 1
    assert shop.get("/wallets", 404, external_customer_id="nobody")["code"] == "customer_not_found"
    assert shop.get("/wallets", 404, **{"billing_entity_codes[]": "x"})["code"] == "billing_entity_not_found"
    assert shop.get("/wallets/nothing", 404)["code"] == "wallet_not_found"


def test_metadata(shop: Api) -> None:
    made = wallet(shop)
    for path in (f"/wallets/{made['lago_id']}/metadata", "/customers/c/wallets/default/metadata"):
        assert "metadata" not in again(shop, made)
        assert shop.delete(f"{path}/a", 404)["code"] == "metadata_not_found"
        assert shop.post(path, {"metadata": {"a": "1"}}) == {"metadata": {"a": "1"}}
        assert shop.call("PATCH", path, {"metadata": {"b": None}}) == {"metadata": {"a": "1", "b": None}}
        assert shop.delete(f"{path}/a") == {"metadata": {"b": None}}
        assert again(shop, made)["metadata"] == {"b": None}
        assert shop.delete(path) == {"metadata": None}


def test_transactions(shop: Api) -> None:
    made = wallet(shop)
    pairs = [{"key": "team", "value": "a"}]
    paid, granted = move(
        shop, made, paid_credits="2", granted_credits="1", voided_credits="0", name="Gift", metadata=pairs, priority=7
    )
    assert (paid["transaction_status"], paid["status"]) == ("purchased", "pending")
    assert (granted["transaction_status"], granted["status"]) == ("granted", "settled")
    assert (granted["name"], granted["metadata"], granted["priority"]) == ("Gift", pairs, 7)
    assert shop.get(f"/wallet_transactions/{paid['lago_id']}")["wallet_transaction"]["lago_id"] == paid["lago_id"]
    assert len(moves(shop, made, **{"metadata[team]": "a"})) == 2
    assert moves(shop, made, **{"metadata[team]": "b"}) == []
    assert len(moves(shop, made, transaction_status="purchased")) == 1
    assert len(moves(shop, made, transaction_type="sideways")) == 2
    path = f"/wallet_transactions/{granted['lago_id']}"
    assert shop.get(f"{path}/consumptions")["wallet_transaction_consumptions"] == []
    wrong = shop.get(f"{path}/fundings", 422)["error_details"]
    assert wrong == {"transaction_type": ["invalid_transaction_type"]}
    assert shop.get("/wallet_transactions/x", 404)["code"] == "wallet_transaction_not_found"
    assert move(shop, made, 422, name="n" * 256, granted_credits="1") == {"name": ["too_long"]}
    assert move(shop, made, 422, name=[1], granted_credits="1") == {"name": ["invalid_value"]}
    assert move(shop, made, 422, priority=0, granted_credits="1") == {"priority": ["value_is_invalid"]}
    assert move(shop, made, voided_credits="0") == []


def test_sections_of_a_wallet_are_on_its_invoices(shop: Api) -> None:
    section = {"invoice_custom_section": {"name": "Terms", "code": "terms", "details": "Prepaid."}}
    shop.post("/invoice_custom_sections", section)
    chosen: dict[str, Any] = {"invoice_custom_section": {"invoice_custom_section_codes": ["terms"]}}
    made = wallet(shop, **chosen)
    assert [one["invoice_custom_section"]["code"] for one in made["applied_invoice_custom_sections"]] == ["terms"]
    (row,) = move(shop, made, paid_credits="2")
    invoice = shop.get(f"/invoices/{row['lago_invoice_id']}")["invoice"]
    assert [one["code"] for one in invoice["applied_invoice_custom_sections"]] == ["terms"]
    skip: dict[str, Any] = {"invoice_custom_section": {"skip_invoice_custom_sections": True}}
    (row,) = move(shop, made, paid_credits="2", **skip)
    assert shop.get(f"/invoices/{row['lago_invoice_id']}")["invoice"]["applied_invoice_custom_sections"] == []
