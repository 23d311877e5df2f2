"""Coupons on real invoices: billing, drafts, several invoices at once, overrides, voids, and what the API shows."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tallystick.core.occasion import Occasion, Reason
from tallystick.flows.billing.run import bill
from tallystick.flows.wire.invoices import DRAWN
from tallystick.flows.wire.invoices import invoices as wire_invoices
from tallystick.ground.installation import Installation
from tallystick.ground.tables import Invoice
from tests.support.api import Api
from tests.support.catalog import charge, metric, plan
from tests.support.coupons import applied, apply, coupon
from tests.support.statements import counted
from tests.support.subscriptions import subscribe


@pytest.fixture
def shop(api: Api) -> Api:
    """An organization with a customer and a plan of 30 EUR."""
    api.at("2025-01-01T00:00:00Z")
    api.post("/customers", {"customer": {"external_id": "cust"}})
    plan(api, amount_cents=3000)
    return api


def grace(api: Api) -> None:
    """The customer's invoices are drafts for three days."""
    terms = {"invoice_grace_period": 3}
    api.post("/customers", {"customer": {"external_id": "cust", "billing_configuration": terms}})


def invoices(api: Api, customer: str = "cust") -> list[dict[str, Any]]:
    """All invoices of a customer with their members, oldest first."""
    rows = api.get("/invoices", external_customer_id=customer)["invoices"]
    full = [api.get(f"/invoices/{row['lago_id']}")["invoice"] for row in rows]
    return sorted(full, key=lambda row: (row["created_at"], row["sequential_id"] or 0))


def taken(api: Api, customer: str = "cust") -> list[int]:
    return [row["coupons_amount_cents"] for row in invoices(api, customer)]


def test_credits_name_their_coupon_and_invoice(shop: Api) -> None:
    made = coupon(shop, "gift", description="For you")
    row = apply(shop, "gift")
    subscribe(shop, of="cust")
    shop.at("2025-02-01T00:00:00Z")
    (invoice,) = invoices(shop)
    assert invoice["credits"] == [
        {
            "lago_id": invoice["credits"][0]["lago_id"],
            "amount_cents": 1000,
            "amount_currency": "EUR",
            "before_taxes": True,
            "item": {
                "lago_item_id": made["lago_id"],
                "type": "coupon",
                "code": "gift",
                "name": "Gift",
                "description": "For you",
            },
            "invoice": {"lago_id": invoice["lago_id"], "payment_status": "pending"},
        }
    ]
    (listed,) = applied(shop)
    assert listed["lago_id"] == row["lago_id"]
    assert listed["credits"] == invoice["credits"]
    assert (listed["status"], listed["amount_cents_remaining"]) == ("terminated", 0)
    assert listed["terminated_at"] == "2025-02-01T00:00:00Z"


def test_a_fully_discounted_invoice_is_issued_and_paid(shop: Api) -> None:
    coupon(shop, percentage_rate=100)
    apply(shop)
    subscribe(shop, of="cust")
    shop.at("2025-02-01T00:00:00Z")
    (invoice,) = invoices(shop)
    assert (invoice["status"], invoice["payment_status"]) == ("finalized", "succeeded")
    assert (invoice["sub_total_excluding_taxes_amount_cents"], invoice["total_amount_cents"]) == (0, 0)
    assert [fee["sub_total_excluding_taxes_amount_cents"] for fee in invoice["fees"]] == [0]


def test_a_draft_shows_none_and_its_finalization_takes_them(shop: Api) -> None:
    grace(shop)
    coupon(shop, percentage_rate=10, frequency="recurring", frequency_duration=2)
    apply(shop)
    subscribe(shop, of="cust")
    shop.at("2025-02-01T00:00:00Z")
    (draft,) = invoices(shop)
    assert (draft["status"], draft["coupons_amount_cents"], draft["credits"]) == ("draft", 0, [])
    draft = shop.put(f"/invoices/{draft['lago_id']}/refresh")["invoice"]
    assert (draft["coupons_amount_cents"], draft["total_amount_cents"]) == (0, 3000)
    assert applied(shop)[0]["frequency_duration_remaining"] == 2
    shop.at("2025-02-04T00:00:00Z")
    (invoice,) = invoices(shop)
    assert (invoice["status"], invoice["coupons_amount_cents"], invoice["total_amount_cents"]) == (
        "finalized",
        300,
        2700,
    )
    assert invoice["fees"][0]["precise_coupons_amount_cents"] == "300.0"
    assert applied(shop)[0]["frequency_duration_remaining"] == 1


def test_invoices_of_one_instant_use_coupons_one_after_another(shop: Api) -> None:
    coupon(shop, amount_cents=5000)
    apply(shop)
    for name in ("a", "b", "c"):
        subscribe(shop, of="cust", external_id=name, consolidate_invoice=False)
    shop.at("2025-02-01T00:00:00Z")
    assert sorted(taken(shop)) == [0, 2000, 3000]
    assert sum(row["total_amount_cents"] for row in invoices(shop)) == 4000
    assert applied(shop)[0]["status"] == "terminated"


def test_an_invoice_without_fees_does_not_use_coupons(shop: Api) -> None:
    plan(shop, "free", amount_cents=0)
    coupon(shop)
    apply(shop)
    subscribe(shop, "free", of="cust")
    shop.at("2025-02-01T00:00:00Z")
    assert taken(shop) == [0]
    assert applied(shop)[0]["status"] == "active"


def test_plan_limits_cover_usage_and_overrides_of_the_plan(shop: Api) -> None:
    calls = metric(shop, "calls")
    plan(shop, "usage", amount_cents=1000, charges=[charge(calls, properties={"amount": "20"})])
    coupon(shop, percentage_rate=10, frequency="forever", applies_to={"plan_codes": ["usage"]})
    apply(shop)
    subscribe(shop, "p", of="cust", external_id="other")
    subscribe(shop, "usage", of="cust", external_id="own", plan_overrides={"amount_cents": 2000})
    body = {"transaction_id": str(uuid.uuid4()), "external_subscription_id": "own", "code": "calls"}
    shop.post("/events", {"event": body})
    shop.at("2025-02-01T00:00:00Z")
    assert [(row["fees_amount_cents"], row["coupons_amount_cents"]) for row in invoices(shop)] == [(7000, 400)]
    shares = {fee["amount_cents"]: fee["precise_coupons_amount_cents"] for fee in invoices(shop)[0]["fees"]}
    assert set(shares.values()) == {"200.0", "0.0"}
    assert shares[3000] == "0.0"


def test_metric_limits_cover_usage_only(shop: Api) -> None:
    calls, disk = metric(shop, "calls"), metric(shop, "disk")
    priced = [charge(calls, properties={"amount": "20"}), charge(disk, properties={"amount": "7"})]
    plan(shop, "usage", amount_cents=1000, charges=priced)
    coupon(shop, amount_cents=50000, frequency="forever", applies_to={"billable_metric_codes": ["calls"]})
    apply(shop)
    subscribe(shop, "usage", of="cust")
    for code in ("calls", "disk"):
        body = {"transaction_id": str(uuid.uuid4()), "external_subscription_id": "s", "code": code}
        shop.post("/events", {"event": body})
    shop.at("2025-02-01T00:00:00Z")
    (invoice,) = invoices(shop)
    assert (invoice["fees_amount_cents"], invoice["coupons_amount_cents"]) == (3700, 2000)


def test_amounts_of_another_currency_wait(shop: Api) -> None:
    coupon(shop, amount_currency="USD", frequency="recurring", frequency_duration=1)
    apply(shop)
    subscribe(shop, of="cust")
    shop.at("2025-02-01T00:00:00Z")
    assert taken(shop) == [0]
    assert applied(shop)[0]["frequency_duration_remaining"] == 1


def test_expired_and_ended_coupons(shop: Api) -> None:
    """An expired coupon goes on for who has it; one ended by hand does not."""
    coupon(shop, "old", amount_cents=100, frequency="forever", expiration="time_limit", expiration_at="2025-01-05")
    coupon(shop, "gone", amount_cents=10, frequency="forever")
    apply(shop, "old")
    gone = apply(shop, "gone")
    subscribe(shop, of="cust")
    shop.at("2025-02-01T00:00:00Z")
    shop.delete(f"/customers/cust/applied_coupons/{gone['lago_id']}")
    shop.at("2025-03-01T00:00:00Z")
    assert taken(shop) == [110, 100]


def test_a_voided_invoice_gives_its_coupons_back(shop: Api) -> None:
    coupon(shop, "amount", amount_cents=4000)
    coupon(shop, "count", amount_cents=100, frequency="recurring", frequency_duration=1)
    coupon(shop, "always", amount_cents=10, frequency="forever")
    coupon(shop, "ended", amount_cents=1, expiration="time_limit", expiration_at="2025-02-10")
    for code in ("count", "always", "ended", "amount"):
        apply(shop, code)
    subscribe(shop, of="cust")
    shop.at("2025-02-15T00:00:00Z")
    (invoice,) = invoices(shop)
    before = {row["coupon_code"]: row for row in applied(shop)}
    assert invoice["coupons_amount_cents"] == 3000
    assert {code: row["status"] for code, row in before.items()} == {
        "amount": "active",
        "count": "terminated",
        "always": "active",
        "ended": "terminated",
    }
    assert before["amount"]["amount_cents_remaining"] == 4000 - (3000 - 111)
    shop.post(f"/invoices/{invoice['lago_id']}/void")
    after = {row["coupon_code"]: row for row in applied(shop)}
    assert (after["amount"]["status"], after["amount"]["amount_cents_remaining"]) == ("active", 4000)
    assert (after["count"]["status"], after["count"]["frequency_duration_remaining"]) == ("active", 1)
    assert after["count"]["terminated_at"] is None
    assert after["always"]["status"] == "active"
    # its coupon expired meanwhile
    assert after["ended"]["status"] == "terminated"
    assert len(after["amount"]["credits"]) == 1
    shop.at("2025-03-01T00:00:00Z")
    assert taken(shop)[-1] == 3000


async def test_documents_name_the_rate_of_a_coupon(shop: Api, installation: Installation) -> None:
    coupon(shop, "tenth", percentage_rate=10)
    coupon(shop, "gift")
    apply(shop, "tenth")
    apply(shop, "gift")
    subscribe(shop, of="cust")
    shop.at("2025-02-01T00:00:00Z")
    (invoice,) = invoices(shop)
    assert not any("percentage_rate" in credit["item"] for credit in invoice["credits"])
    async with installation.database.begin() as tx:
        row = await tx.get_one(Invoice, uuid.UUID(invoice["lago_id"]))
        at = dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
        (drawn,) = await wire_invoices(tx, [row], at=at, public_api_url="http://x.test", include=DRAWN)
    rates = {credit["item"]["code"]: credit["item"].get("percentage_rate") for credit in drawn["credits"]}
    assert rates == {"tenth": "10.0", "gift": None}


async def test_queries_do_not_grow_with_invoices(shop: Api, installation: Installation) -> None:
    """A set of customers with coupons is billed by as many statements as one of them."""
    coupon(shop, percentage_rate=10, frequency="forever")
    rows = []
    for number in range(4):
        shop.post("/customers", {"customer": {"external_id": f"c{number}"}})
        apply(shop, customer=f"c{number}")
        apply(shop, customer=f"c{number}")
        rows.append(subscribe(shop, of=f"c{number}", external_id=f"s{number}"))
    ids = [uuid.UUID(row["lago_id"]) for row in rows]
    at = dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
    counts = []
    for part in (ids[:1], ids[1:]):
        with counted(installation.database) as statements:
            async with installation.database.begin() as tx:
                await bill(tx, [Occasion(subscription_id, Reason.PERIODIC, at) for subscription_id in part])
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert [taken(shop, f"c{number}") for number in range(4)] == [[570]] * 4


# -- what the database refuses -------------------------------------------------------------------


@pytest.mark.parametrize(
    "attack",
    [
        "update invoice_credits set amount_cents = amount_cents + 1 where invoice_id = :id",
        "delete from invoice_credits where invoice_id = :id",
        "insert into invoice_credits select gen_random_uuid(), organization_id, invoice_id, kind, source_id,"
        " amount_cents, currency, before_taxes, created_at from invoice_credits where invoice_id = :id",
    ],
)
async def test_credits_of_issued_invoices_are_frozen(shop: Api, installation: Installation, attack: str) -> None:
    coupon(shop)
    apply(shop)
    subscribe(shop, of="cust")
    shop.at("2025-02-01T00:00:00Z")
    (invoice,) = invoices(shop)
    with pytest.raises(DBAPIError, match=r"frozen|never change"):
        async with installation.database.begin() as tx:
            await tx.execute(text(attack), {"id": uuid.UUID(invoice["lago_id"])})


async def test_credits_add_up_to_the_header(shop: Api, installation: Installation) -> None:
    grace(shop)
    subscribe(shop, of="cust")
    shop.at("2025-02-01T00:00:00Z")
    (draft,) = invoices(shop)
    header = text(
        "update invoices set coupons_amount_cents = 1, sub_total_excluding_taxes_amount_cents = 2999,"
        " sub_total_including_taxes_amount_cents = 2999, total_amount_cents = 2999 where id = :id"
    )
    credit = text(
        "insert into invoice_credits select gen_random_uuid(), organization_id, id, 'coupon', id, 1, 'EUR', true,"
        " created_at from invoices where id = :id"
    )
    for attack in (header, credit):
        with pytest.raises(DBAPIError, match="do not add up"):
            async with installation.database.begin() as tx:
                await tx.execute(attack, {"id": uuid.UUID(draft["lago_id"])})
