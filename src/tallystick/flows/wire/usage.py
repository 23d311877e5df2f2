"""Wire JSON of usage (api.md §15.27): charges with their filters and groups, current, projected and past."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tallystick.core.money import total
from tallystick.core.periods import local_date
from tallystick.flows.usage.current import CurrentUsage
from tallystick.flows.usage.lines import ChargeLines, Parts, UsageLine, line, shown
from tallystick.flows.usage.past import PastUsage
from tallystick.flows.usage.projected import ProjectedUsage
from tallystick.ground.wire import dec, dt_, last_second

Wire = dict[str, Any]
Lines = Sequence[UsageLine]


def customer_usage(usage: CurrentUsage, *, apply_taxes: bool) -> Wire:
    """The `customer_usage` object."""
    lines = [ChargeLines(shown(one.charge), tuple(line(fee) for fee in one.fees)) for one in usage.charges]
    return {
        **_head(usage),
        **_amounts(usage, apply_taxes),
        "lago_invoice_id": None,
        "charges_usage": [_charge(one, usage.contract.plan.currency, _CURRENT) for one in lines],
    }


def customer_projected_usage(projected: ProjectedUsage, *, apply_taxes: bool) -> Wire:
    """The `customer_projected_usage` object."""
    usage = projected.usage
    return {
        **_head(usage),
        "projected_amount_cents": _projected_cents(line for one in projected.charges for line in one.lines),
        **_amounts(usage, apply_taxes),
        "lago_invoice_id": None,
        "charges_usage": [_charge(one, usage.contract.plan.currency, _PROJECTED) for one in projected.charges],
    }


def usage_periods(periods: Sequence[PastUsage]) -> list[Wire]:
    """The elements of `usage_periods` (metering.md §7.2)."""
    return [
        {
            "from_datetime": dt_(past.window.start_at),
            "to_datetime": dt_(last_second(past.window.end_at)),
            "issuing_date": past.issuing_on.isoformat(),
            "currency": past.currency,
            "amount_cents": past.amount_cents,
            "total_amount_cents": past.amount_cents + past.taxes_amount_cents,
            "taxes_amount_cents": past.taxes_amount_cents,
            "lago_invoice_id": past.invoice_id,
            "charges_usage": [_charge(one, past.currency, _CURRENT) for one in past.charges],
        }
        for past in periods
    ]


def _head(usage: CurrentUsage) -> Wire:
    window = usage.window
    return {
        "from_datetime": dt_(window.start_at),
        "to_datetime": dt_(last_second(window.end_at)),
        "issuing_date": local_date(window.last_at, usage.contract.customer.timezone).isoformat(),
        "currency": usage.contract.plan.currency,
    }


def _amounts(usage: CurrentUsage, apply_taxes: bool) -> Wire:
    amount = usage.composition.fees_amount_cents
    taxes = usage.composition.taxes_amount_cents if apply_taxes else 0
    return {"amount_cents": amount, "total_amount_cents": amount + taxes, "taxes_amount_cents": taxes}


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where current and projected usage differ; `no_values` names the filter that is none (sdk-compat.md R11)."""

    figures: Callable[[Lines], Wire]
    in_units: Callable[[Lines], Wire | None]
    breakdowns: Callable[[Lines], Wire]
    charge_code: bool
    no_values: dict[str, list[str]] | None


def _current_figures(lines: Lines) -> Wire:
    return {
        "units": dec(total(line.units for line in lines)),
        "total_aggregated_units": dec(total(line.total_aggregated_units for line in lines)),
        "events_count": sum(line.events_count for line in lines),
        "amount_cents": sum(line.amount_cents for line in lines),
    }


def _projected_figures(lines: Lines) -> Wire:
    return {
        "units": dec(total(line.units for line in lines)),
        "projected_units": dec(total(line.projection.units for line in lines)),
        "events_count": sum(line.events_count for line in lines),
        "amount_cents": sum(line.amount_cents for line in lines),
        "projected_amount_cents": _projected_cents(lines),
    }


def _current_in_units(lines: Lines) -> Wire | None:
    """Amounts in the pricing unit of the charge (api.md §15.27); the newest line says its rate."""
    units = [line.in_units for line in lines if line.in_units is not None]
    if not units:
        return None
    return {
        "amount_cents": sum(one.amount_cents for one in units),
        "short_name": units[-1].short_name,
        "conversion_rate": dec(units[-1].conversion_rate),
    }


def _projected_in_units(lines: Lines) -> Wire | None:
    current = _current_in_units(lines)
    projected = sum(line.projection.in_units_cents for line in lines)
    return None if current is None else {**current, "projected_amount_cents": projected}


def _projected_cents(lines: Iterable[UsageLine]) -> int:
    return sum(line.projection.amount_cents for line in lines)


def _current_breakdowns(lines: Lines) -> Wire:
    return {"presentation_breakdowns": _parts(line.parts for line in lines)}


def _projected_breakdowns(lines: Lines) -> Wire:
    return {
        **_current_breakdowns(lines),
        "projected_presentation_breakdowns": _parts(line.projection.parts for line in lines),
    }


def _parts(of_lines: Iterable[Parts]) -> list[Wire]:
    """Missing values are empty text (sdk-compat.md R3)."""
    return [
        {"presentation_by": {key: value or "" for key, value in by.items()}, "units": dec(units)}
        for parts in of_lines
        for by, units in parts
    ]


_CURRENT = _Shape(_current_figures, _current_in_units, _current_breakdowns, charge_code=True, no_values=None)
_PROJECTED = _Shape(_projected_figures, _projected_in_units, _projected_breakdowns, charge_code=False, no_values={})


def _charge(of: ChargeLines, currency: str, shape: _Shape) -> Wire:
    charge = of.charge
    grouped = any(line.grouped_by for line in of.lines)
    plain = [line for line in of.lines if line.filter_id is None and not line.grouped_by]
    return {
        **shape.figures(of.lines),
        "amount_currency": currency,
        "pricing_unit_details": shape.in_units(of.lines),
        "charge": {
            "lago_id": charge.id,
            **({"code": charge.code} if shape.charge_code else {}),
            "charge_model": charge.model,
            "invoice_display_name": charge.invoice_display_name,
        },
        "billable_metric": {
            "lago_id": charge.metric_id,
            "name": charge.metric_name,
            "code": charge.metric_code,
            "aggregation_type": charge.aggregation_type,
        },
        "filters": _filters(of, of.lines, shape) if charge.filters else [],
        "grouped_usage": _groups(of, shape) if grouped else [],
        **shape.breakdowns(plain),
    }


def _filters(of: ChargeLines, lines: Lines, shape: _Shape) -> list[Wire]:
    """One element for each filter, oldest first, then one for the rest without values."""
    found = []
    for item in (*of.charge.filters, None):
        mine = [line for line in lines if line.filter_id == (item.id if item else None)]
        if mine:
            found.append(
                {
                    **shape.figures(mine),
                    "pricing_unit_details": shape.in_units(mine),
                    "invoice_display_name": item.invoice_display_name if item else None,
                    "values": dict(item.values) if item else shape.no_values,
                    **shape.breakdowns(mine),
                }
            )
    return found


def _groups(of: ChargeLines, shape: _Shape) -> list[Wire]:
    """One element for each group of values, in the order in which they appear."""
    groups: dict[tuple[tuple[str, str | None], ...], list[UsageLine]] = {}
    for one in of.lines:
        groups.setdefault(tuple(sorted(one.grouped_by.items())), []).append(one)
    return [
        {
            **shape.figures(lines),
            "pricing_unit_details": shape.in_units(lines),
            "grouped_by": dict(values),
            "filters": _filters(of, lines, shape) if of.charge.filters else [],
            **shape.breakdowns(lines),
        }
        for values, lines in groups.items()
    ]
