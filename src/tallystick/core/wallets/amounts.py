"""Credits to money and back, with the roundings of wallets.md §2. Knows no wallet."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tallystick.core.money import EXACT, divide, floor_to, from_cents, round_half_away, to_cents

#: decimals of credits and of rates
PLACES = 5


@dataclass(frozen=True, slots=True)
class Worth:
    """One amount twice: in minor units and in credits. The two are counted apart and may drift by fractions."""

    amount_cents: int
    credit_amount: Decimal


def credits_of(cents: int | Decimal, rate: Decimal, currency: str) -> Decimal:
    """Minor units in credits: R5(amount / rate)."""
    return round_half_away(divide(from_cents(cents, currency), rate), PLACES)


def topped_up(credits: Decimal, rate: Decimal, currency: str) -> Worth:
    """What is given for credits that are bought or granted: whole minor units, and the credits that those are worth."""
    cents = to_cents(EXACT.multiply(floor_to(credits, PLACES), rate), currency)
    return Worth(cents, credits_of(cents, rate, currency))


def voided(credits: Decimal, rate: Decimal, currency: str) -> Worth:
    """What a void takes: the money is rounded to minor units, the credits are not realigned with it."""
    cut = floor_to(credits, PLACES)
    return Worth(to_cents(EXACT.multiply(cut, rate), currency), cut)


def consumed(cents: int, rate: Decimal, currency: str) -> Worth:
    """What an invoice takes."""
    return Worth(cents, credits_of(cents, rate, currency))
