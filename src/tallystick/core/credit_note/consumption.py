"""How invoices use up the balances of credit notes, and what of it each fee bears (credits.md §3.9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from tallystick.core.credit_note.amounts import PLACES
from tallystick.core.money import ZERO, exact, round_half_away


@dataclass(frozen=True, slots=True)
class AvailableNote:
    """A final note with a balance, of a customer and a currency; `invoice_id` is the invoice it credits."""

    id: UUID
    invoice_id: UUID
    currency: str
    balance_cents: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Consumption:
    """(note, what it paid) in order, and for each fee what notes paid of it."""

    credits: tuple[tuple[UUID, int], ...] = ()
    borne_cents: tuple[Decimal, ...] = ()

    @property
    def amount_cents(self) -> int:
        """`credit_notes_amount_cents` of the invoice."""
        return sum(cents for _, cents in self.credits)


def consume(total_cents: int, fees_cents: Sequence[Decimal], notes: Iterable[AvailableNote]) -> Consumption:
    """Pay an invoice of this total with notes, the oldest first.

    `fees_cents`: for each fee its amount less coupons and with taxes, the most that it bears.
    """
    borne = [ZERO] * len(fees_cents)
    credits: list[tuple[UUID, int]] = []
    left = total_cents
    with exact():
        for note in sorted(notes, key=lambda each: (each.created_at, each.id)):
            if left <= 0:
                break
            cents = min(note.balance_cents, left)
            if cents <= 0:
                continue
            borne = [
                min(round_half_away(taken + cents * (most - taken) / left, PLACES), most)
                for taken, most in zip(borne, fees_cents, strict=True)
            ]
            credits.append((note.id, cents))
            left -= cents
    return Consumption(tuple(credits), tuple(borne))
