"""Lines of drafts that somebody corrects by hand: another name, other units, another price (rating.md §19).

Who may correct what, and how corrections are kept, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from tallystick.core.explain import adjusted_trace
from tallystick.core.invoice import FeeDraft
from tallystick.core.money import exact, from_cents
from tallystick.core.pricing_units import ChargeAmounts, PricingUnitTerms, charge_amounts
from tallystick.core.rating import ChargeModel, Price, Tariff, Usage, fee_amounts

#: models whose price follows from units alone only when nothing is prorated; percentages look at every event
_NEVER = frozenset({ChargeModel.PERCENTAGE})
_NOT_PRORATED = frozenset({ChargeModel.GRADUATED})


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A correction of one line; `unit_amount` in currency units, hundredths of the pricing unit where there is one.

    With a name alone the line is rated as ever; with units it is priced anew; with both the price is given.
    """

    units: Decimal | None = None
    unit_amount: Decimal | None = None
    invoice_display_name: str | None = None


def takes_units(model: ChargeModel, *, prorated: bool) -> bool:
    """Whether units alone can be given for a charge (invoicing.md §10)."""
    return model not in _NEVER and not (prorated and model in _NOT_PRORATED)


#: what a model asks for given units, without events: the exact price, and its amounts
Anew = Callable[[Decimal], tuple[Price, ChargeAmounts]]


def anew(found: Tariff, unit: PricingUnitTerms | None, currency: str) -> Anew:
    """Price units by a tariff as if they were all that is known."""

    def price(units: Decimal) -> tuple[Price, ChargeAmounts]:
        price = found.price(Usage(units=units, full_units=units))
        return price, charge_amounts(unit, price.amount, price.unit_amount, currency)

    return price


def adjusted(fee: FeeDraft, by: Adjustment, rate: Anew | None = None, unit: PricingUnitTerms | None = None) -> FeeDraft:
    """The corrected line. `rate` prices units of a charge; lines without one, as plan fees, are multiplied."""
    named = replace(fee, invoice_display_name=by.invoice_display_name or fee.invoice_display_name)
    if by.units is None:
        return named
    if by.unit_amount is not None:
        return _priced(named, by.units, _at_given_price(by.units, by.unit_amount, unit, fee.currency), {}, None)
    if rate is not None:
        price, amounts = rate(by.units)
        return _priced(named, price.units, amounts, price.details, price)
    return _priced(named, by.units, _multiplied(fee, by.units), fee.details, None)


def _at_given_price(
    units: Decimal, unit_amount: Decimal, unit: PricingUnitTerms | None, currency: str
) -> ChargeAmounts:
    with exact():
        each = unit_amount / 100 if unit is not None else unit_amount
        return charge_amounts(unit, units * each, each, currency)


def _multiplied(fee: FeeDraft, units: Decimal) -> ChargeAmounts:
    """So many times the rounded amount of the fee."""
    with exact():
        each = from_cents(fee.amount_cents, fee.currency)
        return ChargeAmounts(fee_amounts(units * each, each, fee.currency))


def _priced(
    fee: FeeDraft, units: Decimal, amounts: ChargeAmounts, details: Mapping[str, Any], price: Price | None
) -> FeeDraft:
    money = amounts.money
    return replace(
        fee,
        amount_cents=money.amount_cents,
        precise_amount_cents=money.precise_amount_cents,
        units=units,
        unit_amount=money.precise_unit_amount,
        total_aggregated_units=None if fee.total_aggregated_units is None else units,
        events_count=None if fee.events_count is None else 0,
        details=details,
        breakdowns=(),
        in_units=amounts.in_units,
        trace=adjusted_trace(units, price, amounts),
    )
