"""EU VAT by itself (credits.md §2.7, integrations.md §7): the taxes of customers, checked numbers, waiting invoices."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.ground.installation import Installation
from tests.standins.vies import Vies, failed
from tests.support.api import Api
from tests.support.billing import add_on, bill_once, invoices
from tests.support.catalog import charge, metric, plan
from tests.support.coupons import apply, coupon
from tests.support.subscriptions import customer, listen, subscribe
from tests.support.watched import messages

START = "2025-01-01T00:00:00Z"


@pytest.fixture
def seller(api: Api) -> Api:
    """A French seller that manages EU taxes, with a plan of 100 EUR paid in advance."""
    api.at(START)
    manage(api)
    plan(api, amount_cents=10000, pay_in_advance=True)
    return api


def entity(api: Api) -> str:
    """The path of the default billing entity."""
    return f"/billing_entities/{api.get('/billing_entities')['billing_entities'][0]['code']}"


def manage(api: Api, on: bool = True, country: str = "FR") -> None:
    api.put(entity(api), {"billing_entity": {"country": country, "eu_tax_management": on}})


def codes(api: Api, of: str = "c") -> list[str]:
    """The codes of a customer's taxes, sorted."""
    return sorted(tax["code"] for tax in api.get(f"/customers/{of}")["customer"]["taxes"])


async def checks(installation: Installation, api: Api) -> list[dict[str, Any]]:
    """`vies_check` of all messages about checks."""
    bodies = await messages(installation, api, "customer.vies_check")
    return [body["customer"]["vies_check"] for body in bodies]


def rates(api: Api) -> dict[str, float]:
    rows = api.get("/taxes", per_page=100)["taxes"]
    return {row["code"]: row["rate"] for row in rows}


# -- the automation ----------------------------------------------------------------------------------------------------


def test_only_an_issuer_in_the_union_manages_its_taxes(api: Api) -> None:
    for country in (None, "US", "GB"):
        body = {"billing_entity": {"country": country, "eu_tax_management": True}}
        details = api.put(entity(api), body, 422)["error_details"]
        assert details == {"eu_tax_management": ["billing_entity_must_be_in_eu"]}
    assert rates(api) == {}


def test_the_issuer_stays_in_the_union(seller: Api) -> None:
    body = {"billing_entity": {"country": "US"}}
    assert seller.put(entity(seller), body, 422)["error_details"] == {
        "eu_tax_management": ["billing_entity_must_be_in_eu"]
    }
    refusal = seller.put("/organizations", {"organization": {"country": "US"}}, 422)
    assert refusal["error_details"] == {"eu_tax_management": ["org_must_be_in_eu"]}


def test_switching_it_on_makes_the_taxes_and_they_follow_the_calendar(api: Api) -> None:
    api.at("2025-06-15T00:00:00Z")
    api.post("/taxes", {"tax": {"code": "lago_eu_fr_standard", "name": "Mine", "rate": 3}})
    manage(api)
    made = rates(api)
    assert len(made) == 47
    assert (made["lago_eu_fr_standard"], made["lago_eu_ee_standard"], made["lago_eu_ro_standard"]) == (20, 22, 19)
    api.at("2025-07-01T00:00:00Z")
    assert (rates(api)["lago_eu_ee_standard"], rates(api)["lago_eu_ro_standard"]) == (24, 19)
    manage(api, on=False)
    api.at("2025-08-02T00:00:00Z")
    assert rates(api)["lago_eu_ro_standard"] == 19
    manage(api)
    assert rates(api)["lago_eu_ro_standard"] == 21


def test_a_new_entity_can_manage_them_from_its_making_on(api: Api) -> None:
    body = {"name": "Dutch", "code": "nl", "country": "NL", "eu_tax_management": True}
    made = api.post("/billing_entities", {"billing_entity": body})["billing_entity"]
    assert made["eu_tax_management"] is True
    customer(api, "c", billing_entity_code="nl")
    assert codes(api) == ["lago_eu_nl_standard"]


# -- decisions without the registry ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "lago_eu_fr_standard"),
        ({"country": "IT"}, "lago_eu_it_standard"),
        ({"country": "US"}, "lago_eu_tax_exempt"),
        ({"country": "ES", "zipcode": "35 001"}, "lago_eu_es_exception_canary_islands"),
        ({"country": "FR", "zipcode": "97100"}, "lago_eu_fr_standard"),
        (
            {"country": "FR", "zipcode": "97100", "tax_identification_number": "FR40303265045"},
            "lago_eu_fr_exception_guadeloupe",
        ),
        ({"country": "DE", "tax_identification_number": "123"}, "lago_eu_de_standard"),
    ],
)
def test_what_a_new_customer_pays(seller: Api, vies: Vies, fields: dict[str, Any], code: str) -> None:
    asked = len(vies.questions)
    made = customer(seller, **fields)
    seller.at(START)
    assert [tax["code"] for tax in made["taxes"]] == codes(seller) == [code]
    assert len(vies.questions) == asked


def test_named_taxes_come_on_top_and_a_later_decision_replaces_all(seller: Api) -> None:
    seller.post("/taxes", {"tax": {"code": "eco", "name": "Eco", "rate": 1}})
    customer(seller, tax_codes=["eco"])
    assert codes(seller) == ["eco", "lago_eu_fr_standard"]
    customer(seller, name="Renamed")
    assert codes(seller) == ["eco", "lago_eu_fr_standard"]
    customer(seller, country="IT")
    assert codes(seller) == ["lago_eu_it_standard"]
    # not evaluated: what decides is the same
    customer(seller, country="IT", tax_codes=["eco"])
    assert codes(seller) == ["eco"]
    # no tax of the automation: evaluated at the next call
    customer(seller, name="Again")
    assert codes(seller) == ["lago_eu_it_standard"]


def test_customers_from_before_wait_for_their_next_change(api: Api) -> None:
    customer(api)
    manage(api)
    assert codes(api) == []
    customer(api, name="Changed")
    assert codes(api) == ["lago_eu_fr_standard"]
    manage(api, on=False)
    assert codes(api) == ["lago_eu_fr_standard"]


def test_a_move_to_an_issuer_without_management_takes_only_its_taxes(seller: Api) -> None:
    seller.post("/billing_entities", {"billing_entity": {"name": "US", "code": "us", "country": "US"}})
    seller.post("/taxes", {"tax": {"code": "eco", "name": "Eco", "rate": 1}})
    customer(seller, tax_codes=["eco"])
    customer(seller, billing_entity_code="us")
    assert codes(seller) == ["eco"]


async def test_blank_and_ill_formed_numbers_are_told_of(seller: Api, installation: Installation) -> None:
    listen(seller)
    customer(seller, country="IT")
    customer(seller, country="ES", zipcode="35001")
    customer(seller, country="IT", zipcode=None)
    customer(seller, tax_identification_number="IT1")
    seller.at(START)
    assert await checks(installation, seller) == [{"valid": False, "valid_format": False}] * 2


# -- numbers that are checked ------------------------------------------------------------------------------------------


async def test_a_number_that_exists(seller: Api, installation: Installation, vies: Vies) -> None:
    listen(seller)
    made = customer(seller, country="DE", tax_identification_number="de 000.000-100")
    assert made["taxes"] == []
    seller.at(START)
    assert codes(seller) == ["lago_eu_reverse_charge"]
    (check,) = await checks(installation, seller)
    assert check == {
        "country_code": "DE",
        "vat_number": "000000100",
        "request_date": "2026-03-01",
        "name": "ACME SA",
        "address": "1 RUE X\n75001 PARIS",
        "valid": True,
    }
    customer(seller, "home", tax_identification_number="FR00000000100")
    seller.at(START)
    assert codes(seller, "home") == ["lago_eu_fr_standard"]
    assert vies.questions[-1]["path"] == "/rest-api/check-vat-number"


async def test_a_number_that_does_not_exist(seller: Api, installation: Installation) -> None:
    listen(seller)
    seller.post("/taxes", {"tax": {"code": "eco", "name": "Eco", "rate": 1}})
    customer(seller, country="DE", tax_codes=["eco"])
    customer(seller, tax_identification_number="DE000000200")
    assert codes(seller) == ["eco", "lago_eu_de_standard"]
    seller.at(START)
    assert codes(seller) == ["lago_eu_de_standard"]
    assert (await checks(installation, seller))[-1] == {"valid": False, "valid_format": True}


def test_the_seller_is_named_and_the_proof_kept(seller: Api, vies: Vies) -> None:
    seller.put(entity(seller), {"billing_entity": {"tax_identification_number": "FR 40 303 265 045"}})
    customer(seller, country="BE", tax_identification_number="BE0000001100")
    seller.at(START)
    assert vies.questions[-1] == {
        "countryCode": "BE",
        "vatNumber": "0000001100",
        "requesterMemberStateCode": "FR",
        "requesterNumber": "40303265045",
        "path": "/rest-api/check-vat-number",
    }


async def test_a_silent_registry_is_asked_again_on_the_clock(
    seller: Api, installation: Installation, vies: Vies
) -> None:
    listen(seller)
    number = "DE000010301"
    customer(seller, country="DE", tax_identification_number=number)
    asked = []
    for moment in ("00:00", "00:04", "00:05", "00:10", "00:20", "00:40", "01:20", "02:19", "02:20", "03:20"):
        seller.at(f"2025-01-01T{moment}:00Z")
        asked.append(vies.asked(number))
    assert asked == [1, 1, 2, 3, 4, 5, 6, 6, 7, 8]
    assert codes(seller) == []
    assert (await checks(installation, seller))[0] == {"valid": False, "valid_format": True, "error": "MS_UNAVAILABLE"}
    vies.answers[number] = failed("INVALID_INPUT", 400)
    seller.at("2025-01-01T04:20:00Z")
    assert codes(seller) == ["lago_eu_de_standard"]
    assert vies.asked(number) == 9
    seller.at("2025-01-02T00:00:00Z")
    assert vies.asked(number) == 9


def test_another_number_begins_anew_and_none_ends_the_check(seller: Api, vies: Vies) -> None:
    customer(seller, country="DE", tax_identification_number="DE000020300")
    seller.at("2025-01-01T00:11:00Z")
    assert vies.asked("DE000020300") == 3
    customer(seller, tax_identification_number="DE000021300")
    seller.at("2025-01-01T00:12:00Z")
    assert vies.asked("DE000021300") == 1
    seller.at("2025-01-01T00:17:00Z")
    assert (vies.asked("DE000020300"), vies.asked("DE000021300")) == (3, 2)
    customer(seller, tax_identification_number=None)
    assert codes(seller) == ["lago_eu_de_standard"]
    seller.at("2025-01-01T09:00:00Z")
    assert vies.asked("DE000021300") == 2


# -- invoices of a customer whose number is being checked --------------------------------------------------------------


async def test_an_invoice_waits_for_the_answer(seller: Api, installation: Installation, vies: Vies) -> None:
    listen(seller)
    number = "DE000030300"
    seller.put(entity(seller), {"billing_entity": {"net_payment_term": 10}})
    customer(seller, country="DE", tax_identification_number=number)
    coupon(seller)
    apply(seller, external_customer_id="c")
    subscribe(seller)
    seller.at(START)
    (waiting,) = invoices(seller)
    assert (waiting["status"], waiting["payment_status"]) == ("pending", "pending")
    assert waiting["number"].endswith("-DRAFT")
    assert (waiting["coupons_amount_cents"], waiting["taxes_amount_cents"]) == (1000, 0)
    assert (waiting["total_amount_cents"], waiting["applied_taxes"]) == (9000, [])
    assert (waiting["issuing_date"], waiting["payment_due_date"]) == ("2025-01-01", "2025-01-11")
    seller.post(f"/invoices/{waiting['lago_id']}/void", None, 405)
    assert not [body for body in await messages(installation, seller) if body["webhook_type"].startswith("invoice.")]

    vies.answers[number] = (200, b'{"valid": false}')
    seller.at("2025-01-01T12:00:00Z")
    (issued,) = invoices(seller)
    assert issued["status"] == "finalized"
    assert issued["number"].endswith("-001-001")
    assert (issued["issuing_date"], issued["payment_due_date"]) == ("2025-01-01", "2025-01-11")
    assert (issued["coupons_amount_cents"], issued["taxes_amount_cents"]) == (1000, 1710)
    assert (issued["sub_total_including_taxes_amount_cents"], issued["total_amount_cents"]) == (10710, 10710)
    assert [(row["tax_code"], row["amount_cents"]) for row in issued["applied_taxes"]] == [
        ("lago_eu_de_standard", 1710)
    ]
    (fee,) = issued["fees"]
    assert (fee["taxes_amount_cents"], fee["taxes_rate"]) == (1710, 19)
    shown = seller.get(f"/fees/{fee['lago_id']}")["fee"]["applied_taxes"]
    assert [row["tax_code"] for row in shown] == ["lago_eu_de_standard"]
    told = [body["webhook_type"] for body in await messages(installation, seller)]
    assert told[-3:] == ["customer.vies_check", "invoice.created", "invoice.generated"]
    seller.at("2025-01-13T00:00:00Z")
    assert invoices(seller)[0]["payment_overdue"] is True


def test_it_is_issued_on_the_day_of_the_answer(seller: Api, vies: Vies) -> None:
    number = "IT00000040300"
    customer(seller, country="IT", tax_identification_number=number, net_payment_term=5)
    subscribe(seller)
    seller.at(START)
    (waiting,) = invoices(seller)
    assert waiting["status"] == "pending"
    vies.answers[number] = (503, b"<html>busy</html>")
    seller.at("2025-01-04T00:30:00Z")
    customer(seller, tax_identification_number="IT00000041100")
    seller.at("2025-01-04T00:30:00Z")
    (issued,) = invoices(seller)
    assert (issued["issuing_date"], issued["payment_due_date"]) == ("2025-01-04", "2025-01-09")
    assert [(row["tax_code"], row["tax_rate"]) for row in issued["applied_taxes"]] == [("lago_eu_reverse_charge", 0)]
    assert issued["total_amount_cents"] == 10000


def test_a_payment_that_failed_before_the_answer_is_remembered(seller: Api) -> None:
    customer(seller, country="IT", tax_identification_number="IT00000041100")
    subscribe(seller)
    (waiting,) = invoices(seller)
    assert waiting["status"] == "pending"
    seller.put(f"/invoices/{waiting['lago_id']}", {"invoice": {"payment_status": "failed"}})
    seller.at("2025-01-04T00:30:00Z")
    (issued,) = invoices(seller)
    assert (issued["status"], issued["payment_status"], issued["payment_overdue"]) == ("finalized", "failed", True)


def test_a_charge_keeps_its_own_tax_beside_the_customers(seller: Api, vies: Vies) -> None:
    seller.post("/taxes", {"tax": {"code": "own", "name": "Own", "rate": 50}})
    calls = metric(seller)
    priced = charge(calls, properties={"amount": "1"}, tax_codes=["own"])
    plan(seller, "usage", amount_cents=10000, charges=[priced])
    customer(seller, country="DE")
    subscribe(seller, "usage")
    event = {"transaction_id": "t", "external_subscription_id": "s", "code": "m"}
    seller.post("/events", {"event": event})
    seller.at("2025-01-31T23:50:00Z")
    customer(seller, tax_identification_number="DE000050300")
    seller.at("2025-02-01T00:00:00Z")
    assert invoices(seller)[-1]["status"] == "pending"
    customer(seller, tax_identification_number=None)
    (issued,) = invoices(seller)
    assert issued["status"] == "finalized"
    rows = sorted((row["tax_code"], row["fees_amount_cents"], row["amount_cents"]) for row in issued["applied_taxes"])
    assert rows == [("lago_eu_de_standard", 10000, 1900), ("own", 100, 50)]


async def test_a_draft_stays_one_and_cannot_be_issued_by_hand(seller: Api, installation: Installation) -> None:
    listen(seller)
    terms = {"invoice_grace_period": 3}
    number = "DE000060300"
    customer(seller, country="DE", tax_identification_number=number, billing_configuration=terms)
    subscribe(seller)
    seller.at(START)
    (draft,) = invoices(seller)
    assert (draft["status"], draft["taxes_amount_cents"]) == ("draft", 0)
    told = [body["webhook_type"] for body in await messages(installation, seller)]
    assert ("invoice.drafted" in told, "invoice.ready_to_finalize" in told) == (True, False)
    refusal = seller.put(f"/invoices/{draft['lago_id']}/finalize", None, 403)
    assert refusal["code"] == "cannot_finalize_with_pending_taxes"
    customer(seller, tax_identification_number=None)
    seller.at("2025-01-01T00:05:00Z")
    (draft,) = invoices(seller)
    assert (draft["status"], draft["taxes_amount_cents"]) == ("draft", 1900)
    told = [body["webhook_type"] for body in await messages(installation, seller)]
    assert told.count("invoice.ready_to_finalize") == 1
    seller.at("2025-01-04T00:00:00Z")
    assert invoices(seller)[0]["status"] == "finalized"


def test_a_draft_whose_grace_ends_waits_too(seller: Api) -> None:
    terms = {"invoice_grace_period": 3}
    customer(seller, country="DE", tax_identification_number="DE000070300", billing_configuration=terms)
    subscribe(seller)
    seller.at("2025-01-04T00:00:00Z")
    (waiting,) = invoices(seller)
    assert waiting["status"] == "pending"
    manage(seller, on=False)
    (issued,) = invoices(seller)
    assert (issued["status"], issued["taxes_amount_cents"], issued["issuing_date"]) == ("finalized", 0, "2025-01-04")


def test_an_end_waits_for_the_taxes_of_what_was_paid_in_advance(seller: Api) -> None:
    customer(seller, country="DE")
    subscribe(seller, ending_at="2025-01-10T00:00:00Z")
    seller.at("2025-01-09T23:50:00Z")
    customer(seller, tax_identification_number="DE000091300")
    plan(seller, "more", amount_cents=20000, pay_in_advance=True)
    subscribe(seller, "more")
    seller.delete("/subscriptions/s", 405)
    seller.at("2025-01-10T01:30:00Z")
    assert seller.get("/subscriptions/s")["subscription"]["status"] == "active"
    customer(seller, tax_identification_number=None)
    seller.at("2025-01-10T02:00:00Z")
    assert seller.get("/subscriptions/s?status=terminated")["subscription"]["terminated_at"] == "2025-01-10T02:00:00Z"


def test_a_deleted_customer_is_not_checked_any_more(seller: Api, vies: Vies) -> None:
    number = "DE000095300"
    customer(seller, country="DE", tax_identification_number=number)
    subscribe(seller)
    seller.at(START)
    (waiting,) = invoices(seller)
    seller.delete("/customers/c")
    assert seller.get(f"/invoices/{waiting['lago_id']}")["invoice"]["status"] == "finalized"
    seller.at("2025-01-01T06:00:00Z")
    assert vies.asked(number) == 1


async def test_a_one_off_waits_and_keeps_the_taxes_named_for_it(seller: Api, installation: Installation) -> None:
    listen(seller)
    seller.post("/taxes", {"tax": {"code": "own", "name": "Own", "rate": 50}})
    for code in ("a", "b"):
        add_on(seller, code, 1000)
    customer(seller, country="DE", tax_identification_number="DE000080300")
    fees: list[dict[str, Any]] = [{"add_on_code": "a", "tax_codes": ["own"]}, {"add_on_code": "b"}]
    made = bill_once(seller, fees)
    assert made["status"] == "pending"
    customer(seller, tax_identification_number=None)
    (issued,) = invoices(seller)
    assert (issued["status"], issued["taxes_amount_cents"]) == ("finalized", 500 + 190)
    seller.at(START)
    told = [body["webhook_type"] for body in await messages(installation, seller)]
    assert told.count("invoice.one_off_created") == 1


async def test_charges_in_advance_are_told_of_when_they_are_issued(seller: Api, installation: Installation) -> None:
    listen(seller)
    priced = charge(metric(seller), properties={"amount": "2"}, pay_in_advance=True)
    plan(seller, "usage", amount_cents=0, charges=[priced])
    customer(seller, country="DE", tax_identification_number="DE000092300")
    subscribe(seller, "usage")
    event = {"transaction_id": "t", "external_subscription_id": "s", "code": "m"}
    seller.post("/events", {"event": event})
    seller.at(START)
    (waiting,) = invoices(seller)
    assert (waiting["status"], waiting["total_amount_cents"]) == ("pending", 200)
    assert not await messages(installation, seller, "fee.created", "invoice.created")
    customer(seller, tax_identification_number=None)
    seller.at(START)
    (issued,) = invoices(seller)
    assert (issued["status"], issued["taxes_amount_cents"]) == ("finalized", 38)
    told = await messages(installation, seller, "fee.created", "invoice.created")
    assert [body["webhook_type"] for body in told] == ["fee.created", "invoice.created"]
    assert told[0]["fee"]["taxes_amount_cents"] == 38


def test_credit_notes_pay_once_the_taxes_are_known(seller: Api) -> None:
    add_on(seller, "a", 1000)
    customer(seller, country="US")
    other = bill_once(seller, [{"add_on_code": "a"}])
    items = [{"fee_id": other["fees"][0]["lago_id"], "amount_cents": 1000}]
    note = {"invoice_id": other["lago_id"], "reason": "other", "credit_amount_cents": 1000, "items": items}
    seller.post("/credit_notes", {"credit_note": note})
    customer(seller, country="DE", tax_identification_number="DE000093300")
    subscribe(seller)
    seller.at(START)
    waiting = next(row for row in invoices(seller) if row["status"] == "pending")
    assert waiting["credit_notes_amount_cents"] == 0
    customer(seller, tax_identification_number=None)
    issued = invoices(seller)[-1]
    assert (issued["status"], issued["credit_notes_amount_cents"]) == ("finalized", 1000)
    assert issued["total_amount_cents"] == 11900 - 1000
    (row,) = seller.get("/credit_notes")["credit_notes"]
    assert (row["credit_status"], row["balance_amount_cents"]) == ("consumed", 0)


def test_progressive_invoices_that_wait_count_as_billed(seller: Api, vies: Vies) -> None:
    sums = metric(seller, "n", "sum_agg", field_name="n")
    priced = charge(sums, properties={"amount": "1"})
    plan(seller, "usage", amount_cents=0, charges=[priced], usage_thresholds=[{"amount_cents": 1000}])
    customer(seller, country="DE")
    subscribe(seller, "usage")
    seller.at("2025-01-31T23:50:00Z")
    customer(seller, tax_identification_number="DE000094300")
    event = {"transaction_id": "t", "external_subscription_id": "s", "code": "n", "properties": {"n": "15"}}
    seller.post("/events", {"event": event})
    seller.at("2025-01-31T23:50:00Z")
    seller.at("2025-02-01T00:00:00Z")
    progressive, final = sorted(invoices(seller), key=lambda row: row["created_at"])
    assert (progressive["invoice_type"], progressive["status"]) == ("progressive_billing", "pending")
    assert final["progressive_billing_credit_amount_cents"] == 1500
    customer(seller, tax_identification_number=None)
    progressive, final = sorted(invoices(seller), key=lambda row: row["created_at"])
    assert (progressive["status"], progressive["total_amount_cents"]) == ("finalized", 1785)
    assert (final["status"], final["total_amount_cents"]) == ("finalized", 0)
