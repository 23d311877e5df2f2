"""Organizations over HTTP: made by the operator, shown and changed with their key (customers_entitlements.md §4)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.api import ADMIN_TOKEN, Api
from tests.support.server import Running


@pytest.fixture
def admin(running: Running) -> Any:
    with httpx.Client(base_url=running.url, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}) as client:
        yield client


def create(admin: httpx.Client, status: int = 200, **organization: Any) -> Any:
    answer = admin.post("/admin/organizations", json={"organization": organization})
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer wrong", f"Bearer {ADMIN_TOKEN}x", "Bearer é"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/admin/organizations"), ("GET", "/admin/organizations")])
def test_the_operator_needs_the_token(running: Running, header: str | None, method: str, path: str) -> None:
    headers = [(b"authorization", header.encode("latin-1"))] if header else []
    answer = httpx.request(method, running.url + path, headers=headers, json={"organization": {"name": "x"}})
    assert answer.status_code == 401
    assert answer.json() == {"status": 401, "error": "Unauthorized"}


def test_an_organization_comes_with_its_billing_entity_and_a_key(admin: httpx.Client) -> None:
    made = create(
        admin,
        name="Ärger & Söhne",
        sandbox=True,
        country="de",
        default_currency="eur",
        timezone="Europe/Berlin",
        email="billing@soehne.test",
        document_numbering="per_organization",
        webhook_url="https://hooks.test/one",
        billing_configuration={"invoice_grace_period": 2, "document_locale": "de"},
    )
    organization = made["organization"]
    assert organization.pop("hmac_key")
    assert organization["slug"] == "arger-sohne"
    assert organization["document_number_prefix"] == "ÄRG-" + organization["lago_id"][-4:].upper()
    assert (organization["country"], organization["default_currency"]) == ("DE", "EUR")
    assert organization["timezone"] == "Europe/Berlin"
    assert organization["document_numbering"] == "per_organization"
    assert organization["webhook_urls"] == ["https://hooks.test/one"]
    assert organization["webhook_url"] == "https://hooks.test/one"
    assert organization["events_store"] == "postgres"
    assert organization["billing_configuration"] == {
        "invoice_footer": None,
        "invoice_grace_period": 2,
        "document_locale": "de",
    }
    admin.headers["Authorization"] = f"Bearer {made['api_key']}"
    assert admin.get("/api/v1/organizations").json() == {"organization": organization}
    (entity,) = admin.get("/api/v1/billing_entities").json()["billing_entities"]
    assert entity["lago_id"] == organization["lago_id"]
    assert entity["code"] == "arger-sohne"
    assert entity["is_default"] is True
    assert entity["document_numbering"] == "per_billing_entity"


def test_what_a_new_organization_may_not_be(admin: httpx.Client) -> None:
    assert create(admin, 400)["error"].endswith("invalid: organization")
    assert create(admin, 422, sandbox=True)["error_details"] == {"name": ["value_is_mandatory"]}
    refused = create(
        admin,
        422,
        name="x" * 256,
        country="XX",
        default_currency="EURO",
        timezone="Mars/Olympus",
        email="nobody",
        net_payment_term=-1,
        document_numbering="per_month",
        document_number_prefix="much too long",
        email_settings=["invoice.finalized", "invoice.lost"],
        billing_configuration={"document_locale": "xx", "invoice_grace_period": 10**30},
    )
    assert refused["error_details"] == {
        "name": ["value_is_too_long"],
        "country": ["not_a_valid_country_code"],
        "default_currency": ["value_is_invalid"],
        "timezone": ["invalid_timezone"],
        "email": ["invalid_email_format"],
        "net_payment_term": ["value_is_out_of_range"],
        "document_numbering": ["value_is_invalid"],
        "document_number_prefix": ["value_is_too_long"],
        "email_settings": ["unsupported_value"],
        "document_locale": ["not_a_valid_language_code"],
        "invoice_grace_period": ["value_is_out_of_range"],
    }


def test_the_operator_lists_organizations(admin: httpx.Client) -> None:
    names = [create(admin, name=f"listed {number}", sandbox=number == 2)["organization"]["name"] for number in (1, 2)]
    page = admin.get("/admin/organizations", params={"per_page": 2}).json()
    assert [(row["name"], row["sandbox"]) for row in page["organizations"]] == [(names[1], True), (names[0], False)]
    assert "hmac_key" not in page["organizations"][0]
    assert page["meta"]["current_page"] == 1
    assert page["meta"]["total_count"] >= 2


def test_settings_are_those_of_the_default_billing_entity(api: Api) -> None:
    api.post("/taxes", {"tax": {"name": "VAT", "code": "vat", "rate": "20", "applied_to_organization": True}})
    changed = api.put(
        "/organizations",
        {
            "organization": {
                "country": "fr",
                "city": "Paris",
                "legal_name": "Acme SAS",
                "net_payment_term": 30,
                "document_number_prefix": "acme",
                "document_numbering": "per_organization",
                "finalize_zero_amount_invoice": False,
                "email_settings": ["invoice.finalized"],
                "timezone": "Europe/Paris",
                "slug": "acme",
                "billing_configuration": {"invoice_footer": "Merci", "invoice_grace_period": 3},
            }
        },
    )["organization"]
    assert [tax["code"] for tax in changed.pop("taxes")] == ["vat"]
    assert changed == api.get("/organizations")["organization"]
    entity = api.get("/billing_entities")["billing_entities"][0]
    for name in ("country", "city", "legal_name", "net_payment_term", "document_number_prefix", "timezone"):
        assert changed[name] == entity[name]
    assert (changed["slug"], changed["document_number_prefix"]) == ("acme", "ACME")
    assert entity["invoice_footer"] == "Merci"
    assert entity["finalize_zero_amount_invoice"] is False

    kept = api.put("/organizations", {"organization": {"city": None, "timezone": None, "unknown": 1}})["organization"]
    assert (kept["city"], kept["timezone"], kept["country"]) == (None, "Europe/Paris", "FR")


def test_the_webhook_url_is_the_first_endpoint(api: Api) -> None:
    one = api.put("/organizations", {"organization": {"webhook_url": "http://127.0.0.1:9/one"}})["organization"]
    assert one["webhook_url"] == "http://127.0.0.1:9/one"
    two = api.put("/organizations", {"organization": {"webhook_url": "http://127.0.0.1:9/two"}})["organization"]
    assert two["webhook_urls"] == ["http://127.0.0.1:9/two"]
    refused = api.put("/organizations", {"organization": {"webhook_url": "nowhere"}}, 422)
    assert refused["error_details"] == {"webhook_url": ["url_is_invalid"]}


def test_what_an_update_may_not_be(api: Api) -> None:
    assert api.put("/organizations", {}, 400)["error"].endswith("invalid: organization")
    refused = api.put("/organizations", {"organization": {"document_number_prefix": " ", "slug": ""}}, 422)
    assert refused["error_details"] == {"document_number_prefix": ["value_is_too_short"]}
    assert api.put("/organizations", {"organization": {"slug": ""}}, 422)["error_details"] == {
        "slug": ["value_is_mandatory"]
    }


def test_there_is_no_grpc(api: Api) -> None:
    assert api.get("/organizations/grpc_token", 403) == {
        "status": 403,
        "error": "Forbidden",
        "code": "endpoint_not_available",
    }
