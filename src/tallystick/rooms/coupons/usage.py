"""Applied coupons in billing: what customers have, what invoices used of it, what a voided invoice gives back.

What a coupon takes off an invoice is decided in core/coupons.py; the credits themselves are rows of the invoices room.
Callers hold the customers' locks.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tallystick.core.coupons import CouponTerms, Frequency
from tallystick.ground.db import Tx, load_query

_AVAILABLE = load_query(__file__, "available")
_CONSUME = load_query(__file__, "consume")
_GIVE_BACK = load_query(__file__, "give_back")


@dataclass(frozen=True, slots=True)
class Used:
    """An applied coupon as the last invoice that used it left it; `at` is that invoice's instant."""

    coupon: CouponTerms
    at: dt.datetime


async def available(tx: Tx, customer_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[CouponTerms]]:
    """customer -> its active applied coupons, in one query; customers without any are absent."""
    rows = (await tx.execute(_AVAILABLE, {"customers": list(set(customer_ids))})).all()
    found: dict[uuid.UUID, list[CouponTerms]] = {}
    for row in rows:
        coupon = CouponTerms(
            id=row.id,
            frequency=Frequency(row.frequency),
            applied_at=row.created_at,
            percentage_rate=row.percentage_rate,
            amount_cents=row.amount_cents or 0,
            currency=row.amount_currency,
            remaining_cents=row.remaining_cents or 0,
            remaining_invoices=row.frequency_duration_remaining or 0,
            plan_ids=frozenset(row.plan_ids),
            metric_ids=frozenset(row.metric_ids),
        )
        found.setdefault(row.customer_id, []).append(coupon)
    return found


async def consume(tx: Tx, used: Sequence[Used]) -> None:
    """Store what invoices left of applied coupons (credits.md §1.5)."""
    if not used:
        return
    coupons = [item.coupon for item in used]
    await tx.execute(
        _CONSUME,
        {
            "ids": [coupon.id for coupon in coupons],
            "remaining": [
                coupon.remaining_invoices if coupon.frequency is Frequency.RECURRING else None for coupon in coupons
            ],
            "terminated": [coupon.terminated for coupon in coupons],
            "instants": [item.at for item in used],
        },
    )


async def give_back(tx: Tx, invoice_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    """These invoices are voided or closed: coupons that they used are available again (credits.md §1.6).

    To be called once for an invoice. What is left of an amount used once follows from the invoice's status.
    """
    await tx.execute(_GIVE_BACK, {"invoices": list(invoice_ids), "at": at})
