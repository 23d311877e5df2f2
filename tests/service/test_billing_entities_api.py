"""Billing entities over HTTP (customers_entitlements.md §3)."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.support.api import Api

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40


def data_url(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def create(api: Api, code: str = "second", status: int = 200, **more: Any) -> Any:
    body = {"billing_entity": {"code": code, "name": "Second Ltd", **more}}
    answer = api.post("/billing_entities", body, status)
    return answer.get("billing_entity", answer)


def test_the_defaults(api: Api) -> None:
    entity = create(api)
    assert entity["document_number_prefix"] == "SEC-" + entity["lago_id"][-4:].upper()
    shown = {name: entity[name] for name in entity if name not in ("lago_id", "document_number_prefix")}
    assert {name for name, value in shown.items() if value is None} == {
        "country",
        "address_line1",
        "address_line2",
        "city",
        "state",
        "zipcode",
        "email",
        "phone",
        "legal_name",
        "legal_number",
        "tax_identification_number",
        "logo_url",
        "invoice_footer",
    }
    assert {name: value for name, value in shown.items() if value is not None and not name.endswith("_at")} == {
        "code": "second",
        "name": "Second Ltd",
        "default_currency": "USD",
        "timezone": "UTC",
        "net_payment_term": 0,
        "email_settings": [],
        "document_numbering": "per_customer",
        "finalize_zero_amount_invoice": True,
        "einvoicing": False,
        "eu_tax_management": False,
        "is_default": False,
        "invoice_grace_period": 0,
        "document_locale": "en",
        "subscription_invoice_issuing_date_anchor": "next_period_start",
        "subscription_invoice_issuing_date_adjustment": "align_with_finalization_date",
        "taxes": [],
        "selected_invoice_custom_sections": [],
    }
    assert api.get("/billing_entities/second")["billing_entity"] == entity


def test_the_list_has_no_pages(api: Api) -> None:
    create(api)
    answer = api.get("/billing_entities", per_page=1)
    assert list(answer) == ["billing_entities"]
    assert [(row["code"], row["is_default"]) for row in answer["billing_entities"]] == [
        (api.organization["slug"], True),
        ("second", False),
    ]
    assert "taxes" not in answer["billing_entities"][0]


def test_mandatory_and_unique(api: Api) -> None:
    refused = api.post("/billing_entities", {"billing_entity": {"city": "Rome"}}, 422)
    assert refused["error_details"] == {"name": ["value_is_mandatory"], "code": ["value_is_mandatory"]}
    create(api)
    assert create(api, status=422)["error_details"] == {"code": ["value_already_exist"]}
    assert api.get("/billing_entities/nobody", 404)["code"] == "billing_entity_not_found"


def test_an_update_changes_what_is_sent(api: Api) -> None:
    create(api, city="Rome", phone="1")
    api.post("/taxes", {"tax": {"name": "VAT", "code": "VAT_20", "rate": "20"}})
    api.post("/taxes", {"tax": {"name": "VAT", "code": "vat_5", "rate": "5"}})
    changed = api.put(
        "/billing_entities/second",
        {
            "billing_entity": {
                "code": "other",
                "name": "Renamed",
                "city": None,
                "default_currency": None,
                "document_number_prefix": "new",
                "tax_codes": ["vat_20", "VAT_5"],
                "billing_configuration": {
                    "invoice_footer": "Thanks",
                    "subscription_invoice_issuing_date_anchor": "current_period_end",
                },
            }
        },
    )["billing_entity"]
    assert (changed["code"], changed["name"], changed["city"], changed["phone"]) == ("second", "Renamed", None, "1")
    assert (changed["default_currency"], changed["document_number_prefix"]) == ("USD", "NEW")
    assert [tax["code"] for tax in changed["taxes"]] == ["VAT_20", "vat_5"]
    assert changed["invoice_footer"] == "Thanks"
    assert changed["subscription_invoice_issuing_date_anchor"] == "current_period_end"
    assert api.get("/billing_entities/second")["billing_entity"] == changed
    missing = api.put("/billing_entities/second", {"billing_entity": {"tax_codes": ["nope"]}}, 404)
    assert missing["code"] == "tax_not_found"
    assert len(api.get("/billing_entities/second")["billing_entity"]["taxes"]) == 2
    cleared = api.put("/billing_entities/second", {"billing_entity": {"tax_codes": []}})["billing_entity"]
    assert cleared["taxes"] == []
    assert api.put("/billing_entities/second", {"billing_entity": {"name": ""}}, 422)["error_details"] == {
        "name": ["value_is_mandatory"]
    }


@pytest.mark.parametrize(
    ("sent", "stored"),
    [("per_customer", "per_customer"), ("per_billing_entity", "per_billing_entity"), ("what", "per_billing_entity")],
)
def test_any_other_numbering_is_the_entity_s_own(api: Api, sent: str, stored: str) -> None:
    create(api)
    body = {"billing_entity": {"document_numbering": sent}}
    assert api.put("/billing_entities/second", body)["billing_entity"]["document_numbering"] == stored


def test_a_new_entity_takes_only_the_two_numberings(api: Api) -> None:
    refused = create(api, status=422, document_numbering="per_organization")
    assert refused["error_details"] == {"document_numbering": ["value_is_invalid"]}


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"einvoicing": True}, {"einvoicing": ["country_must_be_present"]}),
        ({"einvoicing": True, "country": "US"}, {"einvoicing": ["country_not_supported"]}),
        ({"eu_tax_management": True}, {"eu_tax_management": ["billing_entity_must_be_in_eu"]}),
        ({"eu_tax_management": True, "country": "GB"}, {"eu_tax_management": ["billing_entity_must_be_in_eu"]}),
        ({"email_settings": ["invoice.lost"]}, {"email_settings": ["unsupported_value"]}),
        ({"document_number_prefix": ""}, {"document_number_prefix": ["value_is_too_short"]}),
        ({"document_number_prefix": "x" * 11}, {"document_number_prefix": ["value_is_too_long"]}),
        ({"billing_configuration": {"invoice_footer": "x" * 601}}, {"invoice_footer": ["value_is_too_long"]}),
        (
            {"billing_configuration": {"subscription_invoice_issuing_date_adjustment": "x"}},
            {"subscription_invoice_issuing_date_adjustment": ["value_is_invalid"]},
        ),
        ({"net_payment_term": "x"}, {"net_payment_term": ["value_is_invalid"]}),
        ({"logo": "hello"}, {"logo": ["invalid_content_type"]}),
        ({"logo": data_url(PNG, "image/svg+xml")}, {"logo": ["invalid_content_type"]}),
        ({"logo": data_url(PNG, "image/jpeg")}, {"logo": ["invalid_content_type"]}),
        ({"logo": "data:image/png;base64,%%%"}, {"logo": ["invalid_content_type"]}),
        ({"logo": data_url(PNG + b"\x00" * 800 * 1024)}, {"logo": ["invalid_size"]}),
    ],
)
def test_what_is_refused(api: Api, fields: dict[str, Any], errors: dict[str, list[str]]) -> None:
    assert create(api, status=422, **fields)["error_details"] == errors
    create(api)
    assert api.put("/billing_entities/second", {"billing_entity": fields}, 422)["error_details"] == errors


def test_the_country_stays_supported(api: Api) -> None:
    assert create(api, einvoicing=True, eu_tax_management=True, country="de")["einvoicing"] is True
    refused = api.put("/billing_entities/second", {"billing_entity": {"country": "US"}}, 422)
    assert refused["error_details"] == {
        "einvoicing": ["country_not_supported"],
        "eu_tax_management": ["billing_entity_must_be_in_eu"],
    }


def test_a_logo_is_served_without_a_key(api: Api) -> None:
    entity = create(api, logo=data_url(PNG))
    assert entity["logo_url"].endswith(f"/logos/{entity['lago_id']}")
    served = httpx.get(f"{api.http.base_url}/logos/{entity['lago_id']}")
    assert (served.status_code, served.headers["content-type"], served.content) == (200, "image/png", PNG)
    removed = api.put("/billing_entities/second", {"billing_entity": {"logo": None}})["billing_entity"]
    assert removed["logo_url"] is None
    for unknown in (entity["lago_id"], "nobody"):
        assert httpx.get(f"{api.http.base_url}/logos/{unknown}").json()["code"] == "resource_not_found"


def test_organizations_do_not_share_entities(api: Api) -> None:
    create(api)
    other = Api(str(api.http.base_url))
    assert other.get("/billing_entities/second", 404)["code"] == "billing_entity_not_found"
    other.http.close()
