"""Minimum and maximum per transaction of percentage charges: every event is priced alone.

Free allowances work differently here than without limits, kept on purpose (rating.md §8.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

from tallystick.core.money import EXACT, ONE, ZERO, total
from tallystick.core.rating.allowance import Allowance
from tallystick.core.rating.beginnings import Beginning


@dataclass(frozen=True, slots=True)
class TransactionLimits:
    """`per_transaction_min_amount` and `per_transaction_max_amount`, None when absent; false when both are."""

    least: Decimal | None
    most: Decimal | None

    def __bool__(self) -> bool:
        return self.least is not None or self.most is not None

    def amount(self, values: Sequence[Decimal], rate: Decimal, fixed: Decimal, allowance: Allowance) -> Decimal:
        """A of rating.md §8.2, in currency units, for event values in order; call inside `money.exact()`."""
        if isinstance(values, Beginning):
            return values.result(
                (self, rate, fixed, allowance),
                lambda every: accumulate(self.amounts(every, rate, fixed, allowance), EXACT.add, initial=ZERO),
            )
        return total(self.amounts(values, rate, fixed, allowance))

    def amounts(
        self, values: Sequence[Decimal], rate: Decimal, fixed: Decimal, allowance: Allowance
    ) -> Iterator[Decimal]:
        """The amount of each event, in order (rating.md §8.2)."""
        events, left = allowance.events, allowance.total
        for value in values:
            paid = value
            if events > 0 or left > 0:
                events -= 1
                if left <= 0 or left > value:
                    left = left - value if left > 0 else left
                    yield ZERO
                    continue
                paid = value - left
                left, events = ZERO, 0
            yield self._clamp(paid * rate / 100 + fixed)

    def _clamp(self, amount: Decimal) -> Decimal:
        if self.least is not None and amount < self.least:
            return self.least
        return min(amount, self.most) if self.most is not None else amount


def event_values(aggregation_type: str, values: Sequence[Decimal]) -> tuple[Decimal, ...] | None:
    """Values of rating.md §8.2 from the numeric values of the window's events in order.

    Sum: the values; count and unique count: 1 per event; max: the first maximum keeps its value, all others 0.
    None for weighted sum and custom: minimum and maximum do not apply to them.
    """
    match aggregation_type:
        case "sum_agg":
            return tuple(values)
        case "count_agg" | "unique_count_agg":
            return (ONE,) * len(values)
        case "max_agg":
            first = values.index(max(values)) if values else -1
            return tuple(value if position == first else ZERO for position, value in enumerate(values))
        case _:
            return None
