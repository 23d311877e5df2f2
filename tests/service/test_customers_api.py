"""Customers over HTTP: the upsert and what becomes of one customer (customers_entitlements.md §1)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.api import Api

ADDRESS = ("address_line1", "address_line2", "city", "zipcode", "state", "country")


def upsert(api: Api, external_id: Any = "acme", status: int = 200, **fields: Any) -> Any:
    answer = api.post("/customers", {"customer": {"external_id": external_id, **fields}}, status)
    return answer.get("customer", answer)


def test_a_new_customer(api: Api) -> None:
    made = upsert(api, name="Acme", currency="EUR", country="fr", email="a@acme.test, b@acme.test")
    assert list(made) == [
        "lago_id",
        "billing_entity_code",
        "external_id",
        "account_type",
        "name",
        "firstname",
        "lastname",
        "customer_type",
        "sequential_id",
        "slug",
        "created_at",
        "updated_at",
        "country",
        "address_line1",
        "address_line2",
        "state",
        "zipcode",
        "email",
        "city",
        "url",
        "phone",
        "logo_url",
        "legal_name",
        "legal_number",
        "currency",
        "tax_identification_number",
        "timezone",
        "applicable_timezone",
        "net_payment_term",
        "external_salesforce_id",
        "finalize_zero_amount_invoice",
        "billing_configuration",
        "shipping_address",
        "skip_invoice_custom_sections",
        "metadata",
        "taxes",
        "integration_customers",
        "applicable_invoice_custom_sections",
        "error_details",
    ]
    assert made["sequential_id"] == 1
    assert made["slug"] == f"{api.organization['document_number_prefix']}-001"
    assert made["billing_entity_code"] == api.organization["slug"]
    assert (made["country"], made["currency"], made["applicable_timezone"]) == ("FR", "EUR", "UTC")
    assert (made["account_type"], made["finalize_zero_amount_invoice"]) == ("customer", "inherit")
    assert made["shipping_address"] == dict.fromkeys(ADDRESS)
    assert made["billing_configuration"] == {
        "invoice_grace_period": None,
        "payment_provider": None,
        "payment_provider_code": None,
        "document_locale": None,
        "subscription_invoice_issuing_date_anchor": None,
        "subscription_invoice_issuing_date_adjustment": None,
    }
    assert api.get("/customers/acme")["customer"] == made
    assert upsert(api, "second")["slug"].endswith("-002")


def test_absent_keys_stay_and_nulls_clear(api: Api) -> None:
    first = upsert(
        api,
        email="billing@acme.test",
        country="fr",
        currency="EUR",
        timezone="Europe/Paris",
        net_payment_term=14,
        customer_type="company",
        shipping_address={"city": "Lyon", "country": "fr"},
        finalize_zero_amount_invoice="skip",
        billing_configuration={"invoice_grace_period": 0, "document_locale": "fr"},
    )
    assert first["applicable_timezone"] == "Europe/Paris"
    second = upsert(api, name="Acme SAS", email=None, shipping_address={"city": None}, billing_configuration={})
    assert second["lago_id"] == first["lago_id"]
    assert (second["name"], second["email"]) == ("Acme SAS", None)
    kept = ("currency", "country", "net_payment_term", "timezone", "customer_type", "finalize_zero_amount_invoice")
    assert [second[name] for name in kept] == [first[name] for name in kept]
    assert (second["shipping_address"]["city"], second["shipping_address"]["country"]) == (None, "FR")
    assert second["billing_configuration"]["invoice_grace_period"] == 0
    cleared = upsert(
        api,
        country=None,
        currency=None,
        timezone="",
        net_payment_term=None,
        customer_type=None,
        shipping_address=None,
        finalize_zero_amount_invoice=None,
        billing_configuration={"invoice_grace_period": None, "document_locale": None},
    )
    assert [cleared[name] for name in ("country", "currency", "timezone", "net_payment_term")] == [None] * 4
    assert (cleared["customer_type"], cleared["finalize_zero_amount_invoice"]) == (None, "inherit")
    assert cleared["shipping_address"] == dict.fromkeys(ADDRESS)
    assert cleared["billing_configuration"]["invoice_grace_period"] is None
    assert cleared["billing_configuration"]["document_locale"] is None


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"external_id": ""}, {"external_id": ["value_is_mandatory"]}),
        ({"external_id": None}, {"external_id": ["value_is_mandatory"]}),
        ({"external_id": ["a"]}, {"external_id": ["value_is_mandatory"]}),
        ({"external_id": "x" * 513}, {"external_id": ["value_is_too_long"]}),
        ({"name": "x" * 256}, {"name": ["value_is_too_long"]}),
        ({"email": "a@b.c, nobody"}, {"email": ["invalid_email_format"]}),
        ({"country": "XX"}, {"country": ["not_a_valid_country_code"]}),
        ({"shipping_address": {"country": "XX"}}, {"country": ["not_a_valid_country_code"]}),
        ({"currency": "BTC"}, {"currency": ["value_is_invalid"]}),
        ({"timezone": "Mars"}, {"timezone": ["invalid_timezone"]}),
        ({"net_payment_term": -1}, {"net_payment_term": ["value_is_out_of_range"]}),
        ({"net_payment_term": 10**40}, {"net_payment_term": ["value_is_out_of_range"]}),
        ({"net_payment_term": 1.5}, {"net_payment_term": ["value_is_invalid"]}),
        ({"customer_type": "dog"}, {"customer_type": ["value_is_invalid"]}),
        ({"account_type": "dog"}, {"account_type": ["value_is_invalid"]}),
        ({"finalize_zero_amount_invoice": "x"}, {"finalize_zero_amount_invoice": ["invalid_value"]}),
        ({"billing_configuration": {"document_locale": "xx"}}, {"document_locale": ["not_a_valid_language_code"]}),
        (
            {"billing_configuration": {"subscription_invoice_issuing_date_anchor": "x"}},
            {"subscription_invoice_issuing_date_anchor": ["value_is_invalid"]},
        ),
        ({"metadata": [{"key": f"k{n}", "value": ""} for n in range(6)]}, {"metadata": ["invalid_count"]}),
        ({"metadata": [{"key": "a", "value": "1"}] * 2}, {"metadata": ["value_is_duplicated"]}),
        ({"metadata": [{"key": "x" * 21, "value": "1"}]}, {"key": ["value_is_too_long"]}),
        ({"metadata": [{"key": "x", "value": "1" * 101}]}, {"value": ["value_is_too_long"]}),
        ({"metadata": [7]}, {"key": ["value_is_mandatory"], "value": ["value_is_mandatory"]}),
        (
            {"integration_customers": [{"integration_type": "xero"}, {"integration_type": "xero"}]},
            {"integration_customers": ["invalid_count_per_integration_type"]},
        ),
        (
            {"skip_invoice_custom_sections": True, "invoice_custom_section_codes": ["a"]},
            {"invoice_custom_sections": ["skip_sections_and_selected_ids_sent_together"]},
        ),
        (
            {"invoice_custom_section_ids": ["b"], "invoice_custom_section_codes": ["a"]},
            {"invoice_custom_sections": ["section_ids_and_section_codes_sent_together"]},
        ),
        (
            {"billing_configuration": {"provider_payment_methods": ["link"]}},
            {"provider_payment_methods": ["value_is_invalid"]},
        ),
        (
            {"billing_configuration": {"provider_payment_methods": ["card", "customer_balance"]}},
            {"provider_payment_methods": ["customer_balance cannot be combined with other payment methods"]},
        ),
    ],
)
def test_what_is_refused(api: Api, fields: dict[str, Any], errors: dict[str, list[str]]) -> None:
    answer = api.post("/customers", {"customer": {"external_id": "acme", **fields}}, 422)
    assert answer["error_details"] == errors
    assert answer["code"] == "validation_errors"
    assert api.get("/customers")["customers"] == []


@pytest.mark.parametrize("body", [None, {}, {"customer": {}}, {"customer": None}, {"customer": "x"}, {"customer": [1]}])
def test_the_root_is_needed(api: Api, body: Any) -> None:
    assert api.post("/customers", body, 400) == {
        "status": 400,
        "error": "BadRequest: param is missing or the value is empty or invalid: customer",
    }


def test_errors_of_several_fields_come_together(api: Api) -> None:
    refused = api.post("/customers", {"customer": {"country": "XX", "email": "x"}}, 422)
    assert set(refused["error_details"]) == {"external_id", "country", "email"}


def test_wrong_shapes_are_dropped_and_odd_values_kept_as_text(api: Api) -> None:
    made = upsert(
        api,
        name={"a": 1},
        metadata="x",
        shipping_address="x",
        tax_codes="x",
        billing_configuration=[1],
        firstname=10**30,
        lastname=True,
        city="a\x00b",
        state="",
        unknown={"deep": [1]},
    )
    assert (made["name"], made["firstname"], made["lastname"], made["city"]) == (None, str(10**30), "true", "ab")
    assert upsert(api, 42)["external_id"] == "42"


@pytest.mark.parametrize(
    "external_id", ["john.doe@acme.test", "a b", "a/b", "100%", "a%2Fb", "ключ", "x?y#z", "../up", "🎉", "  padded "]
)
def test_an_external_id_may_hold_any_character(api: Api, external_id: str) -> None:
    from urllib.parse import quote

    made = upsert(api, external_id)
    assert made["external_id"] == external_id
    assert api.get(f"/customers/{quote(external_id, safe='')}")["customer"]["lago_id"] == made["lago_id"]
    assert upsert(api, external_id)["lago_id"] == made["lago_id"]


def test_metadata_is_replaced_as_a_whole(api: Api) -> None:
    (tier,) = upsert(api, metadata=[{"key": "tier", "value": "gold", "display_in_invoice": True}])["metadata"]
    assert (tier["key"], tier["value"], tier["display_in_invoice"]) == ("tier", "gold", True)
    assert upsert(api, name="x")["metadata"] == [tier]
    rows = upsert(
        api,
        metadata=[
            {"id": tier["lago_id"], "key": "region", "value": "west"},
            {"id": "unknown", "key": "tier", "value": "silver"},
            {"key": "empty", "value": ""},
        ],
    )["metadata"]
    assert rows[0] == {**tier, "key": "region", "value": "west", "display_in_invoice": False}
    assert {row["key"]: row["value"] for row in rows} == {"region": "west", "tier": "silver", "empty": ""}
    swapped = [
        {"id": row["lago_id"], "key": key, "value": ""}
        for row, key in zip(rows, ["tier", "empty", "region"], strict=True)
    ]
    assert [row["key"] for row in upsert(api, metadata=swapped)["metadata"]] == ["tier", "empty", "region"]
    assert upsert(api, metadata=[])["metadata"] == []


def test_taxes_of_a_customer(api: Api) -> None:
    for code in ("vat", "city"):
        api.post("/taxes", {"tax": {"name": code, "code": code, "rate": "20"}})
    made = upsert(api, tax_codes=["vat", "city"])
    assert [tax["code"] for tax in made["taxes"]] == ["vat", "city"]
    assert "applied_to_billing_entities_codes" not in made["taxes"][0]
    assert [tax["code"] for tax in upsert(api, name="x")["taxes"]] == ["vat", "city"]
    assert [tax["code"] for tax in upsert(api, tax_codes=["city"])["taxes"]] == ["city"]
    assert upsert(api, tax_codes=["VAT"], status=404)["code"] == "tax_not_found"
    assert upsert(api, "new", tax_codes=["nope"], status=404)["code"] == "tax_not_found"
    assert api.get("/customers/new", 404)["code"] == "customer_not_found"
    assert upsert(api, tax_codes=[])["taxes"] == []


def test_the_billing_entity_of_a_customer(api: Api) -> None:
    api.post("/billing_entities", {"billing_entity": {"code": "second", "name": "Two", "timezone": "Asia/Tokyo"}})
    made = upsert(api, billing_entity_code="second")
    assert (made["billing_entity_code"], made["applicable_timezone"]) == ("second", "Asia/Tokyo")
    # the slug carries the organization's prefix, whoever invoices
    assert made["slug"].startswith(api.organization["document_number_prefix"])
    assert upsert(api, name="x")["billing_entity_code"] == "second"
    assert upsert(api, billing_entity_code="nope", status=404)["code"] == "billing_entity_not_found"
    assert upsert(api, billing_entity_code=None)["billing_entity_code"] == api.organization["slug"]


def test_a_customer_without_documents_may_become_a_partner(api: Api) -> None:
    assert upsert(api)["account_type"] == "customer"
    assert upsert(api, account_type="partner")["account_type"] == "partner"
    assert upsert(api, account_type=None)["account_type"] == "partner"


def test_sections_of_one_s_own_end_skipping(api: Api) -> None:
    api.post("/invoice_custom_sections", {"invoice_custom_section": {"code": "a", "name": "A"}})
    assert upsert(api, skip_invoice_custom_sections=True)["skip_invoice_custom_sections"] is True
    assert upsert(api, invoice_custom_section_codes=[])["skip_invoice_custom_sections"] is True
    assert upsert(api, invoice_custom_section_codes=["a"])["skip_invoice_custom_sections"] is False


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"payment_provider": "stripe"}, {"payment_provider": None, "payment_provider_code": None}),
        (
            {"payment_provider": "stripe", "payment_provider_code": "eu", "provider_customer_id": "cus_1"},
            {
                "payment_provider": "stripe",
                "payment_provider_code": "eu",
                "provider_customer_id": "cus_1",
                "provider_payment_methods": ["card"],
            },
        ),
        (
            {"payment_provider": "gocardless", "sync_with_provider": True, "provider_payment_methods": ["card"]},
            {
                "payment_provider": "gocardless",
                "payment_provider_code": None,
                "provider_customer_id": None,
                "sync_with_provider": True,
            },
        ),
        ({"payment_provider": "unheard", "sync_with_provider": True}, {"payment_provider": None}),
    ],
)
def test_the_link_to_a_provider(api: Api, sent: dict[str, Any], shown: dict[str, Any]) -> None:
    configuration = upsert(api, billing_configuration=sent)["billing_configuration"]
    absent = {"provider_customer_id", "provider_payment_methods", "sync_with_provider"} - set(shown)
    assert {name: configuration[name] for name in shown} == shown
    assert not absent & set(configuration)


def test_changing_the_link_to_a_provider(api: Api) -> None:
    link = {"payment_provider": "stripe", "payment_provider_code": "eu", "provider_customer_id": "cus_1"}
    upsert(api, billing_configuration=link)
    changed = upsert(api, billing_configuration={"provider_payment_methods": ["card", "link"]})["billing_configuration"]
    assert (changed["provider_customer_id"], changed["provider_payment_methods"]) == ("cus_1", ["card", "link"])
    kept = upsert(api, billing_configuration={"provider_payment_methods": []})["billing_configuration"]
    assert kept["provider_payment_methods"] == ["card", "link"]
    assert (
        upsert(api, billing_configuration={"provider_customer_id": ""})["billing_configuration"]["provider_customer_id"]
        is None
    )
    ended = upsert(api, billing_configuration={"payment_provider": None})["billing_configuration"]
    assert (ended["payment_provider"], ended["payment_provider_code"]) == (None, None)
    assert "provider_customer_id" not in ended


def test_a_deleted_customer(api: Api) -> None:
    made = upsert(api, metadata=[{"key": "a", "value": "b"}])
    assert api.delete("/customers/acme")["customer"] == made
    missing = {"status": 404, "error": "Not Found", "code": "customer_not_found"}
    assert api.get("/customers/acme", 404) == missing
    assert api.delete("/customers/acme", 404) == missing
    assert api.get("/customers/acme/portal_url", 404) == missing
    assert api.get("/customers")["customers"] == []
    again = upsert(api)
    assert again["lago_id"] != made["lago_id"]
    # numbers are never used twice
    assert (again["sequential_id"], again["metadata"]) == (2, [])


def test_organizations_do_not_share_customers(api: Api) -> None:
    upsert(api, name="One")
    other = Api(str(api.http.base_url))
    assert other.get("/customers/acme", 404)["code"] == "customer_not_found"
    assert upsert(other, name="Two")["sequential_id"] == 1
    assert api.get("/customers/acme")["customer"]["name"] == "One"
    other.http.close()


def test_calls_at_once(api: Api) -> None:
    def create(number: int) -> Any:
        answer = api.http.post("/api/v1/customers", json={"customer": {"external_id": f"c{number % 4}"}})
        return answer.status_code, answer.json()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(24)))
    refused = [body for status, body in answers if status != 200]
    assert all(body["error_details"] == {"external_id": ["value_already_exist"]} for body in refused)
    rows = api.get("/customers")["customers"]
    assert {row["external_id"] for row in rows} == {"c0", "c1", "c2", "c3"}
    assert sorted(row["sequential_id"] for row in rows) == [1, 2, 3, 4]


def test_links(api: Api) -> None:
    upsert(api)
    one, two = (api.get("/customers/acme/portal_url")["customer"]["portal_url"] for _ in range(2))
    assert "/customer-portal/" in one
    assert one.rsplit("/", 1)[0] == two.rsplit("/", 1)[0]
    refused = api.post("/customers/acme/checkout_url", status=422)
    assert refused["error_details"] == {"base": ["no_linked_payment_provider"]}
    assert api.post("/customers/nobody/checkout_url", status=404)["code"] == "customer_not_found"
