"""Free allowances of percentage charges: running totals of the usage, and the units and events they set free.

The variant with per-transaction limits has its own, different allowances (rating.md §8.2) in `transaction_limits.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

from tallystick.core.money import EXACT, ZERO, ceil_to, exact
from tallystick.core.rating.beginnings import Beginning


@dataclass(frozen=True, slots=True)
class Allowance:
    """Properties `free_units_per_events` (fe) and `free_units_per_total_aggregation` (fa), 0 when absent."""

    events: int
    total: Decimal

    def free_units(self, totals: Sequence[Decimal] | range) -> Decimal:
        """Units not paid, from the running totals r (rating.md §8.1); may exceed the units."""
        last = Decimal(totals[-1]) if totals else ZERO
        if not last:
            return ZERO
        if 0 < self.events < len(totals):
            return Decimal(totals[self.events - 1])
        return last if not self.total or last <= self.total else self.total

    def free_events(self, totals: Sequence[Decimal] | range) -> int:
        """Events whose fixed amount is not due (rating.md §8.1): the smaller non-zero of both allowances."""
        candidates = (self.events, _count_below(totals, self.total))
        return min((count for count in candidates if count), default=0)


def running_totals(
    aggregation_type: str, allowance: Allowance, values: Iterable[Decimal], units: Decimal
) -> Sequence[Decimal] | range:
    """r of rating.md §8.1: numeric values of the events in order, as far as the allowances need them.

    Count and unique count give a lazy `range(1, U + 1)`; metrics other than sum have no free allowances.
    """
    if not allowance.events and not allowance.total:
        return ()
    if aggregation_type in ("count_agg", "unique_count_agg"):
        return range(1, int(units) + 1)
    if aggregation_type != "sum_agg":
        return ()
    totals: list[Decimal] = []
    with exact():
        for total in accumulate(values, EXACT.add):
            totals.append(total)
            if len(totals) == allowance.events or (not allowance.events and total > allowance.total):
                break
    return tuple(totals)


def _count_below(totals: Sequence[Decimal] | range, limit: Decimal) -> int:
    """How many running totals are strictly below `limit`."""
    if isinstance(totals, range):  # 1, 2, …: no need to walk through millions of events
        return max(min(len(totals), int(ceil_to(limit)) - 1), 0)
    if isinstance(totals, Beginning):
        return totals.result(
            ("below", limit), lambda every: accumulate((int(total < limit) for total in every), initial=0)
        )
    return sum(1 for total in totals if total < limit)
