"""Which EU VAT a buyer pays (credits.md §2.7): the dated rates, the special territories, and the decision between them.

Pure: asking the registry whether a number exists is others' work, and so is giving the tax to the customer.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from tallystick.core.vat_numbers import VatNumber, parse

#: what all codes of generated taxes begin with
PREFIX = "lago_eu"
REVERSE_CHARGE = f"{PREFIX}_reverse_charge"
TAX_EXEMPT = f"{PREFIX}_tax_exempt"

#: from ever; older rates than this matter to no document
_EVER = dt.date(1900, 1, 1)
FRANCE = "FR"


@dataclass(frozen=True, slots=True)
class Territory:
    """A part of a country with a rate of its own, known by its postcodes without white space."""

    name: str
    postcodes: re.Pattern[str]
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Country:
    """Standard rates in percent by the day from which they hold, oldest first."""

    rates: tuple[tuple[dt.date, Decimal], ...]
    territories: tuple[Territory, ...] = ()


@dataclass(frozen=True, slots=True)
class GeneratedTax:
    """A tax that the automation makes; `rate` in percent."""

    code: str
    name: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Buyer:
    """What of a customer decides; `vat_number` as it was given."""

    country: str | None
    zipcode: str | None
    vat_number: str | None

    @property
    def number(self) -> VatNumber | None:
        """The VAT number when it is well formed."""
        return parse(self.vat_number) if self.vat_number else None


def standard_code(country: str) -> str:
    """The code of a country's standard rate."""
    return f"{PREFIX}_{country.lower()}_standard"


def exception_code(country: str, territory: str) -> str:
    """The code of a territory's rate: `lago_eu_de_exception_busingen_am_hochrhein`."""
    ascii_name = unicodedata.normalize("NFKD", territory).encode("ascii", "ignore").decode().lower()
    return f"{PREFIX}_{country.lower()}_exception_{re.sub(r'[^a-z0-9]+', '_', ascii_name).strip('_')}"


def is_generated(code: str) -> bool:
    """Whether a tax with this code comes from the automation."""
    return code.startswith(PREFIX)


def standard_rate(country: str, on: dt.date) -> Decimal:
    """The rate in force: the newest one that does not begin after `on`."""
    return [rate for since, rate in COUNTRIES[country].rates if since <= on][-1]


def generated_taxes(on: dt.date) -> Iterator[GeneratedTax]:
    """Every tax of the automation with the rate of the day."""
    for code, country in COUNTRIES.items():
        yield GeneratedTax(standard_code(code), f"{code} Standard", standard_rate(code, on))
        for territory in country.territories:
            yield GeneratedTax(exception_code(code, territory.name), f"{code} {territory.name}", territory.rate)
    yield GeneratedTax(REVERSE_CHARGE, "Reverse charge", Decimal(0))
    yield GeneratedTax(TAX_EXEMPT, "Tax exempt", Decimal(0))


def next_change(after: dt.date) -> dt.date | None:
    """The next day on which a rate of the table begins to hold, None when none is known."""
    days = [since for country in COUNTRIES.values() for since, _ in country.rates if since > after]
    return min(days, default=None)


def territory_tax(buyer: Buyer) -> str | None:
    """Rule 1: the tax of the territory in which the buyer is; French ones are for businesses."""
    if buyer.country is None or (buyer.country == FRANCE and buyer.number is None):
        return None
    return _territory_of(buyer.country, buyer.zipcode)


def confirmed_tax(seller: str, buyer: Buyer, vat_country: str) -> str:
    """Rule 2 for a number that the registry of `vat_country` knows; `seller` is the issuer's country."""
    if _iso(vat_country) != seller:
        return REVERSE_CHARGE
    return _territory_of(seller, buyer.zipcode) or standard_code(seller)


def unconfirmed_tax(seller: str, buyer: Buyer) -> str:
    """Rule 3: no number, or one that does not exist."""
    if buyer.country is None:
        return standard_code(seller)
    return standard_code(buyer.country) if buyer.country in COUNTRIES else TAX_EXEMPT


def _territory_of(country: str, zipcode: str | None) -> str | None:
    postcode = re.sub(r"\s", "", zipcode or "")
    for territory in COUNTRIES[country].territories if country in COUNTRIES else ():
        if territory.postcodes.match(postcode):
            return exception_code(country, territory.name)
    return None


def _iso(vat_country: str) -> str:
    # the registry calls Greece EL
    return "GR" if vat_country == "EL" else vat_country


def _dated(*rates: tuple[str, str]) -> Country:
    """Rates with their first days, an empty one for ever."""
    return Country(tuple((dt.date.fromisoformat(day) if day else _EVER, Decimal(rate)) for day, rate in rates))


def _country(rate: str, *territories: tuple[str, str, str]) -> Country:
    return Country(_dated(("", rate)).rates, tuple(_territory(*each) for each in territories))


def _territory(name: str, postcodes: str, rate: str) -> Territory:
    return Territory(name, re.compile(postcodes, re.ASCII), Decimal(rate))


# Patterns are anchored at both ends when postcodes have one length, else at the start only.
COUNTRIES: dict[str, Country] = {
    "AT": _country("20", ("Jungholz", r"6691$", "19"), ("Mittelberg", r"699[123]$", "19")),
    "BE": _country("21"),
    "BG": _country("20"),
    "CY": _country("19"),
    "CZ": _country("21"),
    "DE": Country(
        _dated(("", "19"), ("2020-07-01", "16"), ("2021-01-01", "19")).rates,
        (_territory("Büsingen am Hochrhein", r"78266$", "0"), _territory("Heligoland", r"27498$", "0")),
    ),
    "DK": _country("25"),
    "EE": _dated(("", "20"), ("2024-01-01", "22"), ("2025-07-01", "24")),
    "ES": _country(
        "21",
        ("Canary Islands", r"3[58]\d{3}$", "0"),
        ("Ceuta", r"(5100[1-5]|5107[01]|51081)$", "0"),
        ("Melilla", r"(5200[0-6]|5207[01]|52081)$", "0"),
    ),
    "FI": Country(_dated(("", "24"), ("2024-09-01", "25.5")).rates, (_territory("Aland Islands", r"22\d{3}", "0"),)),
    "FR": Country(
        _dated(("", "19.6"), ("2014-01-01", "20")).rates,
        (
            _territory("Guadeloupe", r"971\d{2}$", "8.5"),
            _territory("Martinique", r"972\d{2}$", "8.5"),
            _territory("Guyane", r"973\d{2}$", "0"),
            _territory("Reunion", r"974\d{2}$", "8.5"),
            _territory("Mayotte", r"976\d{2}$", "0"),
        ),
    ),
    # 23 % before; no document of this product is that old
    "GR": Country(
        _dated(("", "23"), ("2016-06-01", "24")).rates, (_territory("Mount Athos", r"63086$", "0"),)
    ),
    "HR": _country("25"),
    "HU": _country("27"),
    "IE": _dated(("", "23"), ("2020-09-01", "21"), ("2021-03-01", "23")),
    "IT": _country("22", ("Campione d'Italia", r"22061$", "0"), ("Livigno", r"23041$", "0")),
    "LT": _country("21"),
    "LU": _dated(("", "17"), ("2023-01-01", "16"), ("2024-01-01", "17")),
    "LV": _country("21"),
    "MT": _country("18"),
    "NL": _country("21"),
    "PL": _country("23"),
    "PT": _country("23", ("Madeira", r"9[0-4]\d{2}", "22"), ("Azores", r"9[5-9]\d{2}", "18")),
    "RO": _dated(("", "19"), ("2025-08-01", "21")),
    "SE": _country("25"),
    "SI": _country("22"),
    "SK": _dated(("", "20"), ("2025-01-01", "23")),
}  # fmt: skip
