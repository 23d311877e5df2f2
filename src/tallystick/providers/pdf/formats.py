"""How amounts, units, rates and days read in each document locale (table of invoicing.md §21).

Not a place for words: labels are in `locales/`, read by `words.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from tallystick.core.money import exponent, round_half_away, subunit

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}  # others are written as ISO codes
MAX_PLACES = 6  # decimals of units and unit prices


@dataclass(frozen=True, slots=True)
class Style:
    """One row of the table: babel locales for numbers and words, where the currency stands, the pattern of a day."""

    numbers: str
    names: str
    symbol: str
    code: str
    percent: str
    day: str


_BEFORE = ("{currency}{number}", "{currency}\u00a0{number}")
_AFTER = ("{number}\u00a0{currency}", "{number}\u00a0{currency}")
_APART = ("{currency}\u00a0{number}", "{currency}\u00a0{number}")

STYLES: dict[str, Style] = {
    "en": Style("en", "en", *_BEFORE, "{number}%", "MMM d, y"),
    "fr": Style("fr", "fr", *_AFTER, "{number}\u00a0%", "d MMM y"),
    "de": Style("de", "de", *_BEFORE, "{number}\u00a0%", "d. LLL y"),
    "es": Style("en", "es", *_BEFORE, "{number}\u00a0%", "d MMM y"),
    "it": Style("it", "it", *_AFTER, "{number}%", "d MMM y"),
    "nb": Style("nb", "nb", *_BEFORE, "{number}\u00a0%", "d. MMM y"),
    "pt-BR": Style("pt_BR", "pt_BR", *_APART, "{number}%", "d 'de' MMM 'de' y"),
    "sv": Style("sv", "sv", *_AFTER, "{number}\u00a0%", "d MMM y"),
    "zh-TW": Style("en", "zh_Hant_TW", *_BEFORE, "{number}%", "y年M月d日"),
}


class UnknownLocale(ValueError):
    """A document locale outside `STYLES`."""


@dataclass(frozen=True, slots=True)
class Formats:
    """Text of figures for one locale, one currency and one time zone (the customer's applicable one)."""

    locale: str
    currency: str
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        if self.locale not in STYLES:
            raise UnknownLocale(self.locale)

    @property
    def style(self) -> Style:
        return STYLES[self.locale]

    def money(self, cents: int | Decimal) -> str:
        """An amount in minor units, with the currency's own decimals: `€1,234.50`, `1 234,50 €`."""
        return self._priced(Decimal(cents) / subunit(self.currency), exponent(self.currency), exponent(self.currency))

    def deduction(self, cents: int) -> str:
        """An amount that is taken away, with its sign: `-€10.00`; nothing to take away has no sign."""
        return self.money(-abs(cents))

    def price(self, value: Decimal, unit: str | None = None) -> str:
        """A price in major units, up to six decimals; `unit` names a pricing unit (two decimals at least)."""
        least = 2 if unit else exponent(self.currency)
        return self._priced(value, least, max(least, MAX_PLACES), unit)

    def amount(self, value: Decimal, unit: str | None = None) -> str:
        """A partial amount in major units, rounded for reading as the currency is, or as the pricing unit is."""
        places = 2 if unit else exponent(self.currency)
        return self._priced(round_half_away(value, places), places, places, unit)

    def units(self, value: Decimal) -> str:
        """Units: up to six decimals; below 1, six significant digits."""
        places = MAX_PLACES
        if value and abs(value) < 1:
            places = MAX_PLACES - 1 - value.adjusted()
        return self._number(value, 0, places)

    def percent(self, rate: Decimal) -> str:
        """A rate given in percent: `20%`, `5,5 %`."""
        return self.style.percent.format(number=self._number(rate, 0, MAX_PLACES))

    def day(self, value: str | date) -> str:
        """A calendar day, or its ISO text: `Feb 14, 2024`."""
        day = date.fromisoformat(value) if isinstance(value, str) else value
        return format_date(day, self.style.day, locale=self.style.names)

    def day_at(self, instant: str) -> date:
        """The calendar day of an ISO instant in the customer's time zone."""
        return datetime.fromisoformat(instant).astimezone(ZoneInfo(self.timezone)).date()

    def country(self, code: str | None) -> str:
        """Name of an ISO 3166 country in the document's language; an unknown code stays as it is."""
        return str(Locale.parse(self.style.names).territories.get(code or "", code or ""))

    def _number(self, value: Decimal, least: int, most: int) -> str:
        pattern = "#,##0." + "0" * least + "#" * (most - least) if most else "#,##0"
        return format_decimal(value, pattern, locale=self.style.numbers)

    def _priced(self, value: Decimal, least: int, most: int, unit: str | None = None) -> str:
        symbol = SYMBOLS.get(self.currency) if unit is None else None
        pattern = self.style.symbol if symbol else self.style.code
        number = self._number(abs(value), least, most)
        negative = value < 0 and any(digit in number for digit in "123456789")
        return ("-" if negative else "") + pattern.format(currency=symbol or unit or self.currency, number=number)
