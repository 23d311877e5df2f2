"""Coupons in the billing pipeline: loaded for a set of customers, used up invoice by invoice, stored as used.

What a coupon takes off is decided in core/coupons.py; drafts are never discounted (credits.md §0.1).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from tallystick.core.contract import Contract
from tallystick.core.coupons import CouponLine, CouponTerms, Discount, discount
from tallystick.core.invoice import NO_DISCOUNT, Credit, FeeDraft
from tallystick.ground.db import Tx
from tallystick.rooms.coupons import usage
from tallystick.rooms.coupons.usage import Used


class Coupons:
    """The active coupons of a set of customers; each invoice finds them as the one before left them."""

    def __init__(self, found: Mapping[UUID, Sequence[CouponTerms]], *, previewed: bool = False) -> None:
        self._previewed = previewed
        self._left = {customer: {coupon.id: coupon for coupon in coupons} for customer, coupons in found.items()}
        self._used: dict[UUID, Used] = {}

    def discount(
        self,
        customer_id: UUID,
        fees: Sequence[FeeDraft],
        contracts: Iterable[Contract],
        *,
        currency: str,
        at: dt.datetime,
        billed_before: Iterable[Credit] = (),
    ) -> Discount:
        """What the customer's coupons take off its next invoice, made at `at` of these fees of these contracts.

        `billed_before` goes off first; the fees bear it already.
        """
        left = self._left.get(customer_id)
        total = sum(fee.amount_cents for fee in fees)
        if not left or total <= 0:
            return NO_DISCOUNT
        sub_total = total - sum(credit.amount_cents for credit in billed_before)
        made = discount(_lines(fees, contracts), left.values(), sub_total, currency, previewed=self._previewed)
        for coupon in made.used:
            self._used[coupon.id] = Used(coupon, at)
            if coupon.terminated:
                del left[coupon.id]
            else:
                left[coupon.id] = coupon
        return made

    async def store(self, tx: Tx) -> None:
        """Write what the invoices left of the coupons."""
        await usage.consume(tx, list(self._used.values()))


async def load_coupons(tx: Tx, customer_ids: Iterable[UUID]) -> Coupons:
    """The coupons of these locked customers, in one query."""
    return Coupons(await usage.available(tx, customer_ids))


def _lines(fees: Sequence[FeeDraft], contracts: Iterable[Contract]) -> list[CouponLine]:
    """Fees with what coupons can be limited to: the metric of a charge, the plan or the plan that it overrides."""
    metrics: dict[UUID | None, UUID] = {}
    plans: dict[UUID | None, frozenset[UUID]] = {}
    for contract in contracts:
        plan = contract.plan
        metrics.update((charge.id, charge.metric.id) for charge in plan.charges)
        plans[contract.subscription_id] = frozenset({plan.id, plan.parent_id or plan.id})
    return [
        CouponLine(
            amount_cents=fee.amount_cents,
            taken_cents=fee.precise_coupons_cents,
            metric_id=metrics.get(fee.charge_id),
            plan_ids=plans.get(fee.subscription_id, frozenset()),
        )
        for fee in fees
    ]
