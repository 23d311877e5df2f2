"""What was billed before, asked for sets: of fixed charges in advance, by old plans, and of whole periods.

It reads fees and writes none. A draft that is made again does not see its own fees.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallystick.core.money import ZERO
from tallystick.core.windows import Window
from tallystick.ground.db import Tx, load_query

_FIXED = load_query(__file__, "billed_fixed_charges")
_OLD = load_query(__file__, "fees_of_old_plans")
_PERIODS = load_query(__file__, "billed_of_periods")


@dataclass(frozen=True, slots=True)
class InAdvance:
    """A window of a fixed charge paid in advance; `parent_id` is the fixed charge that it overrides."""

    subscription_id: uuid.UUID
    fixed_charge_id: uuid.UUID
    parent_id: uuid.UUID | None
    window: Window
    draft_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class BilledUnits:
    """Units billed of a window so far; `is_billed` once the fee for the coming period was made."""

    units: Decimal
    is_billed: bool


@dataclass(frozen=True, slots=True)
class OldFee:
    """The fee of an old plan that covers a window; `billed_at` is when it was made."""

    amount_cents: int
    billed_at: dt.datetime
    period: Window


@dataclass(frozen=True, slots=True)
class Span:
    """A period of a subscription."""

    subscription_id: uuid.UUID
    window: Window
    draft_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Billed:
    """Gross amounts of a period, in minor units."""

    amount_cents: int
    precise_amount_cents: Decimal


async def units_in_advance(tx: Tx, asked: Sequence[InAdvance]) -> list[BilledUnits]:
    """What was billed of each window, in one query; voided invoices do not count."""
    rows = await tx.execute(
        _FIXED,
        {
            "places": list(range(len(asked))),
            "subscriptions": [one.subscription_id for one in asked],
            "fixed_charges": [one.fixed_charge_id for one in asked],
            "parents": [one.parent_id for one in asked],
            "ends": [one.window.end_at for one in asked],
            "drafts": [one.draft_id for one in asked],
        },
    )
    found = {row.place: BilledUnits(row.units, row.is_billed) for row in rows}
    return [found.get(place, BilledUnits(ZERO, False)) for place in range(len(asked))]


async def old_fees(tx: Tx, asked: Sequence[tuple[uuid.UUID, uuid.UUID, Window]]) -> list[OldFee | None]:
    """For each (old subscription, add-on, new window) the last fee paid in advance that covers the window."""
    rows = await tx.execute(
        _OLD,
        {
            "places": list(range(len(asked))),
            "subscriptions": [subscription_id for subscription_id, _, _ in asked],
            "add_ons": [add_on_id for _, add_on_id, _ in asked],
            "starts": [window.start_at for _, _, window in asked],
            "ends": [window.end_at for _, _, window in asked],
        },
    )
    found = {
        row.place: OldFee(row.amount_cents, row.created_at, Window(row.period_from_at, row.period_to_at))
        for row in rows
    }
    return [found.get(place) for place in range(len(asked))]


async def of_periods(tx: Tx, asked: Sequence[Span]) -> list[Billed]:
    """What was billed of each period, in one query: the sum that commitments are held against (rating.md §17)."""
    rows = await tx.execute(
        _PERIODS,
        {
            "places": list(range(len(asked))),
            "subscriptions": [one.subscription_id for one in asked],
            "starts": [one.window.start_at for one in asked],
            "ends": [one.window.end_at for one in asked],
            "drafts": [one.draft_id for one in asked],
        },
    )
    found = {row.place: Billed(row.amount_cents, row.precise_amount_cents) for row in rows}
    return [found.get(place, Billed(0, ZERO)) for place in range(len(asked))]
