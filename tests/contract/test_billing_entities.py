"""`billing_entities` through the official client."""

from __future__ import annotations

import pytest
from lago_python_client import Client
from lago_python_client.models import BillingEntity, BillingEntityBillingConfiguration, BillingEntityUpdate, Tax

from tests.contract.refusals import coded, refused


def create(lago: Client, code: str = "paris.1") -> None:
    lago.billing_entities.create(
        BillingEntity(
            code=code,
            name="Paris",
            country="FR",
            default_currency="EUR",
            timezone="Europe/Paris",
            billing_configuration=BillingEntityBillingConfiguration(invoice_grace_period=2, document_locale="fr"),
        )
    )


def test_find_all_has_the_default_one(lago: Client) -> None:
    (default,) = lago.billing_entities.find_all()["billing_entities"]
    assert default.is_default is True
    assert default.default_currency == "EUR"


def test_create_and_find(lago: Client) -> None:
    create(lago)
    found = lago.billing_entities.find("paris.1")
    assert (found.code, found.name, found.country, found.is_default) == ("paris.1", "Paris", "FR", False)
    assert (found.timezone, found.invoice_grace_period, found.document_locale) == ("Europe/Paris", 2, "fr")
    assert found.taxes.__root__ == []
    listed = lago.billing_entities.find_all()["billing_entities"]
    assert {row.code: row.is_default for row in listed}["paris.1"] is False
    assert sorted(row.is_default for row in listed) == [False, True]


def test_update(lago: Client) -> None:
    create(lago)
    lago.taxes.create(Tax(name="VAT", code="vat", rate=20))
    update = BillingEntityUpdate(name="Lyon", city="Lyon", tax_codes=["vat"], net_payment_term=10)
    changed = lago.billing_entities.update(update, "paris.1")
    assert (changed.name, changed.city, changed.net_payment_term) == ("Lyon", "Lyon", 10)
    assert [tax.code for tax in changed.taxes.__root__] == ["vat"]


def test_unknown(lago: Client) -> None:
    assert refused(lago.billing_entities.find, "nowhere") == coded(404, "billing_entity_not_found")


@pytest.mark.parametrize("code", ["a b", "a@b", "a+b", "ä–ö"])
def test_codes_are_found_as_given(lago: Client, code: str) -> None:
    create(lago, code)
    assert lago.billing_entities.find(code).code == code
