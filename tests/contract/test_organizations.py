"""`organizations` through the official client."""

from __future__ import annotations

from lago_python_client import Client
from lago_python_client.models import Organization, OrganizationBillingConfiguration

from tests.support.api import Api


def test_update(lago: Client, api: Api) -> None:
    answer = lago.organizations.update(
        Organization(
            default_currency="USD",
            legal_name="Acme Inc.",
            country="FR",
            city="Lyon",
            timezone="Europe/Paris",
            net_payment_term=15,
            document_number_prefix="acm",
            email_settings=["invoice.finalized"],
            webhook_url="https://hooks.example.com/a",
            finalize_zero_amount_invoice=False,
            billing_configuration=OrganizationBillingConfiguration(
                invoice_footer="Thanks", invoice_grace_period=3, document_locale="fr"
            ),
        )
    )
    assert answer.name == api.organization["name"]
    assert (answer.legal_name, answer.country, answer.city) == ("Acme Inc.", "FR", "Lyon")
    assert (answer.timezone, answer.net_payment_term) == ("Europe/Paris", 15)
    assert answer.email_settings == ["invoice.finalized"]
    assert (answer.webhook_url, answer.webhook_urls) == ("https://hooks.example.com/a", ["https://hooks.example.com/a"])
    assert answer.finalize_zero_amount_invoice is False
    configuration = answer.billing_configuration
    assert (configuration.invoice_footer, configuration.invoice_grace_period) == ("Thanks", 3)
    assert configuration.document_locale == "fr"
    assert answer.events_store == "postgres"
    assert api.get("/organizations")["organization"]["default_currency"] == "USD"


def test_update_is_partial(lago: Client) -> None:
    lago.organizations.update(Organization(default_currency="EUR", legal_name="First"))
    assert lago.organizations.update(Organization(default_currency="EUR", city="Rome")).legal_name == "First"
