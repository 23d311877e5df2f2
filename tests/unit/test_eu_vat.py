"""EU VAT (credits.md §2.7): dated rates, territories, codes, decisions; the syntax of numbers (integrations.md §7)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tallystick.core import eu_vat
from tallystick.core.eu_vat import Buyer
from tallystick.core.vat_numbers import VatNumber, parse


@pytest.mark.parametrize(
    ("country", "on", "rate"),
    [
        ("DE", "2020-06-30", "19"),
        ("DE", "2020-07-01", "16"),
        ("DE", "2021-01-01", "19"),
        ("EE", "2023-12-31", "20"),
        ("EE", "2024-01-01", "22"),
        ("EE", "2025-06-30", "22"),
        ("EE", "2025-07-01", "24"),
        ("FI", "2024-08-31", "24"),
        ("FI", "2024-09-01", "25.5"),
        ("FR", "2013-12-31", "19.6"),
        ("FR", "2014-01-01", "20"),
        ("GR", "2016-06-01", "24"),
        ("IE", "2020-09-01", "21"),
        ("IE", "2021-03-01", "23"),
        ("LU", "2023-12-31", "16"),
        ("LU", "2024-01-01", "17"),
        ("RO", "2025-07-31", "19"),
        ("RO", "2025-08-01", "21"),
        ("SK", "2024-12-31", "20"),
        ("SK", "2025-01-01", "23"),
        ("ES", "1990-01-01", "21"),
    ],
)
def test_the_rate_in_force_is_the_newest_that_has_begun(country: str, on: str, rate: str) -> None:
    assert eu_vat.standard_rate(country, dt.date.fromisoformat(on)) == Decimal(rate)


def test_all_taxes_of_the_automation() -> None:
    made = {tax.code: tax for tax in eu_vat.generated_taxes(dt.date(2026, 1, 1))}
    assert len(eu_vat.COUNTRIES) == 27
    assert len(made) == 27 + 18 + 2
    assert made["lago_eu_fr_standard"].name == "FR Standard"
    assert made["lago_eu_de_exception_busingen_am_hochrhein"].rate == 0
    assert made["lago_eu_it_exception_campione_d_italia"].rate == 0
    assert made["lago_eu_pt_exception_madeira"].rate == 22
    assert made["lago_eu_fr_exception_reunion"].rate == Decimal("8.5")
    assert made["lago_eu_reverse_charge"].rate == made["lago_eu_tax_exempt"].rate == 0
    assert eu_vat.next_change(dt.date(2025, 1, 1)) == dt.date(2025, 7, 1)
    assert eu_vat.next_change(dt.date(2025, 7, 1)) == dt.date(2025, 8, 1)
    assert eu_vat.next_change(dt.date(2025, 8, 1)) is None


@pytest.mark.parametrize(
    ("country", "zipcode", "number", "territory"),
    [
        ("AT", "6691", None, "at_exception_jungholz"),
        ("AT", "6992", None, "at_exception_mittelberg"),
        ("AT", "6994", None, None),
        ("DE", "78 266", None, "de_exception_busingen_am_hochrhein"),
        ("DE", "278266", None, None),
        ("DE", "27498", None, "de_exception_heligoland"),
        ("ES", "35001", None, "es_exception_canary_islands"),
        ("ES", "38999", None, "es_exception_canary_islands"),
        ("ES", "350011", None, None),
        ("ES", "51005", None, "es_exception_ceuta"),
        ("ES", "51006", None, None),
        ("ES", "51081", None, "es_exception_ceuta"),
        ("ES", "52006", None, "es_exception_melilla"),
        ("ES", "52070", None, "es_exception_melilla"),
        ("FI", "22100", None, "fi_exception_aland_islands"),
        ("FR", "97100", None, None),
        ("FR", "97100", "nonsense", None),
        ("FR", "97100", "FR40303265045", "fr_exception_guadeloupe"),
        ("FR", "97512", "FR40303265045", None),
        ("FR", "97600", "DE123456789", "fr_exception_mayotte"),
        ("GR", "63086", None, "gr_exception_mount_athos"),
        ("IT", "23041", None, "it_exception_livigno"),
        ("PT", "9000-123", None, "pt_exception_madeira"),
        ("PT", "9500", None, "pt_exception_azores"),
        ("PT", "1900001", None, None),
        ("DE", None, None, None),
        ("US", "35001", None, None),
        (None, "35001", None, None),
    ],
)
def test_territories_by_postcode(country: str | None, zipcode: str | None, number: str | None, territory: str) -> None:
    wanted = territory and f"lago_eu_{territory}"
    assert eu_vat.territory_tax(Buyer(country, zipcode, number)) == wanted


@pytest.mark.parametrize(
    ("seller", "buyer", "vat_country", "code"),
    [
        ("FR", Buyer("DE", None, "DE123456789"), "DE", "lago_eu_reverse_charge"),
        ("FR", Buyer("FR", None, "FR40303265045"), "FR", "lago_eu_fr_standard"),
        ("FR", Buyer(None, "97100", "FR40303265045"), "FR", "lago_eu_fr_exception_guadeloupe"),
        ("GR", Buyer("GR", None, "EL123456789"), "EL", "lago_eu_gr_standard"),
        ("IE", Buyer("GB", None, "XI123456789"), "XI", "lago_eu_reverse_charge"),
    ],
)
def test_a_confirmed_number(seller: str, buyer: Buyer, vat_country: str, code: str) -> None:
    assert eu_vat.confirmed_tax(seller, buyer, vat_country) == code


@pytest.mark.parametrize(
    ("country", "code"),
    [(None, "lago_eu_fr_standard"), ("IT", "lago_eu_it_standard"), ("FR", "lago_eu_fr_standard"), ("US", None)],
)
def test_without_a_number_the_country_decides(country: str | None, code: str | None) -> None:
    assert eu_vat.unconfirmed_tax("FR", Buyer(country, None, None)) == (code or "lago_eu_tax_exempt")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("FR40303265045", VatNumber("FR", "40303265045")),
        ("fr 40.303-265 045", VatNumber("FR", "40303265045")),
        ("ATU12345678", VatNumber("AT", "U12345678")),
        ("AT12345678", None),
        ("BE0123456789", VatNumber("BE", "0123456789")),
        ("BE2123456789", None),
        ("EL123456789", VatNumber("EL", "123456789")),
        ("GR123456789", None),
        ("IE1A2345B", None),
        ("IE1A23456BCD", None),
        ("LT123456789", VatNumber("LT", "123456789")),
        ("LT1234567890", None),
        ("NL123456789B01", VatNumber("NL", "123456789B01")),
        ("XIGD123", VatNumber("XI", "GD123")),
        ("GB123456789", None),
        ("DE١٢٣٤٥٦٧٨٩", None),
        ("DE12345678\n", None),
        ("", None),
    ],
)
def test_syntax(text: str, number: VatNumber | None) -> None:
    assert parse(text) == number
