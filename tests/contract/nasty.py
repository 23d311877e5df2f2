"""Values that a careless or hostile caller may put into any field, and valid bodies to put them into."""

from __future__ import annotations

import json
from typing import Any

from tests.contract.shop import Shop

#: not compressible, so that no index holds it
LONG = "".join(f"{number * 2654435761 % 2**32:08x}" for number in range(1250))
#: JSON texts, so that what Python cannot hold can be sent too
VALUES: dict[str, str] = {
    "null": "null",
    "true": "true",
    "empty": '""',
    "blank": '"  "',
    "negative": "-1",
    "fraction": "1.5",
    "bigint": str(2**63),
    "huge": "9" * 400,
    "exponent": "1e4000",
    "tiny": "1e-4000",
    "number text": '"1e999999999"',
    "infinity": '"Infinity"',
    "long": json.dumps(LONG),
    "nul": r'"a\u0000b"',
    "half a pair": r'"a\ud800b"',
    "pair reversed": r'"\udc00\ud800"',
    "year 0": '"0000-01-01T00:00:00Z"',
    "year 1": '"0001-01-01T00:00:00+14:00"',
    "year 99999": '"99999-01-01T00:00:00Z"',
    "february 30": '"2025-02-30"',
    "array": "[]",
    "nulls": "[null]",
    "numbers": "[1, -1.5, 1e400]",
    "texts": '["x", "", "x"]',
    "arrays": "[[], [[]]]",
    "object": "{}",
    "objects": '[{}, {"id": "x", "key": [], "values": {}}]',
    "map": r'{"": null, "a": [{}], "\u0000": "\ud800", "id": 1}',
    "deep": "[" * 400 + "]" * 400,
}


def bodies(shop: Shop) -> dict[tuple[str, str], dict[str, Any]]:
    """(method, path) -> a valid body, for everything that takes one."""
    charge = {"billable_metric_id": shop.sold.lago_id, "charge_model": "standard", "properties": {"amount": "1"}}
    plan = {"name": "P", "code": "p", "interval": "monthly", "amount_cents": 1, "amount_currency": "EUR"}
    event = {"transaction_id": "t", "external_subscription_id": "sub", "code": "calls", "properties": {"n": 1}}
    metric = {"name": "M", "code": "m", "aggregation_type": "sum_agg", "field_name": "n"}
    filter_ = {"values": {"region": ["us"]}, "properties": {"amount": "1"}}
    entity = shop.lago.billing_entities.find_all()["billing_entities"][0].code
    billed = shop.invoice()
    invoice = billed.lago_id
    items = [{"fee_id": billed.fees.__root__[0].lago_id, "amount_cents": 10}]
    note = {"invoice_id": invoice, "items": items, "credit_amount_cents": 12}
    noted = shop.api.post("/credit_notes", {"credit_note": note})["credit_note"]["lago_id"]
    prepaid = {"external_customer_id": "acme", "rate_amount": "1", "currency": "EUR"}
    wallet = shop.api.post("/wallets", {"wallet": {**prepaid, "code": "w"}})["wallet"]["lago_id"]
    subscription = {"external_customer_id": "acme", "plan_code": "basic", "external_id": "s"}
    return {
        ("PUT", "/organizations"): {"organization": {"city": "x"}},
        ("POST", "/billing_entities"): {"billing_entity": {"code": "b", "name": "B"}},
        ("PUT", f"/billing_entities/{entity}"): {"billing_entity": {"name": "B"}},
        ("POST", "/taxes"): {"tax": {"code": "t", "name": "T", "rate": "1"}},
        ("PUT", "/taxes/vat"): {"tax": {"name": "T"}},
        ("POST", "/billable_metrics"): {"billable_metric": metric},
        ("PUT", "/billable_metrics/calls"): {"billable_metric": {"name": "M"}},
        ("POST", "/billable_metrics/evaluate_expression"): {"expression": "1 + 1", "event": {"code": "c"}},
        ("POST", "/plans"): {"plan": {**plan, "charges": [charge]}},
        ("PUT", "/plans/basic"): {"plan": {"name": "P"}},
        ("POST", "/plans/basic/metadata"): {"metadata": {"a": "1"}},
        ("PUT", "/plans/basic/metadata"): {"metadata": {"a": "1"}},
        ("POST", "/plans/basic/charges"): {"charge": {**charge, "code": "x"}},
        ("PUT", "/plans/basic/charges/calls"): {"charge": {"charge_model": "standard"}},
        ("POST", "/plans/basic/charges/calls/filters"): {"filter": filter_},
        ("POST", "/customers"): {"customer": {"external_id": "acme"}},
        ("POST", "/subscriptions"): {"subscription": subscription},
        ("PUT", "/subscriptions/sub"): {"subscription": {"name": "S"}},
        ("POST", "/events"): {"event": event},
        ("POST", "/events/batch"): {"events": [event]},
        ("PUT", f"/invoices/{invoice}"): {"invoice": {"payment_status": "pending"}},
        ("POST", "/credit_notes"): {"credit_note": note},
        ("POST", "/credit_notes/estimate"): {"credit_note": {"invoice_id": invoice, "items": items}},
        ("PUT", f"/credit_notes/{noted}"): {"credit_note": {"metadata": {"a": "1"}}},
        ("POST", f"/credit_notes/{noted}/metadata"): {"metadata": {"a": "1"}},
        ("POST", "/payment_requests"): {
            "payment_request": {"external_customer_id": "acme", "lago_invoice_ids": [invoice], "email": "a@b.test"}
        },
        ("POST", "/payments"): {"payment": {"invoice_id": invoice, "amount_cents": 1, "reference": "r"}},
        ("POST", "/wallets"): {"wallet": {**prepaid, "granted_credits": "1"}},
        ("PUT", f"/wallets/{wallet}"): {"wallet": {"name": "W"}},
        ("POST", f"/wallets/{wallet}/metadata"): {"metadata": {"a": "1"}},
        ("PUT", "/customers/acme/wallets/w/metadata"): {"metadata": {"a": "1"}},
        ("POST", "/wallet_transactions"): {"wallet_transaction": {"wallet_id": wallet, "granted_credits": "1"}},
        ("POST", "/webhook_endpoints"): {"webhook_endpoint": {"webhook_url": "https://a.test/"}},
        ("PUT", "/test_clock"): {"test_clock": {"now": shop.api.now}},
    }
