"""Drafts over HTTP: refresh, finalize, delete, and what is refused (invoicing.md §9, api.md §3.3-§3.5)."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tallystick.ground import json
from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.billing import add_on, bill_once, drafted, invoices, one_invoice
from tests.support.catalog import charge, metric, plan
from tests.support.subscriptions import due, listen, told

LATE = "2025-06-30T20:00:00Z"
UNKNOWN = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def shop(api: Api) -> Api:
    """An organization with a plan of 30.00 and 1.00 for each call."""
    plan(api, amount_cents=3000, charges=[charge(metric(api, "calls"), properties={"amount": "1"})])
    return api


def call_late(api: Api, name: str) -> None:
    event = {
        "transaction_id": name,
        "external_subscription_id": "s",
        "code": "calls",
        "timestamp": LATE,
        "properties": {},
    }
    api.post("/events", {"event": {**event, "timestamp": 1751313600}})


def test_a_refresh_computes_the_draft_again(shop: Api) -> None:
    draft = drafted(shop)
    shop.at("2025-07-02T06:00:00Z")
    call_late(shop, "a")
    assert one_invoice(shop)["total_amount_cents"] == 3000
    fresh = shop.put(f"/invoices/{draft['lago_id']}/refresh")["invoice"]
    assert (fresh["status"], fresh["total_amount_cents"]) == ("draft", 3100)
    assert (fresh["created_at"], fresh["updated_at"]) == ("2025-07-01T00:00:00Z", "2025-07-02T06:00:00Z")
    assert fresh["billing_periods"] == draft["billing_periods"]
    assert {fee["created_at"] for fee in fresh["fees"]} == {"2025-07-01T00:00:00Z"}
    for name in ("issuing_date", "payment_due_date", "number", "sequential_id"):
        assert fresh[name] == draft[name]


async def test_a_refresh_tells_nothing(shop: Api, installation: Installation) -> None:
    draft = drafted(shop)
    listen(shop)
    shop.put(f"/invoices/{draft['lago_id']}/refresh")
    assert await told(installation, shop) == []


async def test_finalizing_issues_the_draft_now(shop: Api, installation: Installation) -> None:
    draft = drafted(shop, net_payment_term=30)
    call_late(shop, "a")
    shop.at("2025-07-02T06:00:00Z")
    listen(shop)
    final = shop.put(f"/invoices/{draft['lago_id']}/finalize")["invoice"]
    assert (final["status"], final["total_amount_cents"], final["sequential_id"]) == ("finalized", 3100, 1)
    assert (final["issuing_date"], final["payment_due_date"]) == ("2025-07-02", "2025-08-01")
    assert await told(installation, shop) == [("invoice.created", draft["lago_id"])]
    assert await due(installation, draft) == {"overdue_invoice": "2025-08-02T00:00:00Z"}
    shop.at("2025-07-05T00:00:00Z")
    assert one_invoice(shop)["issuing_date"] == "2025-07-02"
    assert shop.put(f"/invoices/{draft['lago_id']}/finalize", status=404)["code"] == "invoice_not_found"


def test_an_issued_invoice_is_not_refreshed(shop: Api) -> None:
    draft = drafted(shop)
    final = shop.put(f"/invoices/{draft['lago_id']}/finalize")["invoice"]
    call_late(shop, "a")
    assert shop.put(f"/invoices/{draft['lago_id']}/refresh")["invoice"] == final


def test_only_invoices_of_subscriptions_are_refreshed(shop: Api) -> None:
    drafted(shop)
    add_on(shop)
    once = bill_once(shop)
    assert shop.put(f"/invoices/{once['lago_id']}/refresh", status=403)["code"] == "feature_unavailable"
    assert shop.put(f"/invoices/{once['lago_id']}/finalize", status=404)["code"] == "invoice_not_found"


async def test_a_draft_that_waits_for_taxes_is_not_finalized(shop: Api, installation: Installation) -> None:
    draft = drafted(shop)
    async with installation.database.begin() as tx:
        await tx.execute(text("update invoices set tax_status = 'pending' where id = :id"), {"id": draft["lago_id"]})
    answer = shop.put(f"/invoices/{draft['lago_id']}/finalize", status=403)
    assert answer["code"] == "cannot_finalize_with_pending_taxes"


def test_an_empty_draft_of_a_customer_who_skips_such_is_closed(shop: Api) -> None:
    plan(shop, "free", amount_cents=0)
    draft = drafted(shop, "free", finalize_zero_amount_invoice="skip")
    assert draft["status"] == "draft"
    closed = shop.put(f"/invoices/{draft['lago_id']}/finalize")["invoice"]
    assert (closed["status"], closed["sequential_id"]) == ("closed", None)
    assert shop.get(f"/invoices/{draft['lago_id']}", 404)["code"] == "invoice_not_found"


async def test_a_deleted_draft_never_comes_back(shop: Api, installation: Installation) -> None:
    draft = drafted(shop)
    listen(shop)
    gone = shop.delete(f"/invoices/{draft['lago_id']}")["invoice"]
    assert (gone["status"], gone["web_url"], len(gone["fees"])) == ("deleted", None, 1)
    assert await told(installation, shop) == [("invoice.deleted", draft["lago_id"])]
    assert await due(installation, draft) == {}
    for method, path in (("GET", ""), ("DELETE", ""), ("PUT", "/refresh"), ("PUT", "/finalize"), ("POST", "/void")):
        answer = shop.call(method, f"/invoices/{draft['lago_id']}{path}", None, 404)
        assert answer["code"] == "invoice_not_found"
    shop.at("2025-08-01T06:00:00Z")
    second = one_invoice(shop)
    assert second["billing_periods"][0]["charges_from_datetime"] == "2025-07-01T00:00:00Z"


def test_an_issued_invoice_is_not_deleted(shop: Api) -> None:
    draft = drafted(shop)
    shop.put(f"/invoices/{draft['lago_id']}/finalize")
    assert shop.delete(f"/invoices/{draft['lago_id']}", 405)["code"] == "not_deletable"
    assert len(invoices(shop)) == 1


def test_what_drafts_refuse(shop: Api) -> None:
    path = f"/invoices/{drafted(shop)['lago_id']}"
    for method, action, code in (
        ("POST", "void", "not_voidable"),
        ("POST", "lose_dispute", "not_disputable"),
        ("POST", "retry", "invalid_status"),
        ("POST", "retry_payment", "invalid_status"),
        ("POST", "resend_email", "invoice_not_finalized"),
    ):
        assert shop.call(method, f"{path}/{action}", None, 405)["code"] == code
    assert shop.post(f"{path}/download", status=404)["code"] == "invoice_not_found"


def test_unknown_invoices_are_not_found(api: Api) -> None:
    for method, action in (
        *(("PUT", name) for name in ("refresh", "finalize", "lose_dispute", "sync_salesforce_id")),
        *(("POST", name) for name in ("void", "lose_dispute", "retry", "retry_payment", "payment_url", "resend_email")),
    ):
        for invoice_id in (UNKNOWN, "nonsense"):
            answer = api.call(method, f"/invoices/{invoice_id}/{action}", None, 404)
            assert answer["code"] == "invoice_not_found"


async def test_the_time_of_a_late_finalization_is_not_that_of_the_draft(shop: Api, installation: Installation) -> None:
    """Messages carry the instant at which the state changed."""
    draft = drafted(shop)
    listen(shop)
    shop.at("2025-07-02T06:00:00Z").put(f"/invoices/{draft['lago_id']}/finalize")
    async with installation.database.begin() as tx:
        at = await tx.scalar(text("select at from outbox where subject_id = :id"), {"id": draft["lago_id"]})
    assert json.dump_text(at).startswith('"2025-07-02T06:00:00')
