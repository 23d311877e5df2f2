"""What a preview is asked for, read and checked by the door. Nothing here knows what it will cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class CouponAsked:
    """A coupon to try: a stored one by its code, or a definition. Amount in minor units, rate in percent."""

    code: str | None = None
    name: str | None = None
    coupon_type: str | None = None
    amount_cents: int | None = None
    amount_currency: str | None = None
    percentage_rate: Decimal | None = None
    frequency: str = "once"
    frequency_duration: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A preview. `customer`: columns of the customer that are given, and the `external_id` of a known one.

    Without `external_ids` a new subscription to `plan_code` is proposed; with them the running ones are looked at,
    ended at `terminated_at` or moved to `new_plan_code`.
    """

    customer: Mapping[str, Any] = field(default_factory=dict)
    plan_code: str | None = None
    billing_time: str = "calendar"
    subscription_at: dt.datetime | None = None
    external_ids: Sequence[str] = ()
    terminated_at: dt.datetime | None = None
    new_plan_code: str | None = None
    coupons: Sequence[CouponAsked] = ()
    billing_entity_code: str | None = None
