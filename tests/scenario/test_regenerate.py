"""A new invoice in the place of a voided one: wanted lines, corrected, with today's taxes (invoicing.md §16.2)."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.ground.installation import Installation
from tests.support.api import Api, Status
from tests.support.billing import add_on, bill_once, invoices
from tests.support.catalog import charge, metric, plan
from tests.support.coupons import applied, apply, coupon
from tests.support.subscriptions import customer, listen, subscribe, told
from tests.support.usage_shop import event

NOBODY = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def shop(api: Api) -> Api:
    """A customer with a term of 10 days; a plan of 30.00 with usage at 2.00 and a minimum of 10.00."""
    api.at("2025-06-01T00:00:00Z")
    api.post("/taxes", {"tax": {"name": "VAT", "code": "vat", "rate": 20}})
    api.post("/taxes", {"tax": {"name": "Low", "code": "low", "rate": 10}})
    customer(api, net_payment_term=10, tax_codes=["vat"], currency="EUR")
    calls = metric(api, "calls", "sum_agg", field_name="n")
    shares = metric(api, "shares")
    plan(
        api,
        amount_cents=3000,
        charges=[
            charge(calls, properties={"amount": "2"}, min_amount_cents=1000),
            charge(shares, "percentage", properties={"rate": "1"}),
        ],
    )
    add_on(api, "setup", 1000)
    return api


@pytest.fixture
def voided(shop: Api) -> dict[str, Any]:
    """The voided invoice of June over 40.00 and taxes."""
    subscribe(shop)
    event(shop, "calls", n=3)
    shop.at("2025-07-01T06:00:00Z")
    return void(shop, invoices(shop)[-1])


def void(api: Api, invoice: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.post(f"/invoices/{invoice['lago_id']}/void")["invoice"]
    return found


def again(api: Api, invoice: dict[str, Any], *fees: dict[str, Any], status: Status = 200, **more: Any) -> Any:
    answer = api.post(f"/invoices/{invoice['lago_id']}/regenerate", {"fees": list(fees), **more}, status)
    return answer.get("invoice", answer)


def ids(invoice: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": fee["lago_id"]} for fee in invoice["fees"]]


def amounts(invoice: dict[str, Any]) -> list[tuple[str, int, str]]:
    return [(fee["item"]["code"], fee["amount_cents"], fee["units"]) for fee in invoice["fees"]]


def test_all_lines_once_more(shop: Api, voided: dict[str, Any]) -> None:
    shop.at("2025-07-20T06:00:00Z")
    new = again(shop, voided, *ids(voided))
    assert amounts(new) == amounts(voided) == [("p", 3000, "1.0"), ("calls", 600, "3.0"), ("calls", 400, "1.0")]
    assert (new["status"], new["total_amount_cents"], new["sequential_id"]) == ("finalized", 4800, 2)
    # dated as the voided one was made; the number is new
    assert (new["issuing_date"], new["payment_due_date"]) == ("2025-07-01", "2025-07-11")
    assert new["created_at"] == "2025-07-20T06:00:00Z"
    assert new["billing_periods"] == voided["billing_periods"]
    assert [fee["lago_original_fee_id"] for fee in new["fees"]] == [fee["lago_id"] for fee in voided["fees"]]
    assert new["fees"][2]["lago_true_up_parent_fee_id"] == new["fees"][1]["lago_id"]
    kept = shop.get(f"/invoices/{voided['lago_id']}")["invoice"]
    assert (kept["status"], kept["number"]) == ("voided", voided["number"])


def test_lines_left_out_and_corrected(shop: Api, voided: dict[str, Any]) -> None:
    plan_fee, calls, true_up = ids(voided)
    new = again(
        shop,
        voided,
        {**plan_fee, "units": 1, "unit_precise_amount": "10.5", "invoice_display_name": "June"},
        {**calls, "units": 5},
        purchase_order_number="PO-7",
    )
    assert amounts(new) == [("p", 1050, "1.0"), ("calls", 1000, "5.0")]
    assert new["fees"][0]["item"]["invoice_display_name"] == "June"
    assert (new["purchase_order_number"], new["total_amount_cents"]) == ("PO-7", 2460)
    assert true_up


def test_a_charge_that_had_no_line(shop: Api, voided: dict[str, Any]) -> None:
    of = voided["fees"][0]["lago_subscription_id"]
    charges = shop.get("/plans/p")["plan"]["charges"]
    shares = next(one["lago_id"] for one in charges if one["billable_metric_code"] == "shares")
    asked = {"subscription_id": of, "charge_id": shares, "units": 3, "unit_precise_amount": "1"}
    new = again(shop, voided, asked)
    assert amounts(new) == [("shares", 300, "3.0")]
    assert (new["fees"][0]["from_date"], new["fees"][0]["lago_original_fee_id"]) == (
        "2025-06-01T00:00:00+00:00",
        None,
    )


def test_taxes_and_coupons_of_today(shop: Api) -> None:
    coupon(shop, "tenth", percentage_rate="10", frequency="recurring", frequency_duration=2)
    apply(shop, "tenth", "c")
    subscribe(shop)
    shop.at("2025-07-01T06:00:00Z")
    voided = void(shop, invoices(shop)[-1])
    assert voided["coupons_amount_cents"] == 400
    customer(shop, tax_codes=["low"])
    seen = shop.post(f"/invoices/{voided['lago_id']}/regenerate/preview")["fees"][0]
    assert (seen["taxes_rate"], seen["taxes_amount_cents"], seen["lago_id"]) == (10, 300, voided["fees"][0]["lago_id"])
    new = again(shop, voided, *ids(voided))
    assert (new["coupons_amount_cents"], new["taxes_amount_cents"]) == (400, 360)
    assert applied(shop, "c")[0]["frequency_duration_remaining"] == 1


async def test_what_is_told_of_it(shop: Api, voided: dict[str, Any], installation: Installation) -> None:
    once = void(shop, bill_once(shop))
    listen(shop)
    new = [again(shop, invoice, *ids(invoice)) for invoice in (voided, once)]
    assert [row["invoice_type"] for row in new] == ["subscription", "one_off"]
    assert await told(installation, shop) == [("invoice.created", row["lago_id"]) for row in new]


def test_the_next_period_is_billed_as_ever(shop: Api, voided: dict[str, Any]) -> None:
    again(shop, voided, *ids(voided))
    shop.at("2025-08-01T06:00:00Z")
    assert [row["status"] for row in invoices(shop)] == ["voided", "finalized", "finalized"]


def test_a_chain_of_voids(shop: Api, voided: dict[str, Any]) -> None:
    second = void(shop, again(shop, voided, *ids(voided)))
    third = again(shop, second, *ids(second))
    assert [fee["lago_original_fee_id"] for fee in third["fees"]] == [fee["lago_id"] for fee in voided["fees"]]
    assert third["fees"][2]["lago_true_up_parent_fee_id"] == third["fees"][1]["lago_id"]
    assert third["sequential_id"] == 3


def test_an_invoice_over_nothing_may_be_skipped(shop: Api, voided: dict[str, Any]) -> None:
    customer(shop, finalize_zero_amount_invoice="skip")
    asked = {**ids(voided)[0], "units": 0, "unit_precise_amount": "0"}
    assert again(shop, voided, asked)["status"] == "closed"


@pytest.mark.parametrize(
    ("fees", "status", "code"),
    [
        ([], 404, "fees_not_found"),
        ([{"id": NOBODY}], 404, "fee_not_found"),
        ([{"subscription_id": NOBODY}], 404, "subscription_not_found"),
    ],
)
def test_what_is_not_there(
    shop: Api, voided: dict[str, Any], fees: list[dict[str, Any]], status: int, code: str
) -> None:
    assert again(shop, voided, *fees, status=status)["code"] == code


def test_what_is_refused(shop: Api, voided: dict[str, Any]) -> None:
    first = ids(voided)[0]
    assert again(shop, voided, first, first, status=422)["error_details"] == {"fees": ["value_is_duplicated"]}
    wrong = again(shop, voided, {**first, "unit_precise_amount": "1"}, status=422)
    assert wrong["error_details"] == {"units": ["value_is_mandatory"]}
    new = again(shop, voided, *ids(voided))
    assert again(shop, new, *ids(new), status=405)["code"] == "invalid_status"
    assert again(shop, voided, *ids(voided), status=405)["code"] == "invoice_already_regenerated"
    assert again(shop, {"lago_id": NOBODY}, first, status=404)["code"] == "invoice_not_found"
