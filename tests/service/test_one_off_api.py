"""One-off invoices over HTTP (invoicing.md §11)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text

from tallystick.ground.installation import Installation
from tallystick.ground.tables import Fee
from tests.support.api import Api
from tests.support.billing import add_on, bill_once, invoices
from tests.support.subscriptions import customer, listen, told


@pytest.fixture
def shop(api: Api) -> Api:
    """An organization on the 5th of June with a customer and an add-on."""
    api.at("2025-06-05T10:00:00Z")
    customer(api, name="Acme", net_payment_term=15)
    add_on(api, description="Installation", invoice_display_name="Setting up")
    return api


def tax(api: Api, code: str, rate: str, applied: bool = False) -> None:
    api.post("/taxes", {"tax": {"name": code, "code": code, "rate": rate, "applied_to_organization": applied}})


def test_an_invoice_is_issued_at_once(shop: Api) -> None:
    made = bill_once(shop)
    assert (made["invoice_type"], made["status"], made["payment_status"]) == ("one_off", "finalized", "pending")
    assert (made["issuing_date"], made["payment_due_date"], made["net_payment_term"]) == (
        "2025-06-05",
        "2025-06-20",
        15,
    )
    assert (made["fees_amount_cents"], made["total_amount_cents"], made["sequential_id"]) == (15000, 15000, 1)
    assert made["number"].endswith("-001-001")
    assert (made["subscriptions"], made["billing_periods"], made["credits"]) == ([], [], [])
    assert made["created_at"] == "2025-06-05T10:00:00Z"


def test_a_fee_in_full(shop: Api) -> None:
    (fee,) = bill_once(shop)["fees"]
    assert fee["item"] == {
        "type": "add_on",
        "code": "setup",
        "name": "setup",
        "description": "Installation",
        "invoice_display_name": "Setting up",
        "filters": None,
        "filter_invoice_display_name": None,
        "lago_item_id": shop.get("/add_ons/setup")["add_on"]["lago_id"],
        "item_type": "AddOn",
        "grouped_by": {},
    }
    assert (fee["units"], fee["amount_cents"], fee["precise_unit_amount"]) == ("1.0", 15000, "150.0")
    assert (fee["description"], fee["lago_customer_id"], fee["external_subscription_id"]) == (
        "Installation",
        None,
        None,
    )
    assert (fee["from_date"], fee["to_date"]) == ("2025-06-05T10:00:00+00:00", "2025-06-05T10:00:00+00:00")
    listed = shop.get("/fees", fee_type="add_on", external_customer_id="c")["fees"]
    assert [row["lago_id"] for row in listed] == [fee["lago_id"]]


def test_what_a_line_may_say_of_its_own(shop: Api) -> None:
    (fee,) = bill_once(
        shop,
        [
            {
                "add_on_code": "setup",
                "units": "2.5",
                "unit_amount_cents": 1999,
                "invoice_display_name": "Hours",
                "description": "In June",
                "from_datetime": "2025-06-01T00:00:00Z",
                "to_datetime": "2025-06-30T23:59:59Z",
            }
        ],
    )["fees"]
    assert (fee["amount_cents"], fee["precise_amount"], fee["units"]) == (4998, "49.975", "2.5")
    assert (fee["item"]["invoice_display_name"], fee["description"]) == ("Hours", "In June")
    assert (fee["from_date"], fee["to_date"]) == ("2025-06-01T00:00:00+00:00", "2025-06-30T23:59:59+00:00")


def test_which_taxes_win(shop: Api) -> None:
    """Explicit codes, else the add-on's, else the customer's, else the billing entity's (§7.1)."""
    for code, rate in (("explicit", "1"), ("own", "2"), ("customer", "4")):
        tax(shop, code, rate)
    tax(shop, "entity", "8", applied=True)
    lines: list[dict[str, Any]] = [
        {"add_on_code": "setup", "tax_codes": ["explicit"]},
        {"add_on_code": "taxed"},
        {"add_on_code": "setup"},
    ]
    add_on(shop, "taxed", 1000, tax_codes=["own"])
    assert [fee["taxes_rate"] for fee in bill_once(shop, lines)["fees"]] == [1.0, 2.0, 8.0]
    shop.post("/customers", {"customer": {"external_id": "c", "tax_codes": ["customer"]}})
    made = bill_once(shop, lines)
    assert [fee["taxes_rate"] for fee in made["fees"]] == [1.0, 2.0, 4.0]
    assert made["taxes_amount_cents"] == 150 + 20 + 600
    assert {row["tax_code"]: row["amount_cents"] for row in made["applied_taxes"]} == {
        "explicit": 150,
        "own": 20,
        "customer": 600,
    }


def test_grace_and_issuing_rules_are_for_subscriptions(shop: Api) -> None:
    settings = {"invoice_grace_period": 5, "subscription_invoice_issuing_date_anchor": "current_period_end"}
    shop.post("/customers", {"customer": {"external_id": "c", "billing_configuration": settings}})
    made = bill_once(shop)
    assert (made["status"], made["issuing_date"]) == ("finalized", "2025-06-05")


def test_the_issuing_date_is_the_customers(shop: Api) -> None:
    customer(shop, "ny", timezone="America/New_York")
    shop.at("2025-06-06T03:00:00Z")
    assert bill_once(shop, of="ny")["issuing_date"] == "2025-06-05"


def test_the_currency_is_the_requests_else_the_customers(shop: Api) -> None:
    made = bill_once(shop, currency="usd")
    assert (made["currency"], made["fees"][0]["amount_currency"]) == ("USD", "USD")
    assert shop.get("/customers/c")["customer"]["currency"] == "USD"
    assert bill_once(shop, currency=None)["currency"] == "USD"
    assert bill_once(shop, currency="EUR")["currency"] == "EUR"
    assert shop.get("/customers/c")["customer"]["currency"] == "USD"
    assert bill_once(shop, currency="XXY", status=422)["error_details"] == {"currency": ["value_is_invalid"]}
    customer(shop, "poor")
    assert bill_once(shop, currency=None, of="poor", status=422)["error_details"] == {
        "currency": ["value_is_mandatory"]
    }


def test_another_billing_entity_can_issue(shop: Api) -> None:
    shop.post("/billing_entities", {"billing_entity": {"name": "Branch", "code": "branch"}})
    made = bill_once(shop, billing_entity_code="branch", purchase_order_number=" PO-7 ")
    assert (made["billing_entity_code"], made["purchase_order_number"]) == ("branch", "PO-7")


async def test_a_zero_invoice_follows_the_customers_wish(shop: Api, installation: Installation) -> None:
    listen(shop)
    free = [{"add_on_code": "setup", "units": 0}]
    made = bill_once(shop, free)
    assert (made["status"], made["payment_status"], made["total_amount_cents"]) == ("finalized", "succeeded", 0)
    shop.post("/customers", {"customer": {"external_id": "c", "finalize_zero_amount_invoice": "skip"}})
    closed = bill_once(shop, free)
    assert (closed["status"], closed["sequential_id"]) == ("closed", None)
    assert shop.get(f"/invoices/{closed['lago_id']}", 404)["code"] == "invoice_not_found"
    assert bill_once(shop)["sequential_id"] == 2
    assert [kind for kind, _ in await told(installation, shop)].count("invoice.one_off_created") == 2


async def test_one_message_tells_of_it(shop: Api, installation: Installation) -> None:
    listen(shop)
    made = bill_once(shop)
    assert await told(installation, shop) == [("invoice.one_off_created", made["lago_id"])]


async def test_how_an_amount_came_to_be_is_kept(shop: Api, installation: Installation) -> None:
    made = bill_once(shop, [{"add_on_code": "setup", "units": 3, "unit_amount_cents": 1250}])
    async with installation.database.begin() as tx:
        fee = (await tx.scalars(select(Fee).where(Fee.invoice_id == made["lago_id"]))).one()
        skipped = await tx.scalar(
            text("select skip_automatic_payment from invoices where id = cast(:id as uuid)"),
            {"id": bill_once(shop, skip_psp=True)["lago_id"]},
        )
    assert fee.trace["units"] == "3.0"
    assert fee.trace["rounding"]["cents"] == 3750
    assert skipped is True


@pytest.mark.parametrize(
    ("lines", "more", "status", "problem"),
    [
        ([{"add_on_code": "setup"}], {"external_customer_id": "nobody"}, 404, "customer_not_found"),
        ([{"add_on_code": "setup"}], {"fees": []}, 404, "fees_not_found"),
        ([{"add_on_code": "setup"}, {"add_on_code": "nope"}], {}, 404, "add_on_not_found"),
        ([{"units": 2}], {}, 404, "add_on_not_found"),
        ([{"add_on_code": "setup"}], {"billing_entity_code": "nope"}, 404, "billing_entity_not_found"),
        ([{"add_on_code": "setup", "tax_codes": ["nope"]}], {}, 404, "tax_not_found"),
        (
            [{"add_on_code": "setup"}],
            {"payment_method": {"payment_method_type": "barter"}},
            422,
            {"payment_method": ["invalid_payment_method"]},
        ),
        (
            [{"add_on_code": "setup"}],
            {"payment_method": {"payment_method_id": "8d0b1b1e-0000-4000-8000-000000000000"}},
            422,
            {"payment_method": ["invalid_payment_method"]},
        ),
        ([{"add_on_code": "setup", "units": -1}], {}, 422, {"units": ["value_is_out_of_range"]}),
        ([{"add_on_code": "setup", "units": "10000000000000000"}], {}, 422, {"units": ["value_is_out_of_range"]}),
        (
            [{"add_on_code": "setup", "unit_amount_cents": -5}],
            {},
            422,
            {"unit_amount_cents": ["value_is_out_of_range"]},
        ),
        *(
            ([{"add_on_code": "setup", **period}], {}, 422, {"boundaries": ["values_are_invalid"]})
            for period in (
                {"from_datetime": "2025-06-01T00:00:00Z"},
                {"to_datetime": "2025-06-01T00:00:00Z"},
                {"from_datetime": "2025-06-02T00:00:00Z", "to_datetime": "2025-06-01T00:00:00Z"},
                {"from_datetime": "soon", "to_datetime": "2025-06-01T00:00:00Z"},
                {"from_datetime": "soon", "to_datetime": "later"},
            )
        ),
    ],
)
def test_refused_invoices(
    shop: Api, lines: list[dict[str, Any]], more: dict[str, Any], status: int, problem: str | dict[str, list[str]]
) -> None:
    answer = bill_once(shop, lines, status=status, **more)
    assert (answer["code"] if status == 404 else answer["error_details"]) == problem
    assert invoices(shop) == []
