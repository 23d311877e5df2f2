"""Which top-ups of one wallet fund what is spent of it (wallets.md §5.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


class Overdrawn(ArithmeticError):
    """More is spent than the top-ups of a wallet have left."""


@dataclass(frozen=True, slots=True)
class Funding:
    """A settled top-up with an amount left; `priority` 1 goes first."""

    id: UUID
    remaining_cents: int
    granted: bool
    priority: int
    created_at: datetime


Links = tuple[tuple[Funding, int], ...]


def draw(cents: int, fundings: Iterable[Funding]) -> Links:
    """(top-up, what it gives) by priority, granted before purchased, the oldest first. Raises `Overdrawn`."""
    links: list[tuple[Funding, int]] = []
    for funding in sorted(fundings, key=_order):
        given = min(funding.remaining_cents, cents)
        if given > 0:
            links.append((funding, given))
            cents -= given
    if cents > 0:
        raise Overdrawn(f"{cents} more than there is")
    return tuple(links)


def _order(funding: Funding) -> tuple[int, bool, datetime, UUID]:
    return (funding.priority, not funding.granted, funding.created_at, funding.id)
