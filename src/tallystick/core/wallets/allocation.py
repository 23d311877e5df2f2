"""Which wallets of a customer pay what of an invoice (wallets.md §5.1). Every wallet pays in one amount."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from tallystick.core.money import ZERO, cents_of, exact, total
from tallystick.core.wallets.amounts import Worth, consumed
from tallystick.core.wallets.funding import Funding, Links, draw


class FeeKind(NamedTuple):
    """What wallets tell fees apart by. `target_code`: the only wallet that may pay (§5.5)."""

    fee_type: str
    metric_id: UUID | None = None
    target_code: str | None = None


class Part(NamedTuple):
    """The most that wallets may pay of a fee, in minor units with decimals."""

    kind: FeeKind
    cents: Decimal


@dataclass(frozen=True, slots=True)
class Payment:
    """What a wallet pays of an invoice, and the top-ups that fund it."""

    wallet_id: UUID
    worth: Worth
    links: Links

    def cents_of(self, *, granted: bool) -> int:
        """What granted, or purchased, credits paid."""
        return sum(cents for funding, cents in self.links if funding.granted is granted)


@dataclass(frozen=True, slots=True)
class AvailableWallet:
    """An active wallet with a balance; without fee types and metrics it pays for everything."""

    id: UUID
    code: str
    currency: str
    rate: Decimal
    priority: int
    created_at: datetime
    balance_cents: int
    fundings: tuple[Funding, ...]
    fee_types: frozenset[str] = frozenset()
    metric_ids: frozenset[UUID] = frozenset()

    def pays_for(self, kind: FeeKind) -> bool:
        """Whether it may pay for such fees; either limit is enough."""
        if kind.target_code is not None:
            return self.code == kind.target_code
        unlimited = not self.fee_types and not self.metric_ids
        return unlimited or kind.metric_id in self.metric_ids or kind.fee_type in self.fee_types

    def after(self, payment: Payment) -> AvailableWallet:
        """What the payment leaves of it."""
        taken = {funding.id: cents for funding, cents in payment.links}
        left = (replace(one, remaining_cents=one.remaining_cents - taken.get(one.id, 0)) for one in self.fundings)
        return replace(
            self,
            balance_cents=self.balance_cents - payment.worth.amount_cents,
            fundings=tuple(one for one in left if one.remaining_cents > 0),
        )


@dataclass(frozen=True, slots=True)
class Purse:
    """The wallets that may pay an invoice, and the metrics of its charges."""

    wallets: tuple[AvailableWallet, ...] = ()
    metric_of: Mapping[UUID, UUID] = field(default_factory=dict)


def pay(total_cents: int, parts: Iterable[Part], wallets: Iterable[AvailableWallet]) -> tuple[Payment, ...]:
    """What each wallet pays of an invoice of this total, at most the total together."""
    given = sorted(wallets, key=lambda each: (each.priority, each.created_at, each.id))
    if total_cents <= 0 or not given:
        return ()
    with exact():
        buckets = _buckets(total_cents, parts)
        used = _use(total_cents, buckets, given)
    whole = _within(total_cents, [cents_of(cents) for cents in used])
    return tuple(
        Payment(wallet.id, consumed(cents, wallet.rate, wallet.currency), draw(cents, wallet.fundings))
        for wallet, cents in zip(given, whole, strict=True)
        if cents > 0
    )


def _buckets(total_cents: int, parts: Iterable[Part]) -> dict[FeeKind, Decimal]:
    """Kind -> what may be paid of its fees, the largest first. The first one bears the cents lost in rounding."""
    sums: dict[FeeKind, Decimal] = {}
    for kind, cents in parts:
        if cents > 0:
            sums[kind] = sums.get(kind, ZERO) + cents
    buckets = dict(sorted(sums.items(), key=lambda item: (-item[1], *(str(word or "") for word in item[0]))))
    gap = total_cents - total(buckets.values())
    if buckets and 0 < gap <= len(buckets):
        buckets[next(iter(buckets))] += gap
    return buckets


def _use(total_cents: int, buckets: dict[FeeKind, Decimal], wallets: Sequence[AvailableWallet]) -> list[Decimal]:
    """For each wallet what it pays, before rounding; `buckets` keep what is left of them."""
    left = Decimal(total_cents)
    used = []
    for wallet in wallets:
        own = ZERO
        for kind, remaining in buckets.items():
            cents = min(remaining, wallet.balance_cents - own, left)
            if cents > 0 and wallet.pays_for(kind):
                buckets[kind] -= cents
                left -= cents
                own += cents
        used.append(own)
    return used


def _within(total_cents: int, used: list[int]) -> list[int]:
    """Rounding up may exceed the total: the excess is taken off the last wallets."""
    excess = sum(used) - total_cents
    for place in reversed(range(len(used))):
        taken = max(min(used[place], excess), 0)
        used[place] -= taken
        excess -= taken
    return used
