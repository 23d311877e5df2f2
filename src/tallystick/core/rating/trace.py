"""The steps by which a price came about, so that every cent of a fee can be explained.

Not a log: the amounts of the steps of one price add up to its amount exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from tallystick.core.money import ZERO, dec_text


class StepKind(StrEnum):
    """What a step of a price did."""

    UNITS = "units"  # all units at one price
    TIER = "tier"  # the units of one range at its price
    FLAT = "flat"  # the flat amount of a range
    FREE = "free"  # units not paid for
    PACKAGES = "packages"  # started packages
    RATE = "rate"  # percent of the paid units
    FIXED = "fixed"  # fixed amount per paid event
    LIMITS = "limits"  # minimum and maximum per transaction
    GIVEN = "given"  # an amount that came with the events
    FLOOR = "floor"  # negative units or amounts are not billed


_SENTENCES = {
    StepKind.UNITS: "{units} units at {price}",
    StepKind.TIER: "{units} units in the range {range} at {price}",
    StepKind.FLAT: "flat amount of the range {range}",
    StepKind.FREE: "{units} free units",
    StepKind.PACKAGES: "{units} packages at {price}",
    StepKind.RATE: "{units} units at {price} %",
    StepKind.FIXED: "{units} paid events at {price}",
    StepKind.LIMITS: "minimum and maximum per transaction",
    StepKind.GIVEN: "amount given with the events for {units} units",
    StepKind.FLOOR: "negative units or amounts are not billed",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One addend of a price: `amount` in currency units (or pricing units), for `units` at `price`.

    `low` (exclusive) and `high` (inclusive, None = no end) are the positions of the range concerned.
    """

    kind: StepKind
    amount: Decimal
    units: Decimal = ZERO
    price: Decimal = ZERO
    low: Decimal | None = None
    high: Decimal | None = None

    def sentence(self) -> str:
        """The step in words, e.g. "100.0 units in the range 0.0-100.0 at 0.1 = 10.0"."""
        end = "∞" if self.high is None else dec_text(self.high)
        text = _SENTENCES[self.kind].format(
            units=dec_text(self.units), price=dec_text(self.price), range=f"{dec_text(self.low or ZERO)}-{end}"
        )
        return f"{text} = {dec_text(self.amount)}"
