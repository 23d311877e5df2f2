"""`coupons` and `applied_coupons` through the official client."""

from __future__ import annotations

from typing import Any

from lago_python_client import Client
from lago_python_client.models import AppliedCoupon, Coupon, LimitationConfiguration

from tests.contract.refusals import coded, invalid, refused
from tests.contract.shop import Shop


def create(lago: Client, code: str = "ten.1", **more: Any) -> Any:
    body = {"coupon_type": "percentage", "percentage_rate": 10, "frequency": "forever", "expiration": "no_expiration"}
    return lago.coupons.create(Coupon(**{"name": "Ten", "code": code, "reusable": True, **body, **more}))


def test_create_find_update_destroy(shop: Shop) -> None:
    lago = shop.lago
    limits = LimitationConfiguration(plan_codes=["basic"])
    made = create(lago, applies_to=limits, description="d")
    assert (made.code, made.percentage_rate, made.frequency, made.coupon_type) == (
        "ten.1",
        10.0,
        "forever",
        "percentage",
    )
    assert (made.plan_codes, made.limited_plans, made.limited_billable_metrics) == (["basic"], True, False)
    assert lago.coupons.find("ten.1") == made
    assert lago.coupons.update(Coupon(name="Eleven"), "ten.1").name == "Eleven"
    assert [row.code for row in lago.coupons.find_all()["coupons"]] == ["ten.1"]
    assert refused(create, lago) == invalid(code=["value_already_exist"])
    assert lago.coupons.destroy("ten.1").lago_id == made.lago_id
    assert refused(lago.coupons.find, "ten.1") == coded(404, "coupon_not_found")


def test_applied_coupons(shop: Shop) -> None:
    lago = shop.lago
    create(lago, "fix", coupon_type="fixed_amount", amount_cents=500, amount_currency="EUR", frequency="once")
    applied = lago.applied_coupons.create(AppliedCoupon(external_customer_id="acme", coupon_code="fix"))
    assert (applied.coupon_code, applied.status, applied.amount_cents_remaining) == ("fix", "active", 500)
    invoice = shop.invoice()
    assert (invoice.coupons_amount_cents, invoice.taxes_amount_cents) == (500, 300)
    (credit,) = invoice.credits.__root__
    assert (credit.item.type, credit.item.code, credit.amount_cents, credit.before_taxes) == (
        "coupon",
        "fix",
        500,
        True,
    )
    (row,) = lago.applied_coupons.find_all({"external_customer_id": "acme", "coupon_code[]": ["fix"]})[
        "applied_coupons"
    ]
    assert (row.status, row.credits.__root__[0].amount_cents) == ("terminated", 500)
    create(lago)
    again = lago.applied_coupons.create(AppliedCoupon(external_customer_id="acme", coupon_code="ten.1"))
    assert lago.applied_coupons.destroy("acme", again.lago_id).status == "terminated"
    missing = AppliedCoupon(external_customer_id="acme", coupon_code="nope")
    assert refused(lago.applied_coupons.create, missing) == coded(404, "coupon_not_found")
