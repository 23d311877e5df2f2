"""`GET /customers`: order, pages and every filter (api.md §6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api

CUSTOMERS: tuple[dict[str, Any], ...] = (
    {"external_id": "one", "name": "Acme", "country": "FR", "currency": "EUR", "customer_type": "company"},
    {"external_id": "two", "firstname": "Ann", "email": "ann@acme.test", "country": "US", "zipcode": "90210"},
    {"external_id": "three", "legal_name": "50%_off Ltd", "state": "CA", "account_type": "partner"},
    {"external_id": "four", "lastname": "Bo", "customer_type": "individual", "tax_identification_number": "FR1"},
)


@pytest.fixture
def listed(api: Api) -> Api:
    api.post("/billing_entities", {"billing_entity": {"code": "second", "name": "Second"}})
    extras: tuple[dict[str, Any], ...] = (
        {"metadata": [{"key": "tier", "value": "gold"}, {"key": "region", "value": "west"}]},
        {"metadata": [{"key": "tier", "value": "silver"}]},
        {"billing_entity_code": "second"},
        {},
    )
    for customer, extra in zip(CUSTOMERS, extras, strict=True):
        api.post("/customers", {"customer": {**customer, **extra}})
    return api


def found(api: Api, **filters: Any) -> set[str]:
    return {row["external_id"] for row in api.get("/customers", **filters)["customers"]}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, {"one", "two", "three", "four"}),
        ({"external_id": "one", "search_term": "zzz"}, {"one"}),
        ({"external_id": "ONE"}, set()),
        ({"search_term": "ACME"}, {"one", "two"}),
        ({"search_term": "ann"}, {"two"}),
        ({"search_term": "bo"}, {"four"}),
        ({"search_term": "%_"}, {"three"}),
        ({"search_term": "thr"}, {"three"}),
        ({"search_term": ""}, {"one", "two", "three", "four"}),
        ({"account_type[]": "partner"}, {"three"}),
        ({"account_type": "customer"}, {"one", "two", "four"}),
        ({"account_type[]": ["partner", "customer"]}, {"one", "two", "three", "four"}),
        ({"customer_type": "company"}, {"one"}),
        ({"has_customer_type": "true"}, {"one", "four"}),
        ({"has_customer_type": "false"}, {"two", "three"}),
        ({"has_customer_type": "true", "customer_type": "individual"}, {"four"}),
        ({"has_tax_identification_number": "true"}, {"four"}),
        ({"has_tax_identification_number": "false"}, {"one", "two", "three"}),
        ({"countries[]": ["FR", "US"]}, {"one", "two"}),
        ({"countries": "FR"}, {"one"}),
        ({"states[]": "CA"}, {"three"}),
        ({"zipcodes[]": "90210"}, {"two"}),
        ({"currencies[]": "EUR"}, {"one"}),
        ({"billing_entity_codes[]": "second"}, {"three"}),
        ({"metadata[tier]": "gold"}, {"one"}),
        ({"metadata[tier]": "gold", "metadata[region]": "east"}, set()),
        ({"metadata[tier]": ""}, {"three", "four"}),
        ({"metadata[tier]": "silver", "metadata[region]": ""}, {"two"}),
        ({"countries[]": ""}, {"one", "two", "three", "four"}),
        ({"unknown": "x"}, {"one", "two", "three", "four"}),
    ],
)
def test_filters(listed: Api, filters: dict[str, Any], expected: set[str]) -> None:
    assert found(listed, **filters) == expected


@pytest.mark.parametrize(
    ("filters", "errors"),
    [
        ({"account_type[]": ["customer", "dog"]}, {"account_type": {"1": ["must be one of: customer, partner"]}}),
        ({"customer_type": "dog"}, {"customer_type": ["must be one of: company, individual"]}),
        (
            {"customer_type": "company", "has_customer_type": "false"},
            {"customer_type": ["must be nil when has_customer_type is false"]},
        ),
        ({"has_customer_type": "maybe"}, {"has_customer_type": ["must be one of: true, false"]}),
        (
            {"has_tax_identification_number": "1"},
            {"has_tax_identification_number": ["must be one of: true, false"]},
        ),
        ({"countries[x]": "FR"}, {"countries": ["must be an array"]}),
        ({"metadata[k][]": "FR"}, {"metadata": {"k": ["must be a string"]}}),
    ],
)
def test_unusable_filters(api: Api, filters: dict[str, Any], errors: dict[str, Any]) -> None:
    answer = api.get("/customers", 422, **filters)
    assert (answer["code"], answer["error_details"]) == ("validation_errors", errors)


@pytest.mark.parametrize(
    ("name", "start"), [("countries", "must be one of: AD, AE, "), ("currencies", "must be one of: ")]
)
def test_unusable_codes_name_the_usable_ones(api: Api, name: str, start: str) -> None:
    answer = api.get("/customers", 422, **{f"{name}[]": "XXXX"})
    assert answer["error_details"][name]["0"][0].startswith(start)


def test_an_unknown_billing_entity(api: Api) -> None:
    codes = [api.organization["slug"], "nope"]
    assert api.get("/customers", 404, **{"billing_entity_codes[]": codes})["code"] == "billing_entity_not_found"


def test_pages(listed: Api) -> None:
    page = listed.get("/customers", per_page=3)
    assert [row["external_id"] for row in page["customers"]] == ["four", "three", "two"]
    assert page["meta"] == {"current_page": 1, "next_page": 2, "prev_page": None, "total_pages": 2, "total_count": 4}
    past = listed.get("/customers", per_page=3, page=5)
    assert (past["customers"], past["meta"]["prev_page"], past["meta"]["next_page"]) == ([], 4, None)
    empty = listed.get("/customers", search_term="nobody")["meta"]
    assert empty == {"current_page": 0, "next_page": None, "prev_page": None, "total_pages": 0, "total_count": 0}


def test_a_listed_customer_has_no_members_of_single_answers(listed: Api) -> None:
    row = listed.get("/customers", external_id="one")["customers"][0]
    single = listed.get("/customers/one")["customer"]
    assert set(single) - set(row) == {"applicable_invoice_custom_sections", "error_details"}
    assert row == {name: single[name] for name in row}
