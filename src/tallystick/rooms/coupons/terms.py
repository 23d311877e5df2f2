"""What coupons and applied coupons must be: the field rules of credits.md §1.1 and §1.2. Stores nothing."""

from __future__ import annotations

import datetime as dt

from tallystick.core.money import CURRENCIES
from tallystick.ground.errors import Problems
from tallystick.ground.tables import AppliedCoupon, Coupon

TYPES = ("fixed_amount", "percentage")
FREQUENCIES = ("once", "recurring", "forever")
EXPIRATIONS = ("no_expiration", "time_limit")
#: what decimal(10,5) holds
MOST_RATE = 10**5
RATE_PLACES = 5
#: characters; longer codes do not fit an index
MOST_CODE = 255


def check_coupon(coupon: Coupon, problems: Problems) -> None:
    """Add what §1.1 refuses."""
    amount, rate = coupon.amount_cents, coupon.percentage_rate
    fixed, percentage = coupon.coupon_type == "fixed_amount", coupon.coupon_type == "percentage"
    rules = (
        (not coupon.name, "name", "value_is_mandatory"),
        (not coupon.code, "code", "value_is_mandatory"),
        (len(coupon.code or "") > MOST_CODE, "code", "value_is_too_long"),
        (not coupon.coupon_type, "coupon_type", "value_is_mandatory"),
        (not coupon.frequency, "frequency", "value_is_mandatory"),
        (not coupon.expiration, "expiration", "value_is_mandatory"),
        (coupon.reusable is None, "reusable", "value_is_mandatory"),
        (fixed and amount is None, "amount_cents", "value_is_mandatory"),
        (fixed and amount is not None and amount <= 0, "amount_cents", "value_is_out_of_range"),
        (fixed and coupon.amount_currency not in CURRENCIES, "amount_currency", "value_is_invalid"),
        (percentage and rate is None, "percentage_rate", "value_is_mandatory"),
    )
    _add(rules, problems)
    _check_rate(coupon, problems)
    _check_duration(coupon, problems)


def check_applied(applied: AppliedCoupon, coupon_type: str, problems: Problems) -> None:
    """Add what §1.2 check 5 refuses."""
    amount = applied.amount_cents
    fixed = coupon_type == "fixed_amount"
    rules = (
        (amount is not None and amount < 0, "amount_cents", "value_is_out_of_range"),
        (fixed and amount is None, "amount_cents", "value_is_mandatory"),
        (fixed and applied.amount_currency not in CURRENCIES, "amount_currency", "value_is_invalid"),
    )
    _add(rules, problems)
    _check_rate(applied, problems)
    _check_duration(applied, problems)


def check_expiration(expiration_at: dt.datetime | None, at: dt.datetime, problems: Problems) -> None:
    """Add `invalid_date` for an expiration that was sent and is past."""
    if expiration_at is not None and expiration_at <= at:
        problems.add("expiration_at", "invalid_date")


def _add(rules: tuple[tuple[bool, str, str], ...], problems: Problems) -> None:
    for wrong, field, code in rules:
        if wrong:
            problems.add(field, code)


def _check_rate(row: Coupon | AppliedCoupon, problems: Problems) -> None:
    if row.percentage_rate is not None and not 0 <= row.percentage_rate < MOST_RATE:
        problems.add("percentage_rate", "value_is_out_of_range")


def _check_duration(row: Coupon | AppliedCoupon, problems: Problems) -> None:
    if row.frequency != "recurring":
        return
    if row.frequency_duration is None:
        problems.add("frequency_duration", "value_is_mandatory")
    elif row.frequency_duration <= 0:
        problems.add("frequency_duration", "value_is_out_of_range")
