"""From the exact sums of one bucket and group to its usage: divisions, proration, roundings (metering.md §3.5-§3.8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.core.contract import ChargeTerms
from tallystick.core.metering import MeterWindow
from tallystick.core.money import EXACT, ONE, ZERO, ceil_to, divide
from tallystick.core.rating import ChargeModel, Usage, event_values, read_allowance, round_units, running_totals

_PRORATED_PLACES = 5
_WEIGHTED_PLACES = 20
_SECONDS_PER_DAY = 86_400
_LIMITS = ("per_transaction_min_amount", "per_transaction_max_amount")


@dataclass(frozen=True, slots=True)
class Figures:
    """Exact sums of one bucket and group, nothing divided and nothing rounded yet.

    events          selected events, those before the window too if the metric looks back
    window_events   those inside the window
    units           number, sum, maximum, last value or number of distinct texts; the window's sum of a weighted sum
    carried         Σ v of the events before the window (sum, weighted sum)
    weight          what is divided by the duration: Σ v × days of a sum's window, Σ paid days of unique counts,
                    Σ level × seconds of a weighted sum
    precise_cents   Σ precise_total_amount_cents
    values, days    in order, if asked for: numeric values with the days they pay for, 0 before the window; for unique
                    counts the kept operations as 1 and -1 with the days of their interval
    """

    events: int = 0
    window_events: int = 0
    units: Decimal = ZERO
    carried: Decimal = ZERO
    weight: Decimal = ZERO
    precise_cents: Decimal = ZERO
    values: tuple[Decimal, ...] = ()
    days: tuple[int, ...] = ()


def needs_values(charge: ChargeTerms) -> bool:
    """Whether pricing looks at single values: limits or free allowances of sums and maxima, prorated graduated sums."""
    if charge.metric.aggregation_type not in ("sum_agg", "max_agg"):
        return False
    every = (charge.properties, *(one.properties for one in charge.filters))
    return has_items(charge) or (
        charge.model is ChargeModel.PERCENTAGE and any(_has_allowance(one) or _has_limits(one) for one in every)
    )


def has_items(charge: ChargeTerms) -> bool:
    """Whether the charge is priced event by event with prorated units (rating.md §5.1)."""
    return charge.prorated and charge.model is ChargeModel.GRADUATED


def usage(window: MeterWindow, properties: Mapping[str, Any], figures: Figures) -> Usage:
    """The usage of one bucket and group; `properties` are those of the bucket.

    Metric rounding is applied to units and full units separately, to nothing else (metering.md §3.7).
    """
    charge, metric = window.charge, window.charge.metric
    kind = metric.aggregation_type
    full, rated = _units(window, figures)
    units, full_units = (round_units(metric.rounding_function, metric.rounding_precision, x) for x in (rated, full))
    percentage = charge.model is ChargeModel.PERCENTAGE
    limited = percentage and _has_limits(properties)
    return Usage(
        units=units,
        full_units=full_units,
        events_count=_events_count(kind, figures, units),
        total_aggregated_units=EXACT.add(figures.carried, figures.units) if kind == "weighted_sum_agg" else None,
        running_totals=running_totals(kind, read_allowance(properties), figures.values, units) if percentage else (),
        event_values=event_values(kind, _window_values(kind, figures)) if limited else None,
        items=_items(window, figures) if has_items(charge) else (),
        precise_total_amount_cents=figures.precise_cents,
    )


def _units(window: MeterWindow, figures: Figures) -> tuple[Decimal, Decimal]:
    """(full, rated) units, before metric rounding; rated ones prorated if the charge is (metering.md §3.5, §3.6)."""
    match window.charge.metric.aggregation_type:
        case "weighted_sum_agg":
            mean = ceil_to(divide(figures.weight, window.duration_days * _SECONDS_PER_DAY), _WEIGHTED_PLACES)
            return mean, mean
        case "sum_agg" if window.charge.prorated:
            carried = EXACT.multiply(figures.carried, Decimal(window.window_days))
            weight = EXACT.add(figures.weight, carried)
            return figures.units, ceil_to(divide(weight, window.duration_days), _PRORATED_PLACES)
        case "unique_count_agg" if window.charge.prorated:
            return figures.units, ceil_to(divide(figures.weight, window.duration_days), _PRORATED_PLACES)
        case _:
            return figures.units, figures.units


def _events_count(kind: str, figures: Figures, units: Decimal) -> int:
    """`events_count` of metering.md §3.8: unique counts report their units, prorated ones cut to an integer."""
    match kind:
        case "unique_count_agg":
            return int(units)
        case "weighted_sum_agg":
            return figures.window_events
        case _:
            return figures.events


def _window_values(kind: str, figures: Figures) -> tuple[Decimal, ...]:
    """Values of the window's events in order; counts have one per event (rating.md §8.2)."""
    if kind in ("count_agg", "unique_count_agg"):
        return (ONE,) * figures.window_events
    return tuple(value for value, days in zip(figures.values, figures.days, strict=True) if days)


def _items(window: MeterWindow, figures: Figures) -> tuple[tuple[Decimal, Decimal], ...]:
    """(full, prorated) of rating.md §5.1: carried units first; only those of unique counts are rounded."""
    duration = window.duration_days
    pairs = [(value, days) for value, days in zip(figures.values, figures.days, strict=True) if days]
    if window.charge.metric.aggregation_type == "unique_count_agg":
        return tuple(
            (value, ceil_to(divide(days, duration), _PRORATED_PLACES) if value > 0 else ZERO) for value, days in pairs
        )
    carried = [(figures.carried, window.window_days)] if figures.carried else []
    return tuple((value, divide(EXACT.multiply(value, Decimal(days)), duration)) for value, days in (*carried, *pairs))


def _has_limits(properties: Mapping[str, Any]) -> bool:
    return any(properties.get(name) not in (None, "") for name in _LIMITS)


def _has_allowance(properties: Mapping[str, Any]) -> bool:
    allowance = read_allowance(properties)
    return bool(allowance.events or allowance.total)
