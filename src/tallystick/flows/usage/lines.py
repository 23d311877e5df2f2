"""Usage as lines: one for each bucket and group of a charge, rated now or stored on an invoice long ago.

Figures only; what they look like on the wire is `flows/wire/usage.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from tallystick.core.contract import ChargeTerms
from tallystick.core.invoice import FeeDraft
from tallystick.core.money import ZERO

Texts = Mapping[str, str | None]
#: values of the presentation keys with their units
Parts = tuple[tuple[Texts, Decimal], ...]


@dataclass(frozen=True, slots=True)
class LineUnit:
    """What a line costs in the pricing unit of its charge, in hundredths, and what one unit costs in money."""

    short_name: str
    conversion_rate: Decimal
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Projection:
    """What a line would be at the end of the period."""

    units: Decimal
    amount_cents: int
    parts: Parts
    in_units_cents: int = 0


NO_PROJECTION = Projection(ZERO, 0, ())


@dataclass(frozen=True, slots=True)
class UsageLine:
    """Usage of one bucket and group, priced. `filter_id` None is the default bucket."""

    filter_id: UUID | None
    grouped_by: Texts
    units: Decimal
    total_aggregated_units: Decimal
    events_count: int
    amount_cents: int
    parts: Parts = ()
    in_units: LineUnit | None = None
    projection: Projection = NO_PROJECTION


@dataclass(frozen=True, slots=True)
class ShownFilter:
    """A charge filter as it is named; `values` as the caller gave them."""

    id: UUID
    invoice_display_name: str | None
    values: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ShownCharge:
    """A charge and its metric as they are named; `filters` from the oldest to the newest."""

    id: UUID
    code: str
    model: str
    invoice_display_name: str | None
    metric_id: UUID
    metric_code: str
    metric_name: str
    aggregation_type: str
    filters: tuple[ShownFilter, ...]


@dataclass(frozen=True, slots=True)
class ChargeLines:
    """A charge with its lines."""

    charge: ShownCharge
    lines: tuple[UsageLine, ...]


def shown(charge: ChargeTerms) -> ShownCharge:
    """A charge of a contract as it is named."""
    metric = charge.metric
    return ShownCharge(
        id=charge.id,
        code=charge.code,
        model=charge.model.value,
        invoice_display_name=charge.invoice_display_name,
        metric_id=metric.id,
        metric_code=metric.code,
        metric_name=metric.name,
        aggregation_type=metric.aggregation_type,
        filters=tuple(ShownFilter(one.id, one.invoice_display_name, one.given_values) for one in charge.filters),
    )


def line(fee: FeeDraft, projection: Projection = NO_PROJECTION) -> UsageLine:
    """A rated line as usage shows it."""
    return UsageLine(
        filter_id=fee.filter_id,
        grouped_by=fee.grouped_by,
        units=fee.units,
        total_aggregated_units=fee.units if fee.total_aggregated_units is None else fee.total_aggregated_units,
        events_count=fee.events_count or 0,
        amount_cents=fee.amount_cents,
        parts=tuple((part.presentation_by, part.units) for part in fee.breakdowns),
        in_units=_in_units(fee),
        projection=projection,
    )


def _in_units(fee: FeeDraft) -> LineUnit | None:
    if fee.in_units is None:
        return None
    unit = fee.in_units.unit
    return LineUnit(unit.short_name, unit.conversion_rate, fee.in_units.amounts.amount_cents)
