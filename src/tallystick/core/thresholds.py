"""Usage thresholds: which ones usage passes, and how far it is to the next one (metering.md §9.2, §9.3).

Amounts are minor units before taxes. It does not know where usage comes from, nor what an invoice of it looks like.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from tallystick.core.money import ONE, ZERO, divide, round_half_away

#: decimals of a completion ratio
RATIO_PLACES = 15
#: steps of a recurring threshold that a completion list shows at most: the newest
MOST_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Threshold:
    """An amount of usage; a recurring one counts at every step of that size."""

    id: UUID
    amount_cents: int
    recurring: bool = False


@dataclass(frozen=True, slots=True)
class LifetimeUsage:
    """Usage of a chain of subscriptions (metering.md §9.1). `billed_cents`: what the newest progressive invoice of the
    running period billed, of which `current_cents` holds the whole usage.
    """

    historical_cents: int
    invoiced_cents: int
    current_cents: int
    billed_cents: int = 0

    @property
    def total_cents(self) -> int:
        """All usage ever."""
        return self.historical_cents + self.invoiced_cents + self.current_cents


def passed(usage: LifetimeUsage, thresholds: Sequence[Threshold]) -> list[Threshold]:
    """Thresholds that usage reached and no invoice knows of: ascending, the recurring one last, however many steps it
    took at once (metering.md §9.2).
    """
    new = usage.current_cents - usage.billed_cents
    if new < 0:
        return []
    known = usage.historical_cents + usage.invoiced_cents + usage.billed_cents
    reached, largest = known + new, _largest(thresholds)
    if known < largest:
        found = [one for one in _fixed(thresholds) if known < one.amount_cents <= reached]
        return found + [step for step in _recurring(thresholds) if reached - largest >= step.amount_cents]
    return [step for step in _recurring(thresholds) if new + known % step.amount_cents >= step.amount_cents]


@dataclass(frozen=True, slots=True)
class Completion:
    """How far usage came towards an amount: a share from 0 to 1, which is reached."""

    threshold: Threshold
    amount_cents: int
    ratio: Decimal

    @property
    def is_reached(self) -> bool:
        """Whether usage came as far."""
        return self.ratio == ONE


def completions(total_cents: int, thresholds: Sequence[Threshold]) -> list[Completion]:
    """The completion list of a total of usage (metering.md §9.3)."""
    fixed = _fixed(thresholds)
    last = max((one.amount_cents for one in fixed if one.amount_cents <= total_cents), default=0)
    rows, is_open = [], False
    for one in fixed:
        if one.amount_cents <= total_cents:
            ratio = ONE
        else:
            ratio = ZERO if is_open else _share(total_cents - last, one.amount_cents - last)
            is_open = True
        rows.append(Completion(one, one.amount_cents, ratio))
    for step in _recurring(thresholds):
        if is_open:
            rows.append(Completion(step, _largest(thresholds) + step.amount_cents, ZERO))
        else:
            rows.extend(_steps(step, last, total_cents))
    return rows


def _steps(step: Threshold, last: int, total_cents: int) -> Iterator[Completion]:
    """Every full step above the last fixed threshold, then the one under way."""
    size = step.amount_cents
    full, rest = divmod(max(total_cents - last, 0), size)
    for k in range(max(full - MOST_STEPS, 0) + 1, full + 1):
        yield Completion(step, last + k * size, ONE)
    yield Completion(step, last + (full + 1) * size, _share(rest, size))


def _share(part: int, whole: int) -> Decimal:
    """A ratio below 1, however close it comes; nothing below 0."""
    return max(min(round_half_away(divide(part, whole), RATIO_PLACES), ONE - Decimal((0, (1,), -RATIO_PLACES))), ZERO)


def _fixed(thresholds: Sequence[Threshold]) -> list[Threshold]:
    return sorted((one for one in thresholds if not one.recurring), key=lambda one: one.amount_cents)


def _recurring(thresholds: Sequence[Threshold]) -> list[Threshold]:
    """The recurring threshold, if there is one."""
    return [one for one in thresholds if one.recurring]


def _largest(thresholds: Sequence[Threshold]) -> int:
    return max((one.amount_cents for one in thresholds if not one.recurring), default=0)
