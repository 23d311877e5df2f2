"""`plan_fixed_charges`, `subscription_fixed_charges` and plans with fixed charges through the official client."""

from __future__ import annotations

import pytest
from lago_python_client.models import AddOn, FixedCharge, FixedChargeProperties, FixedCharges, Plan

from tests.contract.refusals import UNAUTHORIZED, coded, refused
from tests.contract.shop import Shop


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """The shop with an add-on."""
    shop.lago.add_ons.create(AddOn(name="Seat", code="seat", amount_cents=1000, amount_currency="EUR"))
    return shop


def seat(**more: object) -> FixedCharge:
    """The body of a fixed charge."""
    return FixedCharge(
        **{
            "add_on_code": "seat",
            "charge_model": "standard",
            "units": 2.5,
            "properties": FixedChargeProperties(amount="10"),
            **more,
        }
    )


def test_of_plans(sold: Shop) -> None:
    fixed = sold.lago.plan_fixed_charges
    made = fixed.create("basic", seat(prorated=True))
    assert (made.code, made.add_on_code, made.units, made.prorated) == ("seat", "seat", 2.5, True)
    assert made.invoice_display_name == ""
    assert fixed.find("basic", "seat").lago_id == made.lago_id
    changed = fixed.update("basic", "seat", FixedCharge(units=3, invoice_display_name="Seats"))
    assert (changed.units, changed.invoice_display_name, changed.properties.amount) == (3, "Seats", "10")
    assert sold.lago.plans.find("basic").fixed_charges.__root__[0].lago_id == made.lago_id
    assert fixed.destroy("basic", "seat").lago_id == made.lago_id
    assert refused(fixed.find, "basic", "seat") == coded(404, "fixed_charge_not_found")
    assert refused(fixed.find, "nope", "seat") == coded(404, "plan_not_found")
    assert refused(fixed.create, "basic", seat(add_on_code="nope")) == coded(404, "add_on_not_found")


def test_lists_have_no_key(sold: Shop) -> None:
    assert refused(sold.lago.plan_fixed_charges.find_all, "basic") == UNAUTHORIZED
    assert refused(sold.lago.subscription_fixed_charges.find_all, "sub") == UNAUTHORIZED


def test_plans_with_fixed_charges(sold: Shop) -> None:
    body = {"name": "Fixed", "code": "fixed", "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR"}
    made = sold.lago.plans.create(Plan(**body, fixed_charges=FixedCharges(__root__=[seat()])))
    (row,) = made.fixed_charges.__root__
    assert (row.units, row.charge_model) == (2.5, "standard")
    assert {plan.code for plan in sold.lago.plans.find_all()["plans"]} == {"basic", "fixed"}
    assert sold.lago.plans.destroy("fixed").fixed_charges.__root__[0].lago_id == row.lago_id


def test_of_subscriptions(sold: Shop) -> None:
    made = sold.lago.plan_fixed_charges.create("basic", seat())
    fixed = sold.lago.subscription_fixed_charges
    assert fixed.find("sub", "seat").lago_id == made.lago_id
    own = fixed.update("sub", "seat", FixedCharge(units=9, apply_units_immediately=True))
    assert (own.lago_id, own.units) == (made.lago_id, 9)
    priced = fixed.update("sub", "seat", FixedCharge(properties=FixedChargeProperties(amount="8")))
    assert (priced.lago_parent_id, priced.units, priced.properties.amount) == (made.lago_id, 9, "8")
    assert refused(fixed.find, "sub", "nope") == coded(404, "fixed_charge_not_found")
    assert refused(fixed.find, "nope", "seat") == coded(404, "subscription_not_found")
