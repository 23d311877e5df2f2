"""The vocabulary of rating: charge models, what metering knows about usage, and what a price is.

Not the arithmetic: each charge model has its own file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeAlias

from tallystick.core.money import ZERO
from tallystick.core.rating.trace import Step

JSON: TypeAlias = "str | int | Decimal | bool | Sequence[JSON] | Mapping[str, JSON] | None"


class ChargeModel(StrEnum):
    """How units become an amount (rating.md §4-§11)."""

    STANDARD = "standard"
    GRADUATED = "graduated"
    PACKAGE = "package"
    PERCENTAGE = "percentage"
    VOLUME = "volume"
    GRADUATED_PERCENTAGE = "graduated_percentage"
    DYNAMIC = "dynamic"
    CUSTOM = "custom"


class InvalidProperties(ValueError):
    """Charge properties that `validate` would have refused."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What metering knows about one (bucket, group) of a charge.

    units                        U, the rated value, metric rounding applied (prorated if the charge is prorated)
    full_units                   F, the unprorated value; equal to `units` when the charge is not prorated
    events_count                 N
    total_aggregated_units       level reached of a weighted sum, None otherwise
    running_totals               r of rating.md §8.1; a `range(1, U + 1)` for count and unique count
    event_values                 values of rating.md §8.2 in event order; None when min/max do not apply to the metric
    items                        (full, prorated) pairs of rating.md §5.1, in order
    precise_total_amount_cents   P of rating.md §10, minor units
    custom_amount                amount of a custom aggregation, currency units
    """

    units: Decimal
    full_units: Decimal
    events_count: int = 0
    total_aggregated_units: Decimal | None = None
    running_totals: Sequence[Decimal] | range = ()
    event_values: Sequence[Decimal] | None = None
    items: tuple[tuple[Decimal, Decimal], ...] = ()
    precise_total_amount_cents: Decimal = ZERO
    custom_amount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Price:
    """Result of a charge model, in currency units (pricing units when the charge has one).

    amount       A, exact, not rounded
    unit_amount  A per full unit (per paid unit for packages), 0 when there is none
    units        units of the fee: full units, 0 when the fee is zeroed
    details      `amount_details` of the fee, numbers as `dec` strings
    trace        steps whose amounts add up to `amount`
    """

    amount: Decimal
    unit_amount: Decimal
    units: Decimal
    details: Mapping[str, JSON] = field(default_factory=dict)
    trace: tuple[Step, ...] = ()


class Terms(Protocol):
    """Parsed properties of one charge or filter, ready to price any usage of it."""

    def price(self, usage: Usage) -> Price:
        """A, unit price, details and trace, before negatives are zeroed; called inside `money.exact()`."""
