"""The worked examples of credits.md §1.8 and §2.4 and of invoicing.md §3.3 and §11, told through the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.billing import GRACE, add_on, bill_once, invoices, one_invoice
from tests.support.catalog import charge, metric, plan
from tests.support.coupons import applied, apply, coupon
from tests.support.subscriptions import customer, subscribe

START = "2025-01-01T00:00:00Z"
NEXT = "2025-02-01T00:00:00Z"


@pytest.fixture
def shop(api: Api) -> Api:
    """A customer, and taxes of 0, 10, 19.6 and 20 percent named after their rates."""
    api.at(START)
    for rate in ("0", "10", "19.6", "20"):
        api.post("/taxes", {"tax": {"code": f"vat{rate}", "name": rate, "rate": rate}})
    customer(api)
    return api


def taxed(of: dict[str, Any], cents: int, tax: str, **more: Any) -> dict[str, Any]:
    """A charge whose every event costs so much, with its own tax."""
    amount = f"{cents // 100}.{cents % 100:02d}"
    return charge(of, properties={"amount": amount}, tax_codes=[tax], **more)


def use(api: Api, code: str, subscription: str = "s") -> None:
    """One event."""
    event = {"transaction_id": f"{code}-{subscription}", "external_subscription_id": subscription, "code": code}
    api.post("/events", {"event": event})


def borne(invoice: dict[str, Any]) -> dict[str, tuple[int, str, int]]:
    """item code -> amount, what coupons took of it, taxes."""
    return {
        fee["item"]["code"]: (fee["amount_cents"], fee["precise_coupons_amount_cents"], fee["taxes_amount_cents"])
        for fee in invoice["fees"]
        if fee["amount_cents"]
    }


def invoice_a(api: Api) -> dict[str, Any]:
    """INV-A: one invoice of two subscriptions with three coupons (credits.md §1.8)."""
    one, two = metric(api, "m1"), metric(api, "m2")
    plan(api, "q", amount_cents=0, charges=[taxed(one, 1200, "vat20"), taxed(two, 800, "vat20")])
    plan(api, "pro", amount_cents=3000, tax_codes=["vat10"])
    coupons: dict[str, dict[str, Any]] = {
        "c1": {"amount_cents": 1000, "applies_to": {"billable_metric_codes": ["m1", "m2"]}},
        "c2": {"percentage_rate": 10, "applies_to": {"plan_codes": ["pro"]}},
        "c3": {"amount_cents": 500},
    }
    for code, terms in coupons.items():
        coupon(api, code, **terms)
    for code in ("c3", "c2", "c1"):
        apply(api, code, "c")
    subscribe(api, "q", external_id="sq")
    subscribe(api, "pro", external_id="sp")
    use(api, "m1", "sq")
    use(api, "m2", "sq")
    api.at(NEXT)
    return one_invoice(api)


def test_three_coupons_on_one_invoice(shop: Api) -> None:
    made = invoice_a(shop)
    assert borne(made) == {
        "m1": (1200, "681.08108", 104),
        "m2": (800, "454.05405", 69),
        "pro": (3000, "664.86486", 234),
    }
    assert [(row["item"]["code"], row["amount_cents"]) for row in made["credits"]] == [
        ("c1", 1000),
        ("c2", 300),
        ("c3", 500),
    ]
    rows = {row["tax_code"]: (row["fees_amount_cents"], row["amount_cents"]) for row in made["applied_taxes"]}
    assert rows == {"vat20": (864, 173), "vat10": (2335, 234)}
    amounts = ("fees", "coupons", "sub_total_excluding_taxes", "taxes", "sub_total_including_taxes", "total")
    assert [made[f"{name}_amount_cents"] for name in amounts] == [5000, 1800, 3200, 406, 3606, 3606]


def test_shares_are_rounded_between_two_coupons(shop: Api) -> None:
    charges = [taxed(metric(shop, f"m{n}"), cents, "vat20") for n, cents in enumerate((1000, 2000, 4000), 1)]
    plan(shop, amount_cents=0, charges=charges)
    coupon(shop, "a", applies_to={"billable_metric_codes": ["m1", "m2"]})
    coupon(shop, "b", amount_cents=500)
    apply(shop, "a", "c")
    apply(shop, "b", "c")
    subscribe(shop)
    for code in ("m1", "m2", "m3"):
        use(shop, code)
    shop.at(NEXT)
    made = one_invoice(shop)
    assert borne(made) == {
        "m1": (1000, "388.88889", 122),
        "m2": (2000, "777.77778", 244),
        "m3": (4000, "333.33333", 733),
    }
    assert (made["taxes_amount_cents"], made["total_amount_cents"]) == (1100, 6600)


@pytest.mark.parametrize(
    ("terms", "credits", "status"),
    [
        ({"frequency": "once"}, [700, 300, 0], "terminated"),
        ({"frequency": "recurring", "frequency_duration": 2}, [700, 900, 0], "terminated"),
        ({"frequency": "forever"}, [700, 900, 900], "active"),
        ({"frequency": "once", "percentage_rate": 30}, [210, 0, 0], "terminated"),
    ],
)
def test_lifetimes(shop: Api, terms: dict[str, Any], credits: list[int], status: str) -> None:
    """Fixed 1000 or 30 % on invoices of 700, then 900 and 900."""
    plan(shop, amount_cents=700, charges=[charge(metric(shop), properties={"amount": "2"})])
    coupon(shop, **terms)
    apply(shop, "c", "c")
    subscribe(shop)
    for month, second in (("02", True), ("03", True), ("04", False)):
        shop.at(f"2025-{month}-01T00:00:00Z")
        if second:
            event = {"transaction_id": month, "external_subscription_id": "s", "code": "m"}
            shop.post("/events", {"event": event})
    assert [row["coupons_amount_cents"] for row in invoices(shop)] == credits
    (row,) = applied(shop, "c")
    assert row["status"] == status


def test_taxes_are_rounded_once_for_an_invoice(shop: Api) -> None:
    add_on(shop, "a", 333)
    made = bill_once(shop, [{"add_on_code": "a", "tax_codes": ["vat19.6"]}] * 3)
    assert [fee["taxes_amount_cents"] for fee in made["fees"]] == [65, 65, 65]
    (row,) = made["applied_taxes"]
    assert (row["fees_amount_cents"], row["amount_cents"], row["tax_rate"]) == (999, 196, 19.6)
    assert (made["taxes_amount_cents"], made["total_amount_cents"]) == (196, 1195)


def priced(api: Api, **terms: Any) -> None:
    """The plan of invoicing.md §3.3 with its usage and coupon."""
    x, y = metric(api, "x"), metric(api, "y")
    charges = [taxed(x, 5000, "vat0"), taxed(y, 3000, "vat20", min_amount_cents=5000)]
    plan(api, amount_cents=10000, tax_codes=["vat10"], charges=charges)
    coupon(api)
    apply(api, "c", "c")
    customer(api, **terms)
    subscribe(api)
    use(api, "x")
    use(api, "y")
    api.at(NEXT)


def test_an_invoice_with_its_parts(shop: Api) -> None:
    """Without the credit note and the wallet of the example, which come after taxes."""
    priced(shop)
    made = one_invoice(shop)
    fees = [
        (fee["amount_cents"], fee["precise_coupons_amount_cents"], fee["taxes_amount_cents"]) for fee in made["fees"]
    ]
    assert fees == [(10000, "500.0", 950), (5000, "250.0", 0), (3000, "150.0", 570), (2000, "100.0", 380)]
    amounts = ("fees", "coupons", "sub_total_excluding_taxes", "taxes", "sub_total_including_taxes", "total")
    assert [made[f"{name}_amount_cents"] for name in amounts] == [20000, 1000, 19000, 1900, 20900, 20900]


def test_its_draft(shop: Api) -> None:
    priced(shop, **GRACE)
    made = one_invoice(shop)
    amounts = ("coupons", "sub_total_excluding_taxes", "taxes", "total")
    assert made["status"] == "draft"
    assert [made[f"{name}_amount_cents"] for name in amounts] == [0, 20000, 2000, 22000]


def test_a_credit_note_pays_after_taxes(shop: Api) -> None:
    """The example with its credit note of 1000, issued on another invoice."""
    add_on(shop, "a", 1000)
    other = bill_once(shop, [{"add_on_code": "a", "tax_codes": ["vat0"]}])
    items = [{"fee_id": other["fees"][0]["lago_id"], "amount_cents": 1000}]
    body = {"invoice_id": other["lago_id"], "reason": "other", "credit_amount_cents": 1000, "items": items}
    shop.post("/credit_notes", {"credit_note": body})
    priced(shop)
    made = invoices(shop)[-1]
    assert (made["credit_notes_amount_cents"], made["total_amount_cents"]) == (1000, 19900)


def test_units_times_price_of_a_one_off(shop: Api) -> None:
    add_on(shop, "a", 1999)
    made = bill_once(shop, [{"add_on_code": "a", "units": 2.5}])
    assert made["fees_amount_cents"] == 4998
