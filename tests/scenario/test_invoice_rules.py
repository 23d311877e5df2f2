"""Rules of invoices that several settings meet in: numbers of issuers, grace at three levels, nothing to pay."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.billing import add_on, bill_once, drafted, invoices, one_invoice
from tests.support.catalog import charge, metric, plan
from tests.support.subscriptions import customer, due, listen, subscribe, told
from tests.support.usage_shop import event


def entity(api: Api, code: str, **more: Any) -> dict[str, Any]:
    body = {"code": code, "name": code, **more}
    made: dict[str, Any] = api.post("/billing_entities", {"billing_entity": body})["billing_entity"]
    return made


def own_entity(api: Api, **fields: Any) -> dict[str, Any]:
    """The default billing entity after a change."""
    code = api.get("/billing_entities")["billing_entities"][0]["code"]
    made: dict[str, Any] = api.put(f"/billing_entities/{code}", {"billing_entity": fields})["billing_entity"]
    return made


# -- numbers (§5) -----------------------------------------------------------------------------------


@pytest.mark.parametrize("numbering", ["per_customer", "per_billing_entity"])
def test_issuers_that_share_a_prefix(api: Api, numbering: str) -> None:
    api.at("2025-06-01T00:00:00Z")
    for code in ("one", "two"):
        entity(api, code, document_number_prefix="ACME", document_numbering=numbering)
    customer(api, currency="EUR")
    add_on(api)
    made = [bill_once(api, billing_entity_code=code) for code in ("one", "two", "one")]
    first, second = (
        ("ACME-001-001", "ACME-001-002") if numbering == "per_customer" else ("ACME-202506-001", "ACME-202506-002")
    )
    assert [row["number"] for row in made] == [first, first, second]
    assert [row["sequential_id"] for row in made] == [1, 1, 2]


def test_partners_have_numbers_of_their_own(api: Api) -> None:
    api.at("2025-06-01T00:00:00Z")
    own_entity(api, document_number_prefix="ACME", document_numbering="per_billing_entity")
    customer(api, "p", currency="EUR", account_type="partner")
    customer(api, "c", currency="EUR")
    add_on(api)
    numbers = [bill_once(api, of=of)["number"] for of in ("c", "p", "c", "p")]
    assert numbers == ["ACME-202506-001", "ACME-001-001", "ACME-202506-002", "ACME-001-002"]


def test_the_month_is_the_issuers(api: Api) -> None:
    own_entity(api, document_number_prefix="ACME", document_numbering="per_billing_entity", timezone="Asia/Tokyo")
    customer(api, currency="EUR", timezone="America/New_York")
    add_on(api)
    api.at("2025-06-30T20:00:00Z")
    made = bill_once(api)
    assert (made["number"], made["issuing_date"]) == ("ACME-202507-001", "2025-06-30")


def test_what_is_not_issued_takes_no_number(api: Api) -> None:
    plan(api, amount_cents=1000)
    draft = drafted(api)
    assert (draft["number"][-6:], draft["sequential_id"]) == ("-DRAFT", None)
    api.delete(f"/invoices/{draft['lago_id']}")
    api.at("2025-08-04T00:00:00Z")
    assert [row["sequential_id"] for row in invoices(api)] == [1]


# -- grace at three levels (§4.1, §4.4) -----------------------------------------------------------------


def test_the_issuers_grace_counts_without_an_own_one(api: Api) -> None:
    plan(api, amount_cents=1000)
    own_entity(api, billing_configuration={"invoice_grace_period": 5}, net_payment_term=10)
    draft = drafted(api, billing_configuration={})
    assert (draft["issuing_date"], draft["payment_due_date"]) == ("2025-07-06", "2025-07-16")
    own_entity(api, billing_configuration={"invoice_grace_period": 2}, net_payment_term=20)
    moved = one_invoice(api)
    assert (moved["issuing_date"], moved["payment_due_date"]) == ("2025-07-03", "2025-07-23")
    api.put("/organizations", {"organization": {"billing_configuration": {"invoice_grace_period": 0}}})
    final = one_invoice(api)
    assert (final["status"], final["issuing_date"], final["payment_due_date"]) == (
        "finalized",
        "2025-07-01",
        "2025-07-21",
    )


def test_an_own_grace_of_nothing_wins(api: Api) -> None:
    plan(api, amount_cents=1000)
    own_entity(api, billing_configuration={"invoice_grace_period": 5}, net_payment_term=10)
    made = drafted(api, billing_configuration={"invoice_grace_period": 0}, net_payment_term=0)
    assert (made["status"], made["payment_due_date"]) == ("finalized", "2025-07-01")
    own_entity(api, billing_configuration={"invoice_grace_period": 9})
    assert one_invoice(api)["issuing_date"] == "2025-07-01"


@pytest.mark.parametrize(
    ("anchor", "adjustment", "issued_on"),
    [
        ("current_period_end", "align_with_finalization_date", "2025-07-04"),
        ("current_period_end", "keep_anchor", "2025-06-30"),
        ("next_period_start", "keep_anchor", "2025-07-01"),
    ],
)
def test_the_issuers_anchor_moves_drafts(api: Api, anchor: str, adjustment: str, issued_on: str) -> None:
    plan(api, amount_cents=1000)
    assert drafted(api)["issuing_date"] == "2025-07-04"
    own_entity(
        api,
        billing_configuration={
            "subscription_invoice_issuing_date_anchor": anchor,
            "subscription_invoice_issuing_date_adjustment": adjustment,
        },
    )
    assert one_invoice(api)["issuing_date"] == issued_on
    api.at("2025-07-04T00:00:00Z")
    assert (one_invoice(api)["status"], one_invoice(api)["issuing_date"]) == ("finalized", issued_on)


# -- nothing to pay (§8) --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of_entity", "of_customer", "issued"),
    [
        (True, "inherit", True),
        (False, "inherit", False),
        (False, "finalize", True),
        (True, "skip", False),
    ],
)
async def test_an_invoice_over_nothing(
    api: Api, installation: Installation, of_entity: bool, of_customer: str, issued: bool
) -> None:
    own_entity(api, finalize_zero_amount_invoice=of_entity)
    api.at("2025-06-01T00:00:00Z")
    customer(api, finalize_zero_amount_invoice=of_customer)
    plan(api, amount_cents=0)
    subscribe(api)
    listen(api)
    api.at("2025-07-01T12:00:00Z")
    found = invoices(api)
    assert [(row["status"], row["payment_status"]) for row in found] == ([("finalized", "succeeded")] if issued else [])
    api.at("2025-08-01T12:00:00Z")
    assert len(invoices(api)) == (2 if issued else 0)


def test_a_draft_over_nothing_is_closed_in_the_end(api: Api) -> None:
    plan(api, amount_cents=0)
    draft = drafted(api, finalize_zero_amount_invoice="skip")
    assert draft["status"] == "draft"
    api.at("2025-07-05T00:00:00Z")
    assert invoices(api) == []
    api.get(f"/invoices/{draft['lago_id']}", 404)
    api.at("2025-08-06T00:00:00Z")
    assert invoices(api) == []


def test_events_that_cost_nothing(api: Api) -> None:
    api.at("2025-06-01T00:00:00Z")
    customer(api, finalize_zero_amount_invoice="skip")
    calls = metric(api, "calls", "sum_agg", field_name="n")
    plan(api, amount_cents=0, charges=[charge(calls, properties={"amount": "1"}, pay_in_advance=True)])
    subscribe(api)
    event(api, "calls", n=0)
    api.at("2025-06-02T00:00:00Z")
    assert invoices(api) == []
    event(api, "calls", n=2)
    api.at("2025-06-03T00:00:00Z")
    assert [row["total_amount_cents"] for row in invoices(api)] == [200]


# -- paid, disputed, late (§17) -------------------------------------------------------------------------


async def test_what_happens_to_an_unpaid_invoice(api: Api, installation: Installation) -> None:
    api.at("2025-06-01T00:00:00Z")
    customer(api, currency="EUR", net_payment_term=5)
    add_on(api)
    made = bill_once(api)
    path = f"/invoices/{made['lago_id']}"
    assert await due(installation, made) == {"overdue_invoice": "2025-06-07T00:00:00Z"}
    assert not api.at("2025-06-06T23:59:59Z").get(path)["invoice"]["payment_overdue"]
    assert api.at("2025-06-07T00:00:00Z").get(path)["invoice"]["payment_overdue"]
    paid = api.put(path, {"invoice": {"payment_status": "succeeded"}})["invoice"]
    assert (paid["payment_overdue"], paid["total_paid_amount_cents"], paid["total_due_amount_cents"]) == (
        False,
        0,
        15000,
    )
    assert {fee["payment_status"] for fee in paid["fees"]} == {"succeeded"}
    api.put(path, {"invoice": {"payment_status": "failed"}})
    assert api.at("2025-06-08T00:00:00Z").get(path)["invoice"]["payment_overdue"]
    lost = api.post(f"{path}/lose_dispute")["invoice"]
    assert (lost["payment_overdue"], lost["payment_dispute_lost_at"]) == (False, "2025-06-08T00:00:00.000Z")
    again = api.at("2025-06-20T00:00:00Z").post(f"{path}/lose_dispute")["invoice"]
    assert (again["payment_dispute_lost_at"], again["payment_overdue"]) == ("2025-06-08T00:00:00.000Z", False)
    voided = api.post(f"{path}/void")["invoice"]
    assert (voided["status"], voided["total_due_amount_cents"], voided["total_amount_cents"]) == ("voided", 0, 15000)
    assert api.put(path, {"invoice": {"metadata": []}}, 405)["code"] == "update_on_voided_invoice"


async def test_paying_is_told_once(api: Api, installation: Installation) -> None:
    api.at("2025-06-01T00:00:00Z")
    customer(api, currency="EUR")
    add_on(api)
    made = bill_once(api)
    listen(api)
    for status in ("pending", "succeeded", "succeeded"):
        api.put(f"/invoices/{made['lago_id']}", {"invoice": {"payment_status": status}})
    assert await told(installation, api) == [("invoice.payment_status_updated", made["lago_id"])]
