"""Projections: what usage so far comes to at the end of the period, if it goes on like this (metering.md §7.4)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from tallystick.core.money import ONE, ZERO, divide, ratio, round_half_away
from tallystick.core.proration import days_between
from tallystick.core.rating import ChargeModel, Tariff, Usage
from tallystick.core.windows import Window

_UNIT_PLACES = 2
#: models whose price of a number of units needs nothing but that number
PRICED_BY_UNITS = (ChargeModel.STANDARD, ChargeModel.PACKAGE, ChargeModel.GRADUATED, ChargeModel.VOLUME)


def elapsed_ratio(window: Window, at: datetime, tz: str) -> Decimal:
    """r of metering.md §7.4: the days of the period that have begun, from 0 to 1."""
    if at >= window.last_at:
        return ONE
    if at < window.start_at:
        return ZERO
    elapsed, full = days_between(window.start_at, at, tz), days_between(window.start_at, window.last_at, tz)
    return min(divide(elapsed, full), ONE)


def projected_units(units: Decimal, elapsed: Decimal, places: int = _UNIT_PLACES) -> Decimal:
    """`units / r`, 0 when r is 0 or the result is negative; parts are rounded to other places."""
    return max(round_half_away(ratio(units, elapsed), places), ZERO)


def projected_amount(tariff: Tariff, units: Decimal, current: Decimal, elapsed: Decimal, *, prorated: bool) -> Decimal:
    """The exact amount of projected `units`; models that look at events scale the `current` exact amount instead.

    Without units standard, package, graduated and volume charges cost nothing, flat amounts included.
    """
    if tariff.model in PRICED_BY_UNITS and not prorated:
        amount = tariff.price(Usage(units, units)).amount if units else ZERO
    else:
        amount = ratio(current, elapsed)
    return max(amount, ZERO)
