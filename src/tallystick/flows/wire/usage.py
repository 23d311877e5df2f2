"""Wire JSON of usage (api.md §15.27): charges with their filters and groups, from rated lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tallystick.core.invoice import FeeDraft
from tallystick.core.money import total
from tallystick.core.periods import local_date
from tallystick.flows.usage.current import ChargeLines, CurrentUsage
from tallystick.ground.wire import dec, dt_, last_second


def customer_usage(usage: CurrentUsage, *, apply_taxes: bool) -> dict[str, Any]:
    """The `customer_usage` object."""
    composition, window = usage.composition, usage.window
    amount = composition.fees_amount_cents
    taxes = composition.taxes_amount_cents if apply_taxes else 0
    return {
        "from_datetime": dt_(window.start_at),
        "to_datetime": dt_(last_second(window.end_at)),
        "issuing_date": local_date(window.last_at, usage.contract.customer.timezone).isoformat(),
        "currency": usage.contract.plan.currency,
        "amount_cents": amount,
        "total_amount_cents": amount + taxes,
        "taxes_amount_cents": taxes,
        "lago_invoice_id": None,
        "charges_usage": [_charge(lines, usage.contract.plan.currency) for lines in usage.lines],
    }


def _charge(lines: ChargeLines, currency: str) -> dict[str, Any]:
    charge, metric = lines.charge, lines.charge.metric
    grouped = any(fee.grouped_by for fee in lines.fees)
    return {
        **_figures(lines.fees),
        "amount_currency": currency,
        "pricing_unit_details": None,
        "charge": {
            "lago_id": charge.id,
            "code": charge.code,
            "charge_model": charge.model.value,
            "invoice_display_name": charge.invoice_display_name,
        },
        "billable_metric": {
            "lago_id": metric.id,
            "name": metric.name,
            "code": metric.code,
            "aggregation_type": metric.aggregation_type,
        },
        "filters": _filters(lines, lines.fees) if charge.filters else [],
        "grouped_usage": _groups(lines) if grouped else [],
        "presentation_breakdowns": [],
    }


def _figures(fees: Sequence[FeeDraft]) -> dict[str, Any]:
    return {
        "units": dec(total(fee.units for fee in fees)),
        "total_aggregated_units": dec(total(fee.total_aggregated_units or fee.units for fee in fees)),
        "events_count": sum(fee.events_count or 0 for fee in fees),
        "amount_cents": sum(fee.amount_cents for fee in fees),
    }


def _filters(lines: ChargeLines, fees: Sequence[FeeDraft]) -> list[dict[str, Any]]:
    """One element for each filter, oldest first, then one for the rest with null values."""
    shown = []
    for item in (*lines.charge.filters, None):
        mine = [fee for fee in fees if fee.filter_id == (item.id if item else None)]
        if mine:
            shown.append(
                {
                    **_figures(mine),
                    "pricing_unit_details": None,
                    "invoice_display_name": item.invoice_display_name if item else None,
                    "values": dict(item.given_values) if item else None,
                }
            )
    return shown


def _groups(lines: ChargeLines) -> list[dict[str, Any]]:
    """One element for each group of values, in the order in which they appear."""
    groups: dict[tuple[tuple[str, str | None], ...], list[FeeDraft]] = {}
    for fee in lines.fees:
        groups.setdefault(tuple(sorted(fee.grouped_by.items())), []).append(fee)
    return [
        {
            **_figures(fees),
            "pricing_unit_details": None,
            "grouped_by": dict(values),
            "filters": _filters(lines, fees) if lines.charge.filters else [],
        }
        for values, fees in groups.items()
    ]
