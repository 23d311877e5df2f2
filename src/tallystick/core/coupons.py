"""What coupons take off an invoice before taxes: their order, amounts, weights on fees and lifetimes (credits.md §1).

Amounts are minor units, rates percent. It does not know where coupons come from, nor who may apply one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from tallystick.core.money import ZERO, cents_of, cut_to, exact, round_half_away

SHARE_PLACES = 5  # `precise_coupons_amount_cents` of a fee between two coupons, R5 of credits.md §0


class Frequency(StrEnum):
    """On how many invoices a coupon counts."""

    ONCE = "once"
    RECURRING = "recurring"
    FOREVER = "forever"


@dataclass(frozen=True, slots=True)
class CouponTerms:
    """An active applied coupon. Either `percentage_rate` or `amount_cents` with `currency` counts.

    `remaining_cents`: what is left of an amount used once; `remaining_invoices`: of a recurring one. A coupon without
    plans and metrics is unlimited.
    """

    id: UUID
    frequency: Frequency
    applied_at: datetime
    percentage_rate: Decimal | None = None
    amount_cents: int = 0
    currency: str | None = None
    remaining_cents: int = 0
    remaining_invoices: int = 0
    plan_ids: frozenset[UUID] = frozenset()
    metric_ids: frozenset[UUID] = frozenset()
    terminated: bool = False

    @property
    def is_limited(self) -> bool:
        """Whether it counts for some fees only."""
        return bool(self.plan_ids or self.metric_ids)


@dataclass(frozen=True, slots=True)
class CouponLine:
    """A fee as coupons see it: `taken_cents` of it is gone already.

    `metric_id` is that of a usage fee; `plan_ids` the plan of its subscription and the plan which that one overrides.
    """

    amount_cents: int
    taken_cents: Decimal = ZERO
    metric_id: UUID | None = None
    plan_ids: frozenset[UUID] = frozenset()

    @property
    def net_cents(self) -> Decimal:
        """What coupons have left."""
        return self.amount_cents - self.taken_cents


@dataclass(frozen=True, slots=True)
class CouponCredit:
    """What one applied coupon took off an invoice, whole minor units."""

    applied_coupon_id: UUID
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Discount:
    """What coupons do to an invoice: credits in order, and for each fee what is taken of it in the end.

    `used` are the coupons that count as used by it, as it leaves them.
    """

    credits: tuple[CouponCredit, ...] = ()
    taken_cents: tuple[Decimal, ...] = ()
    used: tuple[CouponTerms, ...] = ()

    @property
    def amount_cents(self) -> int:
        """`coupons_amount_cents` of the invoice."""
        return sum(credit.amount_cents for credit in self.credits)


def in_order(coupons: Iterable[CouponTerms]) -> list[CouponTerms]:
    """Metric-limited, plan-limited, unlimited; the oldest first in each group (credits.md §1.4)."""
    return sorted(coupons, key=lambda each: (not each.metric_ids, not each.plan_ids, each.applied_at, each.id))


def discount(
    lines: Sequence[CouponLine],
    coupons: Iterable[CouponTerms],
    sub_total_cents: int,
    currency: str,
    *,
    previewed: bool = False,
) -> Discount:
    """Apply a customer's active coupons to one invoice (credits.md §1.4, §1.5).

    `sub_total_cents` is the sum of the fees less what progressive invoices billed of them. Shares are rounded to five
    decimals between two coupons, and a credit counts with its integer part. In a preview, a limited coupon counts for
    whole fees, whatever coupons before it took of them (§1.9).
    """
    taken = list(lines)
    credits: list[CouponCredit] = []
    used: list[CouponTerms] = []
    with exact():
        for coupon in in_order(coupons):
            if sub_total_cents <= 0:
                break
            places = _eligible(coupon, taken)
            if not places or not _counts_in(coupon, currency):
                continue
            net = sum((taken[place].net_cents for place in places), ZERO)
            base = net if coupon.is_limited else Decimal(sub_total_cents)
            if coupon.is_limited and previewed:
                whole = Decimal(sum(taken[place].amount_cents for place in places))
                credit = min(_credit(coupon, whole), net, Decimal(sub_total_cents))
            else:
                credit = min(_credit(coupon, base), Decimal(sub_total_cents))
            for place in places if base else ():
                taken[place] = _less(taken[place], credit, base)
            cents = int(cut_to(credit))
            sub_total_cents -= cents
            credits.append(CouponCredit(coupon.id, cents))
            used.append(after(coupon, credit))
    return Discount(tuple(credits), tuple(line.taken_cents for line in taken), tuple(used))


def after(coupon: CouponTerms, credit_cents: Decimal) -> CouponTerms:
    """The coupon when an invoice has used this much of it (credits.md §1.5)."""
    if coupon.frequency is Frequency.FOREVER:
        return coupon
    if coupon.frequency is Frequency.RECURRING:
        left = max(coupon.remaining_invoices - 1, 0)
        return replace(coupon, remaining_invoices=left, terminated=left == 0)
    if coupon.percentage_rate is not None:
        return replace(coupon, terminated=True)
    rest = coupon.remaining_cents - int(cut_to(credit_cents))
    return replace(coupon, remaining_cents=rest, terminated=credit_cents >= coupon.remaining_cents)


def _counts_in(coupon: CouponTerms, currency: str) -> bool:
    """Percentages count in every currency, amounts in their own."""
    return coupon.percentage_rate is not None or coupon.currency == currency


def _eligible(coupon: CouponTerms, lines: Sequence[CouponLine]) -> list[int]:
    if coupon.metric_ids:
        return [place for place, line in enumerate(lines) if line.metric_id in coupon.metric_ids]
    if coupon.plan_ids:
        return [place for place, line in enumerate(lines) if line.plan_ids & coupon.plan_ids]
    return list(range(len(lines)))


def _credit(coupon: CouponTerms, base: Decimal) -> Decimal:
    if coupon.percentage_rate is not None:
        share = base * coupon.percentage_rate / 100
        return base if share >= base else Decimal(cents_of(share))
    amount = coupon.remaining_cents if coupon.frequency is Frequency.ONCE else coupon.amount_cents
    return min(Decimal(amount), base)


def _less(line: CouponLine, credit: Decimal, base: Decimal) -> CouponLine:
    """A line after its weight of a credit, never below nothing."""
    share = round_half_away(line.taken_cents + credit * line.net_cents / base, SHARE_PLACES)
    return replace(line, taken_cents=min(share, Decimal(line.amount_cents)))
