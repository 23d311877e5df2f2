"""Price of a single event of a charge billed in advance: what it adds to the price of those before it.

Which units an event adds is metering's knowledge (metering.md §6.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from tallystick.core.money import ZERO, exact, ratio, round_half_away, round_to_currency
from tallystick.core.rating.amounts import PRICING_UNIT_PLACES
from tallystick.core.rating.event_details import graduated_percentage_details, percentage_details
from tallystick.core.rating.tariff import Tariff, tariff
from tallystick.core.rating.usage import JSON, ChargeModel, Price, Usage

_NOTHING = Price(ZERO, ZERO, ZERO)
_TIERED = (ChargeModel.GRADUATED, ChargeModel.GRADUATED_PERCENTAGE)


@dataclass(frozen=True, slots=True)
class EventPrice:
    """Price of one event, in currency units (pricing units when the charge has one).

    delta           D, exact; `precise_amount_cents` is D × sub
    amount          r, D rounded to what the currency (or pricing unit) can hold
    unit_amount     r / units, 0 when either is 0
    units           units of the fee
    details         `amount_details` of the fee
    with_price, without_price   the two prices whose difference D is
    """

    delta: Decimal
    amount: Decimal
    unit_amount: Decimal
    units: Decimal
    with_price: Price
    without_price: Price
    details: Mapping[str, JSON] = field(default_factory=dict)


def price_of_event(
    model: ChargeModel | str,
    properties: Mapping[str, Any],
    with_usage: Usage,
    without_usage: Usage,
    new_units: Decimal,
    displayed_units: Decimal,
    first_event: bool,
    *,
    currency: str,
    prorated: bool = False,
    in_pricing_units: bool = False,
) -> EventPrice:
    """The fee of one event (rating.md §12, metering.md §6.4-§6.5).

    with_usage       all selected events up to and including this one
    without_usage    the events before it; its units are taken as those of `with_usage` less `new_units`
    new_units        units the event adds, prorated if the charge is prorated (metering.md §6.5)
    displayed_units  units of the fee (metering.md §6.3)
    first_event      no event was selected before this one
    in_pricing_units round to pricing units instead of `currency` (rating.md §15)

    A negative difference gives a fee with everything 0 (metering.md §5).
    Raises `InvalidProperties`, `UnknownCurrency`.
    """
    terms = tariff(model, properties, prorated=prorated, currency=currency)
    if prorated:
        with_price, without_price = terms.raw_price(Usage(new_units, new_units, 1)), _NOTHING
    else:
        with_price = terms.raw_price(with_usage)
        without_price = _price_before(terms, with_usage, without_usage, new_units, first_event)
    with exact():
        delta = with_price.amount - without_price.amount
        negative = delta < 0
        delta = ZERO if negative else delta
        units = ZERO if negative else displayed_units
        amount = round_half_away(delta, PRICING_UNIT_PLACES) if in_pricing_units else round_to_currency(delta, currency)
        return EventPrice(
            delta=delta,
            amount=amount,
            unit_amount=ratio(amount, units),
            units=units,
            with_price=with_price,
            without_price=without_price,
            details=_details(terms.model, with_price, without_price),
        )


def _price_before(terms: Tariff, with_usage: Usage, without_usage: Usage, new_units: Decimal, first: bool) -> Price:
    """`without` of rating.md §12; nothing before the first event of a tiered charge, so it pays the first flat amount.

    Percentage charges use the running totals that include the event on both sides.
    """
    if first and terms.model in _TIERED:
        return _NOTHING
    with exact():
        units = with_usage.units - new_units
        full_units = with_usage.full_units - new_units
    totals = with_usage.running_totals if terms.model is ChargeModel.PERCENTAGE else without_usage.running_totals
    return terms.raw_price(replace(without_usage, units=units, full_units=full_units, running_totals=totals))


def _details(model: ChargeModel, with_price: Price, without_price: Price) -> Mapping[str, JSON]:
    """`amount_details` of an in-advance fee (rating.md §12)."""
    if model is ChargeModel.PERCENTAGE:
        return percentage_details(with_price.details, without_price.details)
    if model is ChargeModel.GRADUATED_PERCENTAGE:
        return graduated_percentage_details(with_price.details, without_price.details)
    return {}
