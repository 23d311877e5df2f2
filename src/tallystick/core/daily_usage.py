"""Snapshots of usage day by day: what a day added to the snapshot before it (metering.md §11). Stores nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from tallystick.core.money import EXACT

Texts = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Part:
    """Units of an item by its values of the presentation keys."""

    presentation_by: Texts
    units: Decimal


@dataclass(frozen=True, slots=True)
class Item:
    """Usage of one bucket and group of a charge, since the period began or on one day."""

    charge_id: UUID
    metric_id: UUID
    filter_id: UUID | None
    grouped_by: Texts
    units: Decimal
    events_count: int
    amount_cents: int
    parts: tuple[Part, ...] = ()

    @property
    def says_something(self) -> bool:
        """Whether it is worth a snapshot."""
        return bool(self.units or self.events_count or self.amount_cents)


def differences(now: Iterable[Item], before: Iterable[Item]) -> list[Item]:
    """What was added since `before`, the newest snapshot of the same period.

    What was not there before counts whole; what vanished is not taken back.
    """
    known = {_key(item): item for item in before}
    return [_difference(item, known.get(_key(item))) for item in now]


def _difference(item: Item, before: Item | None) -> Item:
    if before is None:
        return item
    known = {_values(part.presentation_by): part.units for part in before.parts}
    return replace(
        item,
        units=EXACT.subtract(item.units, before.units),
        events_count=item.events_count - before.events_count,
        amount_cents=item.amount_cents - before.amount_cents,
        parts=tuple(
            replace(part, units=EXACT.subtract(part.units, known.get(_values(part.presentation_by), Decimal(0))))
            for part in item.parts
        ),
    )


def _key(item: Item) -> tuple[UUID, UUID | None, tuple[tuple[str, str | None], ...]]:
    return item.charge_id, item.filter_id, _values(item.grouped_by)


def _values(texts: Texts) -> tuple[tuple[str, str | None], ...]:
    return tuple(sorted(texts.items()))
