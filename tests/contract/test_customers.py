"""`customers` through the official client; their usage is in `test_usage.py`."""

from __future__ import annotations

import pytest
from lago_python_client import Client
from lago_python_client.models import (
    Address,
    Customer,
    CustomerBillingConfiguration,
    Metadata,
    MetadataList,
)

from tests.contract.refusals import UNAUTHORIZED, coded, invalid, refused
from tests.contract.shop import Shop

NESTED = (
    "customer_applied_coupons",
    "customer_credit_notes",
    "customer_invoices",
    "customer_payment_methods",
    "customer_payment_requests",
    "customer_payments",
    "customer_subscriptions",
    "customer_wallets",
)


def test_create(lago: Client) -> None:
    made = lago.customers.create(
        Customer(
            external_id="c1",
            name="Acme",
            firstname="A",
            lastname="C",
            customer_type="company",
            country="fr",
            currency="EUR",
            timezone="Europe/Paris",
            email="a@acme.test,b@acme.test",
            net_payment_term=0,
            finalize_zero_amount_invoice="skip",
            billing_configuration=CustomerBillingConfiguration(invoice_grace_period=4, document_locale="fr"),
            shipping_address=Address(city="Lyon", country="FR"),
            metadata=MetadataList(__root__=[Metadata(key="k", value="v", display_in_invoice=True)]),
            tax_codes=[],
        )
    )
    assert (made.external_id, made.name, made.firstname, made.lastname) == ("c1", "Acme", "A", "C")
    assert (made.customer_type, made.country, made.currency) == ("company", "FR", "EUR")
    assert (made.timezone, made.applicable_timezone) == ("Europe/Paris", "Europe/Paris")
    assert (made.email, made.net_payment_term) == ("a@acme.test,b@acme.test", 0)
    assert made.finalize_zero_amount_invoice == "skip"
    assert (made.billing_configuration.invoice_grace_period, made.billing_configuration.document_locale) == (4, "fr")
    assert (made.shipping_address.city, made.shipping_address.country) == ("Lyon", "FR")
    (note,) = made.metadata.__root__
    assert (note.key, note.value, note.display_in_invoice) == ("k", "v", True)
    assert (made.taxes.__root__, made.error_details.__root__) == ([], [])
    assert lago.customers.find("c1") == made


def test_create_again_changes_what_is_sent(lago: Client) -> None:
    made = lago.customers.create(Customer(external_id="c1", name="Acme", city="Lyon"))
    again = lago.customers.create(Customer(external_id="c1", name="Acme 2"))
    assert (again.lago_id, again.name, again.city) == (made.lago_id, "Acme 2", "Lyon")


@pytest.mark.parametrize("external_id", ["a.b.c", "john@acme.com", "a b", "a+b", "日本-é", "x%y"])
def test_external_ids_are_found_as_given(lago: Client, external_id: str) -> None:
    made = lago.customers.create(Customer(external_id=external_id))
    assert made.external_id == external_id
    asked = external_id.replace("%", "%25")  # the client escapes nothing
    assert lago.customers.find(asked) == made
    assert "/customer-portal/" in lago.customers.portal_url(asked)
    assert lago.customers.destroy(asked).lago_id == made.lago_id


def test_an_escaped_slash_stays_in_its_segment(lago: Client) -> None:
    lago.customers.create(Customer(external_id="a/b"))
    assert lago.customers.find("a%2Fb").external_id == "a/b"
    assert lago.customers.destroy("a%2fb").external_id == "a/b"


def test_find_all(lago: Client) -> None:
    assert lago.customers.find_all()["customers"] == []
    for name in ("Ann", "Bob"):
        notes = MetadataList(__root__=[Metadata(key="k", value=name, display_in_invoice=False)])
        lago.customers.create(Customer(external_id=name, name=name, country="FR", metadata=notes))
    found = lago.customers.find_all({"countries[]": ["FR", "DE"], "metadata[k]": "Ann", "search_term": "an"})
    assert [row.external_id for row in found["customers"]] == ["Ann"]
    assert found["customers"][0].taxes.__root__ == []
    past = lago.customers.find_all({"page": 7, "per_page": 1})
    assert past["customers"] == []
    assert (past["meta"]["current_page"], past["meta"]["prev_page"], past["meta"]["next_page"]) == (7, 6, None)


def test_find_all_refuses_unknown_countries(lago: Client) -> None:
    details = refused(lago.customers.find_all, {"countries[]": ["XX"]})["error_details"]
    assert list(details["countries"]) == ["0"]


def test_checkout_url_without_a_provider(lago: Client) -> None:
    lago.customers.create(Customer(external_id="c"))
    assert refused(lago.customers.checkout_url, "c") == invalid(base=["no_linked_payment_provider"])


def test_refusals(lago: Client) -> None:
    assert refused(lago.customers.create, Customer(external_id="")) == invalid(external_id=["value_is_mandatory"])
    wrong = Customer(external_id="c", country="XX", timezone="Nowhere", email="no")
    assert refused(lago.customers.create, wrong) == invalid(
        country=["not_a_valid_country_code"], timezone=["invalid_timezone"], email=["invalid_email_format"]
    )
    for call in (lago.customers.find, lago.customers.destroy, lago.customers.portal_url, lago.customers.checkout_url):
        assert refused(call, "nobody") == coded(404, "customer_not_found")


@pytest.mark.parametrize("client", NESTED)
def test_nested_lists_are_asked_for_without_a_key(shop: Shop, client: str) -> None:
    """These methods never send the key (sdk-compat.md §4); what the product has no route for is a 404."""
    answer = refused(getattr(shop.lago, client).find_all, "acme")
    assert answer in (UNAUTHORIZED, coded(404, "resource_not_found"))


@pytest.mark.parametrize("client", ["customer_invoices", "customer_subscriptions"])
def test_nested_lists_are_not_public(shop: Shop, client: str) -> None:
    assert refused(getattr(shop.lago, client).find_all, "acme") == UNAUTHORIZED
