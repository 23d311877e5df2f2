"""Previews are what billing then does, and leave no trace (invoicing.md §18)."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.billing import add_on, invoices
from tests.support.catalog import charge, metric, plan
from tests.support.coupons import apply, coupon
from tests.support.previews import contents, essence, of, preview
from tests.support.subscriptions import customer, subscribe
from tests.support.usage_shop import event

START = "2025-06-10T09:00:00Z"


@pytest.fixture
def shop(api: Api) -> Api:
    """A customer in New York with a tax of 20 % and a grace of three days; plans in arrears, in advance, and dearer."""
    api.at(START)
    api.post("/taxes", {"tax": {"name": "VAT", "code": "vat", "rate": 20}})
    customer(
        api,
        name="Acme",
        timezone="America/New_York",
        tax_codes=["vat"],
        net_payment_term=10,
        billing_configuration={"invoice_grace_period": 3},
    )
    add_on(api, "seat", 1000)
    calls = metric(api, "calls", "sum_agg", field_name="n")
    usage = charge(calls, properties={"amount": "0.5"}, min_amount_cents=900)
    seats: dict[str, Any] = {"add_on_code": "seat", "charge_model": "standard", "units": 3, "prorated": True}
    late = {**seats, "code": "late", "properties": {"amount": "7"}}
    early = {**seats, "code": "early", "properties": {"amount": "5"}, "pay_in_advance": True}
    parts = {"charges": [usage], "fixed_charges": [late, early]}
    plan(api, "arrears", amount_cents=3000, minimum_commitment={"amount_cents": 9000}, **parts)
    plan(api, "advance", amount_cents=3100, pay_in_advance=True, **parts)
    plan(api, "dear", amount_cents=9300, pay_in_advance=True, **parts)
    plan(api, "cheap", amount_cents=500, pay_in_advance=True, **parts)
    return api


def made(api: Api, at: str | None = None, newest: int = 1) -> dict[str, Any]:
    """The newest invoice, after its grace."""
    if at is not None:
        api.at(at)
    found = invoices(api)[-newest]
    if found["status"] == "draft":
        found = api.put(f"/invoices/{found['lago_id']}/finalize")["invoice"]
    return found


def same(seen: dict[str, Any], invoice: dict[str, Any], **moved: Any) -> None:
    """The preview foretold the invoice; finalized by hand, an invoice has other dates."""
    expected, found = essence(seen), essence(invoice)
    for name in ("issuing_date", "payment_due_date"):
        expected.pop(name), found.pop(name)
    assert {**expected, **moved} == found


@pytest.mark.parametrize("code", ["advance", "arrears"])
@pytest.mark.parametrize("billing_time", ["calendar", "anniversary"])
def test_a_new_subscription(shop: Api, code: str, billing_time: str) -> None:
    seen = preview(shop, plan_code=code, billing_time=billing_time)
    subscribe(shop, code, billing_time=billing_time)
    if code == "advance":
        invoice = made(shop)
        assert seen["issuing_date"] == "2025-06-13"
    else:
        tick = "2025-07-01" if billing_time == "calendar" else "2025-07-10"
        invoice = made(shop, f"{tick}T12:00:00Z")
        assert seen["issuing_date"] == tick[:-2] + f"{int(tick[-2:]) + 3:02d}"
        # usage cannot be known, and a minimum counts only with it
        kinds = [fee["item"]["type"] for fee in seen["fees"]]
        assert kinds == ["subscription", "fixed_charge", "fixed_charge", "commitment"]
    ours = [fee for fee in essence(seen)["fees"] if fee[0] != "commitment"]
    theirs = [fee for fee in essence(invoice)["fees"] if fee[0] not in ("charge", "commitment")]
    assert [fee[:5] + fee[6:] for fee in ours] == [fee[:5] + fee[6:] for fee in theirs]


def test_the_next_period(shop: Api) -> None:
    subscribe(shop, "arrears")
    event(shop, "calls", n=40)
    shop.at("2025-06-20T00:00:00Z")
    seen = preview(shop, **of())
    assert (seen["issuing_date"], seen["payment_due_date"]) == ("2025-07-04", "2025-07-14")
    same(seen, made(shop, "2025-07-01T12:00:00Z"))


def test_two_subscriptions_share_the_next_invoice(shop: Api) -> None:
    subscribe(shop, "arrears")
    subscribe(shop, "advance", external_id="t")
    event(shop, "calls", n=40, of="t")
    seen = preview(shop, **of("s", "t"))
    assert [row["external_id"] for row in seen["subscriptions"]] == ["s", "t"]
    same(seen, made(shop, "2025-07-01T12:00:00Z"))


def test_coupons_and_progressive_credits_count(shop: Api) -> None:
    coupon(shop, "ten", percentage_rate="10", frequency="forever")
    coupon(shop, "off", frequency="recurring", frequency_duration=3)
    for code in ("ten", "off"):
        apply(shop, code, "c")
    subscribe(shop, "arrears", usage_thresholds=[{"amount_cents": 1000}])
    event(shop, "calls", n=40)
    shop.at("2025-06-20T00:00:00Z")
    seen = preview(shop, **of(), coupons=[{"coupon_type": "percentage", "percentage_rate": "50"}])
    assert seen["progressive_billing_credit_amount_cents"] > 0
    same(seen, made(shop, "2025-07-01T12:00:00Z"))


@pytest.mark.parametrize("mode", ["credit", "skip"])
def test_the_end_of_a_plan_paid_in_advance(shop: Api, mode: str) -> None:
    """Its unused time is credited, and the note pays of the last invoice."""
    subscribe(shop, "advance", on_termination_credit_note=mode)
    shop.at("2025-06-14T12:00:00Z")
    event(shop, "calls", n=400)
    seen = preview(shop, **of(terminated_at="2025-06-16T15:00:00Z"))
    assert [credit["item"]["type"] for credit in seen["credits"]] == (["credit_note"] if mode == "credit" else [])
    shop.at("2025-06-16T15:00:00Z").delete("/subscriptions/s")
    same(seen, made(shop))


def test_the_upgrade_of_a_plan_paid_in_advance(shop: Api) -> None:
    subscribe(shop, "advance")
    shop.at("2025-06-20T00:00:00Z")
    seen = preview(shop, **of(plan_code="dear"))
    assert seen["credit_notes_amount_cents"] > 0
    subscribe(shop, "dear")
    same(seen, made(shop))


def test_an_end(shop: Api) -> None:
    subscribe(shop, "arrears")
    event(shop, "calls", n=40)
    shop.at("2025-06-20T00:00:00Z")
    seen = preview(shop, **of(terminated_at="2025-06-25T15:00:00Z"))
    assert (seen["issuing_date"], seen["subscriptions"][0]["status"]) == ("2025-06-28", "terminated")
    shop.at("2025-06-25T15:00:00Z").delete("/subscriptions/s")
    same(seen, made(shop))


def test_an_end_that_is_known(shop: Api) -> None:
    subscribe(shop, "arrears", ending_at="2025-06-25T15:00:00Z")
    seen = preview(shop, **of())
    assert seen["subscriptions"][0]["terminated_at"] == "2025-06-25T04:00:00Z"
    same(seen, made(shop, "2025-06-25T12:00:00Z"))


def test_an_upgrade(shop: Api) -> None:
    subscribe(shop, "arrears")
    event(shop, "calls", n=40)
    shop.at("2025-06-20T00:00:00Z")
    seen = preview(shop, **of(plan_code="dear"))
    assert [row["plan_code"] for row in seen["subscriptions"]] == ["arrears", "dear"]
    assert seen["subscriptions"][1]["previous_plan_code"] == "arrears"
    subscribe(shop, "dear")
    same(seen, made(shop))


@pytest.mark.parametrize("asked", [True, False])
def test_a_downgrade(shop: Api, asked: bool) -> None:
    """Asked for by the preview, or waiting for the tick already."""
    subscribe(shop, "arrears")
    event(shop, "calls", n=40)
    shop.at("2025-06-20T00:00:00Z")
    seen = preview(shop, **of(plan_code="cheap"))
    subscribe(shop, "cheap")
    if not asked:
        seen = preview(shop, **of())
    assert [row["status"] for row in seen["subscriptions"]] == ["terminated", "active"]
    assert seen["issuing_date"] == "2025-07-04"
    same(seen, made(shop, "2025-07-01T12:00:00Z"))


def test_a_subscription_that_is_to_start(shop: Api) -> None:
    subscribe(shop, "arrears", subscription_at="2025-06-15T12:00:00Z")
    seen = preview(shop, **of())
    assert seen["subscriptions"][0]["status"] == "active"
    assert seen["fees"][0]["amount_cents"] == 1600
    # its real start is the first instant of that day; its commitment then counts the fixed charge of that start
    invoice = made(shop, "2025-07-01T12:00:00Z")
    assert [fee[:6] + fee[8:] for fee in essence(seen)["fees"]][:-1] == [
        fee[:6] + fee[8:] for fee in essence(invoice)["fees"]
    ][:-1]


async def test_nothing_is_left_behind(shop: Api, installation: Installation) -> None:
    coupon(shop, "ten", percentage_rate="10")
    apply(shop, "ten", "c")
    subscribe(shop, "arrears")
    event(shop, "calls", n=40)
    before = await contents(installation)
    for body in (
        {"plan_code": "advance"},
        {"plan_code": "arrears", "customer": {"name": "Nobody yet"}},
        of(),
        of(plan_code="dear"),
        of(plan_code="cheap"),
        of(terminated_at="2025-06-25T15:00:00Z"),
    ):
        preview(shop, **body)
    after = await contents(installation)
    # a call leaves the hour of the key's last use
    assert {name for name in after if after[name] != before[name]} <= {"api_keys newest"}
