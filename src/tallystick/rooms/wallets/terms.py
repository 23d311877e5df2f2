"""What wallets and their transactions must be: the field rules of wallets.md §1.1, §1.3 and §3.1. Stores nothing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tallystick.core.money import ZERO, round_half_away
from tallystick.core.wallets import Worth, topped_up, voided
from tallystick.core.wallets.amounts import PLACES
from tallystick.ground.errors import Problems
from tallystick.ground.tables import Wallet

FEE_TYPES = ("charge", "subscription", "commitment", "fixed_charge", "add_on", "credit", "product")
#: active wallets of one customer
MOST_WALLETS = 6
MOST_PRIORITY = 50
#: minor units of one movement; far above every invoice, and what clients can still count exactly
MOST_CENTS = 10**15
#: what fits beside five decimals, and what a credit may cost
MOST_RATE = Decimal(10**12)
LONGEST_NAME = 255
LONGEST_KEY, LONGEST_VALUE = 20, 100
_AMOUNT = re.compile(r"\d{1,25}(\.\d{1,30})?", re.ASCII)

Fields = Mapping[str, Any]


def rate_of(given: Decimal | None, problems: Problems) -> Decimal:
    """`rate_amount` with its five decimals; `value_is_out_of_range` unless positive."""
    rate = round_half_away(given, PLACES) if given is not None and abs(given) < MOST_RATE else ZERO
    if rate <= 0:
        problems.add("rate_amount", "value_is_out_of_range")
    return rate


def credits_of(fields: Fields, name: str, problems: Problems) -> Decimal:
    """An amount of credits, which callers write as text; none is 0."""
    value = fields.get(name)
    if value is None:
        return ZERO
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        _refuse(name, problems)
        return ZERO
    return Decimal(value)


def worth_of(wallet: Wallet, credits: Decimal, name: str, problems: Problems) -> Worth | None:
    """What credits that are bought or granted come to; None for none."""
    if credits <= 0:
        return None
    worth = topped_up(credits, wallet.rate_amount, wallet.currency)
    if worth.amount_cents > MOST_CENTS:
        _refuse(name, problems)
        return None
    if worth.amount_cents == 0:
        problems.add(name, "amount_rounds_to_zero")
        return None
    return worth


def void_of(wallet: Wallet, credits: Decimal) -> Worth:
    """What a void of these credits takes; never more than the wallet holds in money, from which credits drift."""
    worth = voided(credits, wallet.rate_amount, wallet.currency)
    return Worth(min(worth.amount_cents, wallet.balance_cents), worth.credit_amount)


def check_limits(wallet: Wallet, worth: Worth | None, problems: Problems) -> None:
    """Credits that are bought stay within the wallet's limits."""
    if worth is None:
        return
    least, most = wallet.paid_top_up_min_amount_cents, wallet.paid_top_up_max_amount_cents
    if least is not None and worth.amount_cents < least:
        problems.add("paid_credits", "amount_below_minimum")
    if most is not None and worth.amount_cents > most:
        problems.add("paid_credits", "amount_above_maximum")


def check_wallet(wallet: Wallet, problems: Problems) -> None:
    """Limits of paid top-ups and the priority."""
    least, most = wallet.paid_top_up_min_amount_cents, wallet.paid_top_up_max_amount_cents
    for name, cents in (("paid_top_up_min_amount_cents", least), ("paid_top_up_max_amount_cents", most)):
        if cents is not None and cents <= 0:
            problems.add(name, "value_is_out_of_range")
    if least is not None and most is not None and most < least:
        problems.add("paid_top_up_max_amount_cents", "must_be_greater_than_or_equal_min")
    check_priority(wallet.priority, problems)


def check_priority(priority: int | None, problems: Problems) -> None:
    """1 is first, 50 last."""
    if priority is None or not 1 <= priority <= MOST_PRIORITY:
        problems.add("priority", "value_is_invalid")


def check_expiration(expiration_at: dt.datetime | None, at: dt.datetime, problems: Problems) -> None:
    """A wallet expires in the future."""
    if expiration_at is not None and expiration_at <= at:
        problems.add("expiration_at", "invalid_date")


def check_pairs(pairs: Any, most: int, problems: Problems) -> None:
    """The metadata of a transaction: a list of `{key, value}`."""
    if pairs is None:
        return
    codes = ["invalid_type"] if not isinstance(pairs, list) else []
    if isinstance(pairs, list):
        codes = ["too_many_keys"] if len(pairs) > most else []
        codes += [code for pair in pairs if (code := _pair_error(pair))]
    if codes:
        problems.add("metadata", *codes)


def _pair_error(pair: Any) -> str | None:
    if not isinstance(pair, dict) or set(pair) != {"key", "value"}:
        return "invalid_key_value_pair"
    key, value = pair["key"], pair["value"]
    if isinstance(key, dict | list) or isinstance(value, dict | list):
        return "nested_structure_not_allowed"
    if not isinstance(key, str) or not isinstance(value, str):
        return "invalid_key_value_pair"
    if len(key) > LONGEST_KEY:
        return "key_too_long"
    return "value_too_long" if len(value) > LONGEST_VALUE else None


def check_name(name: Any, problems: Problems, field: str = "name") -> None:
    """The label of a transaction."""
    if name is None:
        return
    if not isinstance(name, str):
        problems.add(field, "invalid_value")
    elif len(name) > LONGEST_NAME:
        problems.add(field, "too_long")


def _refuse(name: str, problems: Problems) -> None:
    problems.add(name, f"invalid_{name}", "invalid_amount")
