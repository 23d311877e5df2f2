"""Amounts, days, units and prices in each document locale: the table of invoicing.md §21."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tallystick.providers.pdf.formats import Formats


def plain(text: str) -> str:
    """Typographic spaces as ordinary ones, to compare with the specification's table."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("locale", "euro", "franc"),
    [
        ("en", "€1,234.50", "CHF 1,234.50"),
        ("fr", "1 234,50 €", "1 234,50 CHF"),
        ("de", "€1.234,50", "CHF 1.234,50"),
        ("es", "€1,234.50", "CHF 1,234.50"),
        ("it", "1.234,50 €", "1.234,50 CHF"),
        ("nb", "€1 234,50", "CHF 1 234,50"),
        ("pt-BR", "€ 1.234,50", "CHF 1.234,50"),
        ("sv", "1 234,50 €", "1 234,50 CHF"),
        ("zh-TW", "€1,234.50", "CHF 1,234.50"),
    ],
)
def test_amounts_read_as_in_the_table_of_locales(locale: str, euro: str, franc: str) -> None:
    assert plain(Formats(locale, "EUR").money(123450)) == euro
    assert plain(Formats(locale, "CHF").money(123450)) == franc


@pytest.mark.parametrize(
    ("locale", "day"),
    [
        ("en", "Feb 14, 2024"),
        ("fr", "14 févr. 2024"),
        ("de", "14. Feb 2024"),
        ("es", "14 feb 2024"),
        ("it", "14 feb 2024"),
        ("nb", "14. feb. 2024"),
        ("pt-BR", "14 de fev. de 2024"),
        ("sv", "14 feb. 2024"),
        ("zh-TW", "2024年2月14日"),
    ],
)
def test_days_read_as_in_the_table_of_locales(locale: str, day: str) -> None:
    assert plain(Formats(locale, "EUR").day("2024-02-14")) == day


@pytest.mark.parametrize(
    ("currency", "cents", "text"),
    [("USD", 5, "$0.05"), ("GBP", 100, "£1.00"), ("JPY", 1234, "¥1,234"), ("KWD", 1234567, "KWD 1,234.567")],
)
def test_amounts_have_the_decimals_of_their_currency(currency: str, cents: int, text: str) -> None:
    assert plain(Formats("en", currency).money(cents)) == text


def test_deductions_have_a_sign_and_zero_has_none() -> None:
    assert Formats("en", "EUR").deduction(1000) == "-€10.00"
    assert plain(Formats("fr", "EUR").deduction(1000)) == "-10,00 €"
    assert Formats("en", "EUR").deduction(0) == "€0.00"


@pytest.mark.parametrize(
    ("units", "text"),
    [
        ("10.0", "10"),
        ("2500.75", "2,500.75"),
        ("1.23456789", "1.234568"),
        ("0.000123456789", "0.000123457"),
        ("0.5", "0.5"),
        ("0.0", "0"),
    ],
)
def test_units_have_six_decimals_and_six_digits_below_one(units: str, text: str) -> None:
    assert Formats("en", "EUR").units(Decimal(units)) == text


@pytest.mark.parametrize(
    ("price", "text"), [("2.0", "€2.00"), ("0.012", "€0.012"), ("0.041191242627", "€0.041191"), ("0.0", "€0.00")]
)
def test_unit_prices_have_up_to_six_decimals(price: str, text: str) -> None:
    assert Formats("en", "EUR").price(Decimal(price)) == text
