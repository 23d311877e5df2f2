"""Fixed charges: how many units of an add-on are billed for a window, and what they cost (rating.md §16).

Not for when a fixed charge is billed (`flows/billing`) nor for how its units came to change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from tallystick.core.money import EXACT, ZERO, cents_of, divide, ratio, round_half_away, total
from tallystick.core.periods import ONE_DAY, local_date
from tallystick.core.rating import Price, Tariff, Usage
from tallystick.core.windows import Window

#: decimals of the units that one record adds to a prorated sum (ROUND6 of subscriptions.md §4.5)
UNIT_PLACES = 6
#: units are in force from this long after a subscription's start (subscriptions.md §2.4)
AFTER_START = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """From `effective_at` on there are so many units. Sequences of records are in the order of their creation."""

    effective_at: datetime
    units: Decimal


@dataclass(frozen=True, slots=True)
class RecordShare:
    """What one record adds to the rated units of a window: its units for `days` of the period."""

    units: Decimal
    days: int
    weighted: Decimal


@dataclass(frozen=True, slots=True)
class RatedUnits:
    """`full` units are shown on the fee, `rated` ones are priced; `shares` add up to them, empty when not prorated."""

    full: Decimal
    rated: Decimal
    shares: tuple[RecordShare, ...] = ()


@dataclass(frozen=True, slots=True)
class Raise:
    """Units added within a period that was paid in advance: `units` are new, `rated` of them are priced."""

    units: Decimal
    rated: Decimal
    days: int


def records_of(records: Sequence[UnitRecord], window: Window) -> list[UnitRecord]:
    """The records that count for a window: those inside, and the last created of those before it (rating.md §16.1)."""
    last_before = max((place for place, one in enumerate(records) if one.effective_at < window.start_at), default=None)
    return [
        one
        for place, one in enumerate(records)
        if place == last_before or window.start_at <= one.effective_at < window.end_at
    ]


def rated_units(
    records: Sequence[UnitRecord], window: Window, duration_days: int, tz: str, *, prorated: bool
) -> RatedUnits:
    """Units of a window of a period of `duration_days` days (rating.md §16.2). Days are days of the time zone."""
    counted = records_of(records, window)
    full = counted[-1].units if counted else ZERO
    if not prorated:
        return RatedUnits(full, full)
    shares = tuple(_shares(_not_overtaken(counted), window, duration_days, tz))
    return RatedUnits(full, total(share.weighted for share in shares), shares)


def _not_overtaken(records: Sequence[UnitRecord]) -> list[UnitRecord]:
    """Without records that a later created one precedes in time: that one says otherwise already."""
    kept: list[UnitRecord] = []
    for record in reversed(records):
        if not kept or record.effective_at <= kept[-1].effective_at:
            kept.append(record)
    return kept[::-1]


def _shares(records: Sequence[UnitRecord], window: Window, duration_days: int, tz: str) -> Iterator[RecordShare]:
    starts = [local_date(max(one.effective_at, window.start_at), tz) for one in records]
    # dates, not instants a day later: a change of the clocks must not move the last day, which counts whole
    ends = [*starts[1:], local_date(window.last_at, tz) + ONE_DAY]
    for record, start_on, end_on in zip(records, starts, ends, strict=False):
        days = max(0, (end_on - start_on).days)
        weighted = divide(EXACT.multiply(record.units, Decimal(days)), duration_days)
        yield RecordShare(record.units, days, round_half_away(weighted, UNIT_PLACES))


def price_of_units(found: Tariff, units: RatedUnits) -> Price:
    """The price of a window's units, in currency units; the unit price is per full unit (rating.md §16.2)."""
    return found.price(Usage(units=units.rated, full_units=units.full, items=((units.full, units.rated),)))


def raise_of(
    units: Decimal, billed_units: Decimal, window: Window, duration_days: int, tz: str, at: datetime, *, prorated: bool
) -> Raise:
    """What a change to `units` at `at` adds to what was billed of a window in advance (rating.md §16.4).

    Fewer units than billed add nothing and give nothing back. The day of the change is billed.
    """
    added = EXACT.subtract(units, billed_units)
    days = (local_date(window.last_at, tz) - local_date(at, tz)).days + 1
    if added <= 0:
        return Raise(ZERO, ZERO, days)
    rated = divide(EXACT.multiply(added, Decimal(days)), duration_days) if prorated else added
    return Raise(added, rated, days)


def price_of_raise(found: Tariff, added: Raise) -> Price:
    """The price of added units, from zero: tiers are not continued (rating.md §16.4). Without details."""
    if not added.units:
        return Price(ZERO, ZERO, ZERO)
    price = found.price(Usage(units=added.rated, full_units=added.units))
    return Price(price.amount, ratio(price.amount, added.units), added.units, {}, price.trace)


def upgrade_credit_cents(old_amount_cents: int, old_billed_at: datetime, old: Window, new: Window) -> int:
    """What an old plan's fee for the same add-on has paid of a new plan's first window (rating.md §16.3), cents."""
    now, then = _started_days(new.start_at, new), _started_days(old_billed_at, old)
    return cents_of(divide(old_amount_cents * now, then)) if then > 0 else 0


def _started_days(from_at: datetime, window: Window) -> int:
    """24-hour days begun from an instant to the end of a window."""
    return -((from_at - window.last_at) // ONE_DAY)
