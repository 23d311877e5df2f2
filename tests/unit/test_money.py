"""Numbers and money: rating.md §1."""

from __future__ import annotations

from decimal import Decimal, FloatOperation

import pytest

from tallystick.core import money
from tallystick.core.money import UnknownCurrency, dec_text


@pytest.mark.parametrize(
    ("currencies", "exponent", "subunit"),
    [
        ("BIF CLP DJF GNF HUF ISK JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF", 0, 1),
        ("BHD JOD KWD", 3, 1000),
        ("CLF", 4, 10000),
        ("EUR USD GBP OMR TND MRU", 2, 100),
    ],
)
def test_minor_units(currencies: str, exponent: int, subunit: int) -> None:
    for currency in currencies.split():
        assert currency in money.CURRENCIES
        assert (money.exponent(currency), money.subunit(currency)) == (exponent, subunit)


def test_ouguiya_has_five_khoums() -> None:
    assert money.subunit("MRO") == 5
    assert money.to_cents(Decimal("1.1"), "MRO") == 6  # 5.5 khoums
    assert money.round_to_currency(Decimal("1.1"), "MRO") == Decimal("1.2")


@pytest.mark.parametrize("code", ["", "usd", "XXX", "EURO"])
def test_unknown_currency(code: str) -> None:
    for question in (money.exponent, money.subunit):
        with pytest.raises(UnknownCurrency):
            question(code)


@pytest.mark.parametrize(
    ("x", "places", "expected"),
    [
        ("0.005", 2, "0.01"),
        ("-0.005", 2, "-0.01"),
        ("0.0049", 2, "0.0"),
        ("2.5", 0, "3.0"),
        ("-2.5", 0, "-3.0"),
        ("15", -1, "20.0"),
    ],
)
def test_round_half_away(x: str, places: int, expected: str) -> None:
    assert dec_text(money.round_half_away(Decimal(x), places)) == expected


@pytest.mark.parametrize(
    ("amount", "currency", "cents"),
    [
        ("0.005", "USD", 1),
        ("-0.005", "USD", -1),
        ("30.8625", "USD", 3086),
        ("1.5", "JPY", 2),
        ("1500", "JPY", 1500),
        ("1.2345", "KWD", 1235),
        ("1.015", "HUF", 1),
    ],
)
def test_to_cents_rounds_once(amount: str, currency: str, cents: int) -> None:
    assert money.to_cents(Decimal(amount), currency) == cents


def test_precise_cents_keeps_fifteen_decimals() -> None:
    assert dec_text(money.precise_cents(Decimal("0.0000015"), "USD")) == "0.00015"
    assert dec_text(money.precise_cents(money.divide(2, 3), "EUR")) == "66.666666666666667"


def test_cut_cents_drops_the_fraction() -> None:
    assert money.cut_cents(Decimal("5.54999"), "USD") == 554
    assert money.cut_cents(Decimal("-5.54999"), "USD") == -554
    assert money.cut_cents(Decimal("12.9"), "JPY") == 12


def test_directed_roundings() -> None:
    assert dec_text(money.ceil_to(money.divide(10 * 16, 31), 5)) == "5.1613"
    assert dec_text(money.ceil_to(Decimal("-2.5"))) == "-2.0"
    assert dec_text(money.floor_to(Decimal("-2.5"))) == "-3.0"
    assert dec_text(money.cut_to(Decimal("-2.59"), 1)) == "-2.5"
    assert money.cents_of(Decimal("0.5")) == 1


def test_division_has_many_digits_and_no_silent_zero() -> None:
    assert len(money.divide(1, 3).as_tuple().digits) >= 60
    assert money.ratio(5, 0) == 0
    with pytest.raises(ZeroDivisionError):
        money.divide(1, 0)


def test_exact_context_refuses_floats() -> None:
    tenth = 0.1
    with money.exact(), pytest.raises(FloatOperation):
        Decimal(tenth)
    with money.exact():
        assert Decimal(10) ** 40 + Decimal("1e-30") != Decimal(10) ** 40


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("12.5", "12.5"),
        ("0", "0.0"),
        ("-0.000", "0.0"),
        ("-3", "-3.0"),
        ("1E+3", "1000.0"),
        ("1e-7", "0.0000001"),
        ("10.500", "10.5"),
    ],
)
def test_dec_text(number: str, text: str) -> None:
    assert dec_text(Decimal(number)) == text


def test_dec_text_of_an_integer() -> None:
    assert dec_text(100) == "100.0"


def test_from_cents() -> None:
    assert money.from_cents(1234, "USD") == Decimal("12.34")
    assert money.from_cents(1234, "JPY") == 1234
