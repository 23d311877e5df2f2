"""What billing asks metering, and what it gets back: windows of charges in, usage per bucket and group out.

The SQL in `rooms/metering` and the slow oracle in `core/aggregate` both answer this question; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from tallystick.core.contract import ChargeTerms
from tallystick.core.rating import Usage


@dataclass(frozen=True, slots=True)
class MeterWindow:
    """One charge of one subscription over a half-open window.

    `duration_days`: days of the full period the window lies in (metering.md `duration`); `window_days`: `sub_days` of
    the window, for proration of carried units. `key` is the caller's and comes back with each bucket. `only` keeps the
    events that have one of the texts in each property; the empty text stands for none.
    """

    key: int
    organization_id: UUID
    external_subscription_id: str
    charge: ChargeTerms
    start_at: datetime
    end_at: datetime
    timezone: str
    duration_days: int
    window_days: int
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MeteredBucket:
    """Usage of one (window, charge filter, pricing group). `filter_id` None is the default bucket.

    Every bucket of the charge is present, empty ones too, with one all-null group when nothing was used.
    """

    key: int
    filter_id: UUID | None
    grouped_by: Mapping[str, str | None]
    usage: Usage


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Units of a part of a (window, charge filter, pricing group), by presentation keys; not rounded, not priced."""

    key: int
    filter_id: UUID | None
    grouped_by: Mapping[str, str | None]
    presentation_by: Mapping[str, str | None]
    units: Decimal
