"""Projected usage: current usage and what it would be at the end of the period (metering.md §7.4)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from tallystick.core.contract import ChargeTerms
from tallystick.core.invoice import FeeDraft
from tallystick.core.money import ZERO, divide, exponent, from_cents
from tallystick.core.pricing_units import charge_amounts
from tallystick.core.projection import elapsed_ratio, projected_amount, projected_units
from tallystick.flows.billing.rate import Rater
from tallystick.flows.usage.current import CurrentUsage
from tallystick.flows.usage.lines import ChargeLines, Projection, line, shown


@dataclass(frozen=True, slots=True)
class ProjectedUsage:
    """The running period with the projection of each line."""

    usage: CurrentUsage
    charges: tuple[ChargeLines, ...]


def projected_usage(usage: CurrentUsage, at: dt.datetime) -> ProjectedUsage:
    """The projection of current usage, as of `at`."""
    elapsed = elapsed_ratio(usage.window, at, usage.contract.customer.timezone)
    rater = Rater()
    charges = []
    for one in usage.charges:
        lines = tuple(line(fee, _projection(rater, one.charge, fee, elapsed)) for fee in one.fees)
        charges.append(ChargeLines(shown(one.charge), lines))
    return ProjectedUsage(usage, tuple(charges))


def _projection(rater: Rater, charge: ChargeTerms, fee: FeeDraft, elapsed: Decimal) -> Projection:
    """Carried units do not grow with the days: a recurring metric stays what it is."""
    parts = tuple((part.presentation_by, part.units) for part in fee.breakdowns)
    if charge.metric.recurring:
        in_units = fee.in_units.amounts.amount_cents if fee.in_units else 0
        return Projection(fee.units, fee.amount_cents, parts, in_units)
    units = projected_units(fee.units, elapsed)
    tariff = rater.tariff(charge, fee.filter_id, fee.currency)
    amount = projected_amount(tariff, units, _exact_amount(fee), elapsed, prorated=charge.prorated)
    priced = charge_amounts(charge.pricing_unit, amount, ZERO, fee.currency)
    places = exponent(fee.currency)
    return Projection(
        units,
        priced.money.amount_cents,
        tuple((by, projected_units(part, elapsed, places)) for by, part in parts),
        priced.in_units.amounts.amount_cents if priced.in_units else 0,
    )


def _exact_amount(fee: FeeDraft) -> Decimal:
    """In what the charge is priced in: money or pricing units."""
    if fee.in_units is not None:
        return divide(fee.in_units.amounts.precise_amount_cents, 100)
    return from_cents(fee.precise_amount_cents, fee.currency)
