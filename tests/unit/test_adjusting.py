"""Corrections of single lines, without a draft around them (rating.md §19)."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from tallystick.core.adjusting import Adjustment, adjusted, anew, takes_units
from tallystick.core.invoice import FeeDraft, FeeType
from tallystick.core.pricing_units import PricingUnitTerms
from tallystick.core.rating import ChargeModel, tariff

D = Decimal
TOKEN = PricingUnitTerms(uuid4(), "tokens", "TK", D("0.02"))


def fee(currency: str = "EUR", cents: int = 1050) -> FeeDraft:
    return FeeDraft(
        id=uuid4(),
        subscription_id=uuid4(),
        fee_type=FeeType.CHARGE,
        currency=currency,
        amount_cents=cents,
        precise_amount_cents=D(cents),
        units=D(3),
        unit_amount=D("3.5"),
        taxes=(),
        total_aggregated_units=D(3),
        events_count=3,
        details={"free_units": "0.0"},
        invoice_display_name="Calls",
    )


@pytest.mark.parametrize(
    ("currency", "units", "price", "cents", "exact"),
    [
        ("EUR", "2.5", "19.99", 4998, "4997.5"),
        ("JPY", "2.5", "3", 8, "7.5"),
        ("KWD", "1", "0.0005", 1, "0.5"),
        ("EUR", "0", "5", 0, "0"),
    ],
)
def test_a_given_price_is_rounded_once(currency: str, units: str, price: str, cents: int, exact: str) -> None:
    made = adjusted(fee(currency), Adjustment(D(units), D(price)))
    assert (made.amount_cents, made.precise_amount_cents) == (cents, D(exact))
    assert (made.units, made.unit_amount, made.events_count, made.details) == (D(units), D(price), 0, {})
    assert (made.total_aggregated_units, made.invoice_display_name) == (D(units), "Calls")


def test_a_given_price_in_a_pricing_unit_is_in_its_hundredths() -> None:
    made = adjusted(fee(), Adjustment(D(3), D(250)), None, TOKEN)
    assert made.in_units is not None
    assert (made.in_units.amounts.amount_cents, made.amount_cents) == (750, 15)


def test_a_name_changes_nothing_else() -> None:
    before = fee()
    made = adjusted(before, Adjustment(invoice_display_name="Other"))
    assert made.invoice_display_name == "Other"
    assert (made.amount_cents, made.units, made.events_count, made.details) == (1050, D(3), 3, before.details)


def test_without_a_model_the_amount_is_multiplied() -> None:
    made = adjusted(fee(cents=333), Adjustment(D("1.5")))
    assert (made.amount_cents, made.precise_amount_cents, made.unit_amount) == (500, D("499.5"), D("3.33"))


def test_a_model_prices_units_as_if_nothing_else_were_known() -> None:
    packages = tariff("package", {"amount": "5", "package_size": 10, "free_units": 10}, prorated=False, currency="EUR")
    made = adjusted(fee(), Adjustment(D(25)), anew(packages, None, "EUR"))
    assert (made.amount_cents, made.units) == (1000, D(25))
    dynamic = tariff("dynamic", {}, prorated=False, currency="EUR")
    assert adjusted(fee(), Adjustment(D(25)), anew(dynamic, None, "EUR")).amount_cents == 0


@pytest.mark.parametrize("model", list(ChargeModel))
def test_which_models_take_units(model: ChargeModel) -> None:
    assert takes_units(model, prorated=False) == (model is not ChargeModel.PERCENTAGE)
    assert takes_units(model, prorated=True) == (model not in (ChargeModel.PERCENTAGE, ChargeModel.GRADUATED))
