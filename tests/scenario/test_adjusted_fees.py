"""Lines of drafts corrected by hand: kept by every refresh, and issued like that (rating.md §19)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, Status
from tests.support.billing import add_on, drafted, one_invoice
from tests.support.catalog import charge, metric, plan
from tests.support.coupons import apply, coupon
from tests.support.usage_shop import event

LATE = 1_750_000_000  # June 2025


@pytest.fixture
def shop(api: Api) -> Api:
    """A plan of 30.00 with usage at 2.00 and a minimum, by filters and in tiers, seats at 5.00 and a commitment."""
    api.at("2025-06-01T00:00:00Z")
    api.post("/taxes", {"tax": {"name": "VAT", "code": "vat", "rate": 20, "applied_to_organization": True}})
    add_on(api, "seat")
    calls = metric(api, "calls", "sum_agg", field_name="n", filters=[{"key": "region", "values": ["us", "eu"]}])
    tiers = [
        {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "0"},
        {"from_value": 11, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "3"},
    ]
    plan(
        api,
        amount_cents=3000,
        charges=[
            charge(
                calls,
                properties={"amount": "2"},
                min_amount_cents=1000,
                filters=[{"values": {"region": ["eu"]}, "properties": {"amount": "4"}}],
            ),
            charge(metric(api, "tiers"), "graduated", properties={"graduated_ranges": tiers}),
            charge(metric(api, "shares"), "percentage", properties={"rate": "1"}),
        ],
        fixed_charges=[{"add_on_code": "seat", "charge_model": "standard", "units": 2, "properties": {"amount": "5"}}],
    )
    return api


@pytest.fixture
def draft(shop: Api) -> dict[str, Any]:
    made = drafted(shop)
    event(shop, "calls", at=LATE, n=3)
    event(shop, "shares", at=LATE)
    fresh: dict[str, Any] = shop.put(f"/invoices/{made['lago_id']}/refresh")["invoice"]
    return fresh


def line(invoice: dict[str, Any], code: str, nth: int = 0) -> dict[str, Any]:
    """The nth fee of an item."""
    found: list[dict[str, Any]] = [fee for fee in invoice["fees"] if fee["item"]["code"] == code]
    return found[nth]


def correct(api: Api, draft: dict[str, Any], status: Status = 200, preview: bool = False, **body: Any) -> Any:
    path = f"/invoices/{draft['lago_id']}/adjusted_fees" + ("/preview" if preview else "")
    return api.post(path, {"adjusted_fee": body}, status)


def shown(api: Api, draft: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/invoices/{draft['lago_id']}")["invoice"]
    return found


def amounts(invoice: dict[str, Any]) -> list[tuple[str, int, str]]:
    return [(fee["item"]["code"], fee["amount_cents"], fee["units"]) for fee in invoice["fees"]]


def test_the_draft_before(draft: dict[str, Any]) -> None:
    assert amounts(draft) == [
        ("p", 3000, "1.0"),
        ("calls", 600, "3.0"),
        ("calls", 400, "1.0"),
        ("shares", 1, "1.0"),
        ("seat", 1000, "2.0"),
    ]


def test_units_are_priced_by_the_model(shop: Api, draft: dict[str, Any]) -> None:
    fee = correct(shop, draft, fee_id=line(draft, "calls")["lago_id"], units=4)["fee"]
    assert (fee["amount_cents"], fee["units"], fee["events_count"], fee["taxes_amount_cents"]) == (800, "4.0", 0, 160)
    after = shown(shop, draft)
    # the true-up fills the minimum up to the corrected amount
    assert amounts(after)[1:3] == [("calls", 800, "4.0"), ("calls", 200, "1.0")]
    assert line(after, "calls")["lago_id"] == fee["lago_id"]
    assert after["fees_amount_cents"] == 5001
    assert after["total_amount_cents"] == 5001 + 1000
    words = shop.get(f"/fees/{fee['lago_id']}/explain")["explanation"]["trace"]["sentences"]
    assert words[0] == "corrected by hand: 4.0 units at 2.0"


def test_units_at_a_given_price(shop: Api, draft: dict[str, Any]) -> None:
    fee = correct(shop, draft, fee_id=line(draft, "calls")["lago_id"], units="2.5", unit_precise_amount="3.333")["fee"]
    assert (fee["amount_cents"], fee["precise_amount"], fee["precise_unit_amount"]) == (833, "8.3325", "3.333")
    assert fee["amount_details"] == {}


def test_a_name_alone(shop: Api, draft: dict[str, Any]) -> None:
    fee = correct(shop, draft, fee_id=line(draft, "calls")["lago_id"], invoice_display_name="Calls of June")["fee"]
    assert (fee["item"]["invoice_display_name"], fee["amount_cents"], fee["events_count"]) == ("Calls of June", 600, 1)


def test_a_plan_fee_is_multiplied(shop: Api, draft: dict[str, Any]) -> None:
    fee = correct(shop, draft, fee_id=line(draft, "p")["lago_id"], units="1.5")["fee"]
    assert (fee["amount_cents"], fee["units"], fee["precise_unit_amount"]) == (4500, "1.5", "30.0")


def test_a_fixed_charge(shop: Api, draft: dict[str, Any]) -> None:
    fee = correct(shop, draft, fee_id=line(draft, "seat")["lago_id"], units=7)["fee"]
    assert (fee["amount_cents"], fee["units"]) == (3500, "7.0")
    found = line(shop.put(f"/invoices/{draft['lago_id']}/refresh")["invoice"], "seat")
    assert found["amount_cents"] == 3500


def test_a_line_that_is_missing(shop: Api, draft: dict[str, Any]) -> None:
    plan_charges = shop.get("/plans/p")["plan"]["charges"]
    calls = next(one for one in plan_charges if one["billable_metric_code"] == "calls")
    tiers = next(one for one in plan_charges if one["billable_metric_code"] == "tiers")
    of = draft["fees"][0]["lago_subscription_id"]
    fee = correct(shop, draft, subscription_id=of, charge_id=tiers["lago_id"], units=20)["fee"]
    assert (fee["amount_cents"], fee["units"]) == (1000 + 500 + 300, "20.0")
    filter_id = calls["filters"][0]["lago_id"]
    fee = correct(shop, draft, subscription_id=of, charge_id=calls["lago_id"], charge_filter_id=filter_id, units=1)
    assert (fee["fee"]["amount_cents"], fee["fee"]["item"]["filters"]) == (400, {"region": ["eu"]})


def test_they_survive_until_the_invoice_is_issued(shop: Api, draft: dict[str, Any]) -> None:
    coupon(shop, "half", percentage_rate="50")
    apply(shop, "half", "c")
    correct(shop, draft, fee_id=line(draft, "calls")["lago_id"], units=4, unit_precise_amount="10")
    event(shop, "calls", at=LATE, n=100)
    refreshed = shop.put(f"/invoices/{draft['lago_id']}/refresh")["invoice"]
    assert line(refreshed, "calls")["amount_cents"] == 4000
    shop.at("2025-07-05T00:00:00Z")
    issued = one_invoice(shop)
    assert (issued["status"], line(issued, "calls")["amount_cents"]) == ("finalized", 4000)
    assert (issued["fees_amount_cents"], issued["coupons_amount_cents"]) == (8001, 4001)
    correct(shop, issued, 403, fee_id=line(issued, "calls")["lago_id"], units=1)


def test_taking_one_back(shop: Api, draft: dict[str, Any]) -> None:
    made = correct(shop, draft, fee_id=line(draft, "calls")["lago_id"], units=9)["adjusted_fee"]
    path = f"/invoices/{draft['lago_id']}/adjusted_fees"
    (listed,) = shop.get(path)["adjusted_fees"]
    assert listed == made
    assert (listed["units"], listed["unit_precise_amount"]) == ("9.0", None)
    assert shop.delete(f"{path}/{made['lago_id']}")["adjusted_fee"]["lago_id"] == made["lago_id"]
    assert amounts(shown(shop, draft)) == amounts(draft)
    assert shop.delete(f"{path}/{made['lago_id']}", 404)["code"] == "adjusted_fee_not_found"
    assert shop.get(path)["adjusted_fees"] == []


def test_looking_first(shop: Api, draft: dict[str, Any]) -> None:
    seen = correct(shop, draft, preview=True, fee_id=line(draft, "calls")["lago_id"], units=9)["fee"]
    assert (seen["amount_cents"], seen["lago_id"]) == (1800, None)
    assert amounts(shown(shop, draft)) == amounts(draft)
    assert shop.get(f"/invoices/{draft['lago_id']}/adjusted_fees")["meta"]["total_count"] == 0


def test_a_line_is_corrected_once(shop: Api, draft: dict[str, Any]) -> None:
    correct(shop, draft, fee_id=line(draft, "calls")["lago_id"], units=9)
    again = line(shown(shop, draft), "calls")["lago_id"]
    assert correct(shop, draft, 422, fee_id=again, units=1)["error_details"] == {"adjusted_fee": ["already_exists"]}


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, {"units": ["value_is_mandatory"]}),
        ({"unit_precise_amount": "1"}, {"units": ["value_is_mandatory"]}),
        ({"units": -1}, {"units": ["value_is_out_of_range"]}),
        ({"units": 1, "unit_precise_amount": "-1"}, {"unit_precise_amount": ["value_is_out_of_range"]}),
        ({"units": "9e14", "unit_precise_amount": "9e14"}, {"unit_precise_amount": ["value_is_out_of_range"]}),
        ({"units": "x"}, {"units": ["value_is_invalid"]}),
    ],
)
def test_what_is_refused(shop: Api, draft: dict[str, Any], body: dict[str, Any], details: dict[str, Any]) -> None:
    asked = {"fee_id": line(draft, "calls")["lago_id"], **body}
    assert correct(shop, draft, 422, **asked)["error_details"] == details


def test_percentages_need_a_price(shop: Api, draft: dict[str, Any]) -> None:
    fee_id = line(draft, "shares")["lago_id"]
    assert correct(shop, draft, 422, fee_id=fee_id, units=2)["error_details"] == {"charge": ["invalid_charge_model"]}
    assert correct(shop, draft, fee_id=fee_id, units=2, unit_precise_amount="1.5")["fee"]["amount_cents"] == 300


def test_what_is_not_there(shop: Api, draft: dict[str, Any]) -> None:
    nobody = "11111111-2222-4333-8444-555555555555"
    of = draft["fees"][0]["lago_subscription_id"]
    calls = line(draft, "calls")["lago_charge_id"]
    for body, code in (
        ({"fee_id": nobody}, "fee_not_found"),
        ({}, "fee_not_found"),
        ({"subscription_id": nobody, "charge_id": nobody}, "subscription_not_found"),
        ({"subscription_id": of, "charge_id": nobody}, "charge_not_found"),
        ({"subscription_id": of, "charge_id": calls, "charge_filter_id": nobody}, "charge_filter_not_found"),
        ({"subscription_id": of, "fixed_charge_id": nobody}, "fixed_charge_not_found"),
    ):
        assert correct(shop, draft, 404, units=1, **body)["code"] == code
    assert correct(shop, {"lago_id": nobody}, 404, units=1)["code"] == "invoice_not_found"
