"""Exact money arithmetic: currencies, their minor units, and every rounding of the product by name.

Not a place for prices or fees: it knows numbers and currencies, nothing of what is sold.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    InvalidOperation,
    Overflow,
    localcontext,
)
from functools import lru_cache, reduce

EXACT = Context(prec=80, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero, Overflow, FloatOperation])
"""The one arithmetic context: 80 significant digits, floats are an error (rating.md §1 asks for at least 30)."""

ZERO = Decimal(0)
ONE = Decimal(1)

PRECISE_PLACES = 15  # decimals kept by every `precise_*` figure, rating.md §1

_NO_DECIMALS = "BIF CLP DJF GNF HUF ISK JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF"
_EXPONENTS = {**dict.fromkeys(_NO_DECIMALS.split(), 0), "BHD": 3, "JOD": 3, "KWD": 3, "CLF": 4, "MRO": 1}
_SUBUNITS = {"MRO": 5}  # one ouguiya = 5 khoums; every other subunit is a power of ten

_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD
HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD
LSL LYD MAD MDL MGA MKD MMK MNT MOP MRO MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK
PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STD STN SVC SYP SZL THB
TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES: frozenset[str] = frozenset(_CODES.split())
"""Accepted ISO 4217 codes: the active ones, and retired ones that are still billed in (ANG BGN HRK MRO SLL STD)."""


class UnknownCurrency(ValueError):
    """A currency code outside `CURRENCIES`."""


def exact() -> AbstractContextManager[Context]:
    """Run plain `+ - * /` on Decimals at 80 digits; the thread's default of 28 would cut (rating.md §1)."""
    return localcontext(EXACT)


def exponent(currency: str) -> int:
    """Decimals of a currency: 2, or 0, 3, 4 by the table of rating.md §1. Raises `UnknownCurrency`."""
    if currency not in CURRENCIES:
        raise UnknownCurrency(currency)
    return _EXPONENTS.get(currency, 2)


def subunit(currency: str) -> int:
    """Minor units in one unit of a currency: 10^exponent, 5 for MRO (rating.md §1). Raises `UnknownCurrency`."""
    return _SUBUNITS.get(currency) or int(10 ** exponent(currency))


def round_half_away(x: Decimal, places: int = 0) -> Decimal:
    """`round(x, n)` of rating.md §1: halves go away from zero; negative places round to tens, hundreds, …"""
    return x.quantize(_quantum(places), ROUND_HALF_UP, context=EXACT)


def ceil_to(x: Decimal, places: int = 0) -> Decimal:
    """Round toward plus infinity at `places` decimals (metering.md §3.5-3.6: prorated units 5, weighted sums 20)."""
    return x.quantize(_quantum(places), ROUND_CEILING, context=EXACT)


def floor_to(x: Decimal, places: int = 0) -> Decimal:
    """Round toward minus infinity at `places` decimals (metering.md §3.7)."""
    return x.quantize(_quantum(places), ROUND_FLOOR, context=EXACT)


def cut_to(x: Decimal, places: int = 0) -> Decimal:
    """Drop the digits after `places` decimals, toward zero (rating.md §1, unit price in cents)."""
    return x.quantize(_quantum(places), ROUND_DOWN, context=EXACT)


def to_cents(amount: Decimal, currency: str) -> int:
    """Currency units to minor units, the one rounding of a fee: `round(A, exp) × sub` (rating.md §1).

    Rounding A × sub to an integer is the same, and is the rule for MRO.
    """
    return int(round_half_away(EXACT.multiply(amount, Decimal(subunit(currency)))))


def cents_of(cents: Decimal) -> int:
    """An exact count of minor units to whole ones, half away from zero (taxes, coupons, prorated amounts)."""
    return int(round_half_away(cents))


def from_cents(cents: int | Decimal, currency: str) -> Decimal:
    """Minor units to currency units, exact."""
    return EXACT.divide(Decimal(cents), Decimal(subunit(currency)))


def round_to_currency(amount: Decimal, currency: str) -> Decimal:
    """Currency units rounded to what the currency can pay, `round(A, exp)` (rating.md §12)."""
    return from_cents(to_cents(amount, currency), currency)


def precise_cents(amount: Decimal, currency: str) -> Decimal:
    """Currency units to minor units with 15 decimals, half up: `precise_amount_cents` (rating.md §1)."""
    return precise(EXACT.multiply(amount, Decimal(subunit(currency))))


def precise(x: Decimal) -> Decimal:
    """A figure as `precise_*` fields store it: 15 decimals, half up (rating.md §1)."""
    return round_half_away(x, PRECISE_PLACES)


def cut_cents(unit_price: Decimal, currency: str) -> int:
    """A unit price in currency units to minor units, cut to an integer (rating.md §1; internal and PDF only)."""
    return int(cut_to(EXACT.multiply(unit_price, Decimal(subunit(currency)))))


def divide(a: Decimal | int, b: Decimal | int) -> Decimal:
    """a / b to 80 significant digits. Raises `ZeroDivisionError`."""
    return EXACT.divide(Decimal(a), Decimal(b))


def ratio(a: Decimal | int, b: Decimal | int) -> Decimal:
    """a / b, 0 when b is 0: the unit price of rating.md §4-§11."""
    return divide(a, b) if b else ZERO


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Exact sum, 0 of nothing; the built-in `sum` would cut at 28 digits outside `exact()`."""
    return reduce(EXACT.add, amounts, ZERO)


def dec_text(x: Decimal | int) -> str:
    """A number as the wire's `dec` string (api.md §1): "12.5", "0.0", "-3.0"; never an exponent, no padding."""
    text = str(x)
    if "E" in text:
        text = format(Decimal(x), "f")
    if "." not in text:
        text += ".0"
    elif text[-1] == "0":
        text = text.rstrip("0")
        text += "0" if text[-1] == "." else ""
    return "0.0" if text == "-0.0" else text


@lru_cache(maxsize=256)
def _quantum(places: int) -> Decimal:
    """10^-places, the last digit kept."""
    return Decimal((0, (1,), -places))
