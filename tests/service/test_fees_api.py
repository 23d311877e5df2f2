"""Fees over HTTP: what they show, the list and its filters, payment and deletion without invoice (invoicing.md §12)."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from tallystick.flows.wire.fees import fees_of_messages
from tallystick.ground.installation import Installation
from tallystick.ground.tables import Fee
from tests.support.api import Api
from tests.support.invoices import BILLED_AT, Books


@pytest_asyncio.fixture
async def books(installation: Installation, api: Api) -> Books:
    return await Books.of(installation.database, api)


def shown(api: Api, fee: Fee) -> dict[str, Any]:
    body: dict[str, Any] = api.get(f"/fees/{fee.id}")["fee"]
    return body


def listed(api: Api, **filters: Any) -> list[str]:
    return [row["lago_id"] for row in api.get("/fees", **filters)["fees"]]


FIELDS = [
    "lago_id",
    "lago_charge_id",
    "lago_charge_filter_id",
    "lago_fixed_charge_id",
    "lago_invoice_id",
    "lago_true_up_fee_id",
    "lago_true_up_parent_fee_id",
    "lago_original_fee_id",
    "lago_subscription_id",
    "external_subscription_id",
    "lago_customer_id",
    "external_customer_id",
    "item",
    "pay_in_advance",
    "invoiceable",
    "amount_cents",
    "amount_currency",
    "precise_amount",
    "precise_total_amount",
    "taxes_amount_cents",
    "taxes_precise_amount",
    "taxes_rate",
    "total_aggregated_units",
    "total_amount_cents",
    "total_amount_currency",
    "units",
    "description",
    "precise_unit_amount",
    "precise_coupons_amount_cents",
    "sub_total_excluding_taxes_amount_cents",
    "sub_total_excluding_taxes_precise_amount_cents",
    "events_count",
    "payment_status",
    "created_at",
    "succeeded_at",
    "failed_at",
    "refunded_at",
    "amount_details",
    "self_billed",
    "pricing_unit_details",
    "presentation_breakdowns",
]


async def test_a_plan_fee(books: Books, api: Api) -> None:
    await books.invoice([fee := books.fee(2100, amount_details={"plan_amount_cents": 3100})])
    body = shown(api, fee)
    assert list(body) == [*FIELDS, "from_date", "to_date", "applied_taxes"]
    assert body["item"] == {
        "type": "subscription",
        "code": "acme-basic",
        "name": "Basic",
        "description": None,
        "invoice_display_name": "Basic plan",
        "filters": None,
        "filter_invoice_display_name": None,
        "lago_item_id": str(books.subscription_id),
        "item_type": "Subscription",
        "grouped_by": {},
    }
    assert (body["from_date"], body["to_date"]) == ("2025-05-11T00:00:00+00:00", "2025-05-31T23:59:59+00:00")
    assert (body["units"], body["events_count"], body["total_aggregated_units"]) == ("1.0", None, None)
    assert body["amount_details"] == {"plan_amount_cents": 3100}
    assert (body["external_subscription_id"], body["external_customer_id"]) == ("acme-sub", "acme")
    assert (body["lago_customer_id"], body["invoiceable"]) == (str(books.customer_id), True)


async def test_amounts_are_shown_in_the_units_of_the_contract(books: Books, api: Api) -> None:
    own = {
        "precise_amount_cents": Decimal("1234.5678"),
        "taxes_amount_cents": 222,
        "taxes_precise_amount_cents": Decimal("222.222204"),
        "taxes_rate": Decimal("20"),
        "precise_coupons_amount_cents": Decimal("123.5"),
        "precise_unit_amount": Decimal("3.0864195"),
        "units": Decimal("4.0"),
    }
    await books.invoice([fee := books.usage(1235, **own)])
    body = shown(api, fee)
    assert body["precise_amount"] == "12.345678"
    assert body["precise_total_amount"] == "14.56790004"
    assert body["taxes_precise_amount"] == "2.22222204"
    assert body["taxes_rate"] == 20.0
    assert (body["amount_cents"], body["taxes_amount_cents"], body["total_amount_cents"]) == (1235, 222, 1457)
    assert body["precise_coupons_amount_cents"] == "123.5"
    assert body["sub_total_excluding_taxes_amount_cents"] == 1112  # 1111.5, half away from zero
    assert body["sub_total_excluding_taxes_precise_amount_cents"] == "1111.0678"
    assert (body["units"], body["precise_unit_amount"]) == ("4.0", "3.0864195")


@pytest.mark.parametrize(("currency", "precise"), [("JPY", "1234.5"), ("KWD", "1.2345"), ("EUR", "12.345")])
async def test_currencies_have_their_own_subunits(books: Books, api: Api, currency: str, precise: str) -> None:
    own = {"precise_amount_cents": Decimal("1234.5"), "currency": currency}
    await books.invoice([fee := books.usage(1235, **own)], currency=currency)
    assert shown(api, fee)["precise_amount"] == precise


async def test_a_usage_fee_names_filter_and_groups_even_of_what_was_deleted(books: Books, api: Api) -> None:
    groups = {"region": "eu", "team": None}
    await books.invoice([fee := books.usage(100, charge_filter_id=books.filter_id, grouped_by=groups)])
    async with books.database.begin() as tx:
        for table in ("billable_metrics", "charges", "charge_filters", "plans"):
            await tx.execute(
                text(f"update {table} set deleted_at = now() where organization_id = :organization"),
                {"organization": books.organization_id},
            )
    item = shown(api, fee)["item"]
    assert (item["code"], item["name"], item["item_type"]) == ("acme-calls", "Calls", "BillableMetric")
    assert (item["invoice_display_name"], item["description"]) == ("Calls", "d")
    assert item["lago_item_id"] == str(books.metric_id)
    assert item["filters"] == {"region": ["us", "eu"], "tier": ["__ALL_FILTER_VALUES__"]}
    assert item["filter_invoice_display_name"] == "tier, us, eu"
    assert item["grouped_by"] == {"region": "eu", "team": ""}


async def test_messages_keep_the_nulls_that_rest_spells_as_empty_text(books: Books) -> None:
    breakdown = [{"presentation_by": {"team": None}, "units": "2.0", "displayed": ["team"]}]
    await books.invoice([fee := books.usage(1, grouped_by={"team": None}, presentation_breakdowns=breakdown)])
    async with books.database.begin() as tx:
        body = (await fees_of_messages(tx, {fee.id: BILLED_AT}))[fee.id]
    assert body["item"]["grouped_by"] == {"team": None}
    assert body["presentation_breakdowns"] == [{"presentation_by": {"team": None}, "units": "2.0"}]
    assert list(body) == [*FIELDS, "from_date", "to_date"]


async def test_presentation_breakdowns_hold_no_nulls(books: Books, api: Api) -> None:
    breakdown = [{"presentation_by": {"team": None}, "units": "2.0", "displayed": ["team"]}]
    await books.invoice([fee := books.usage(1, presentation_breakdowns=breakdown)])
    assert shown(api, fee)["presentation_breakdowns"] == [{"presentation_by": {"team": ""}, "units": "2.0"}]


async def test_names_are_the_fees_own_first(books: Books, api: Api) -> None:
    named = [
        books.fee(1, invoice_display_name="Special"),
        books.usage(1, invoice_display_name="Special calls", charge_filter_id=books.filter_id),
    ]
    await books.invoice(named)
    assert [shown(api, fee)["item"]["invoice_display_name"] for fee in named] == ["Special", "Special calls"]
    async with books.database.begin() as tx:
        for sql in (
            "update subscriptions set name = 'Production' where id = :subscription",
            "update charges set invoice_display_name = 'API calls' where id = :charge",
            "update charge_filters set invoice_display_name = 'Near' where id = :filter",
            "update fees set invoice_display_name = null where organization_id = :organization",
        ):
            await tx.execute(
                text(sql),
                {
                    key: value
                    for key, value in {
                        "subscription": books.subscription_id,
                        "charge": books.charge_id,
                        "filter": books.filter_id,
                        "organization": books.organization_id,
                    }.items()
                    if f":{key}" in sql
                },
            )
    assert [shown(api, fee)["item"]["invoice_display_name"] for fee in named] == ["Production", "API calls"]
    assert shown(api, named[1])["item"]["filter_invoice_display_name"] == "Near"


async def test_true_ups_are_linked_both_ways(books: Books, api: Api) -> None:
    parent = books.usage(100)
    extra = books.usage(900, purpose="true_up", true_up_parent_fee_id=parent.id, events_count=0)
    await books.invoice([parent, extra])
    assert shown(api, parent)["lago_true_up_fee_id"] == str(extra.id)
    assert shown(api, parent)["lago_true_up_parent_fee_id"] is None
    assert shown(api, extra)["lago_true_up_parent_fee_id"] == str(parent.id)
    assert [row["lago_true_up_fee_id"] for row in api.get("/fees")["fees"]] == [str(extra.id), None]


async def test_a_commitment_shows_no_period(books: Books, api: Api) -> None:
    await books.invoice([fee := books.fee(500, fee_type="commitment")])
    assert "from_date" not in shown(api, fee)
    assert shown(api, fee)["item"]["type"] == "commitment"


async def test_a_fee_of_one_event(books: Books, api: Api) -> None:
    fee = await books.standalone(100, event_transaction_id="tx-77")
    body = shown(api, fee)
    assert (body["event_transaction_id"], body["pay_in_advance"], body["lago_invoice_id"]) == ("tx-77", True, None)
    assert (body["self_billed"], body["taxes_amount_cents"], body["total_amount_cents"]) == (False, 20, 120)
    (tax,) = body["applied_taxes"]
    assert {**tax, "lago_id": None} == {
        "lago_id": None,
        "lago_fee_id": str(fee.id),
        "lago_tax_id": None,
        "tax_name": "VAT",
        "tax_code": "vat",
        "tax_rate": 20.0,
        "tax_description": None,
        "amount_cents": 20,
        "amount_currency": "EUR",
        "created_at": "2025-06-01T00:10:00Z",
    }


async def test_unknown_fees(books: Books, api: Api) -> None:
    hidden = [books.fee(1), books.usage(1)]
    await books.invoice(hidden[:1], status="generating", sequential_id=None)
    await books.invoice(hidden[1:], status="closed", period=False, sequential_id=None)
    for missing in (uuid.uuid4(), "nonsense", *(fee.id for fee in hidden)):
        for method in ("GET", "DELETE"):
            assert api.call(method, f"/fees/{missing}", None, 404)["code"] == "fee_not_found"
        assert api.put(f"/fees/{missing}", {"fee": {"payment_status": "failed"}}, 404)["code"] == "fee_not_found"
    assert listed(api) == []


# -- the list --------------------------------------------------------------------------------------


async def test_the_list_is_oldest_first_in_pages(books: Books, api: Api) -> None:
    later = await books.standalone(1, created_at=BILLED_AT + dt.timedelta(hours=1))
    first, second = await books.standalone(2), await books.standalone(3)
    assert listed(api) == [str(fee.id) for fee in (first, second, later)]
    page = api.get("/fees", page=2, per_page=2)
    assert [row["lago_id"] for row in page["fees"]] == [str(later.id)]
    assert page["meta"]["total_count"] == 3
    assert page["fees"][0]["applied_taxes"][0]["tax_code"] == "vat"


async def test_filters(books: Books, installation: Installation, api: Api) -> None:
    await books.invoice([plan := books.fee(1)])
    dollar = await books.standalone(
        2, currency="USD", event_transaction_id="one", payment_status="succeeded", succeeded_at=BILLED_AT
    )
    other = await Books.of(installation.database, api, "other")
    foreign = await other.standalone(3, created_at=BILLED_AT + dt.timedelta(days=1))
    cases: list[tuple[dict[str, str], list[Fee]]] = [
        ({"fee_type": "subscription"}, [plan]),
        ({"fee_type": "charge"}, [dollar, foreign]),
        ({"fee_type": "credit"}, []),
        ({"fee_type": ""}, [plan, dollar, foreign]),
        ({"currency": "usd"}, [dollar]),
        ({"payment_status": "succeeded"}, [dollar]),
        ({"event_transaction_id": "one"}, [dollar]),
        ({"external_customer_id": "other"}, [foreign]),
        ({"external_customer_id": "nobody"}, []),
        ({"external_subscription_id": "acme-sub"}, [plan, dollar]),
        ({"billable_metric_code": "other-calls"}, [foreign]),
        ({"created_at_from": "2025-06-02T00:10:00Z"}, [foreign]),
        ({"created_at_to": "2025-06-01T00:10:00Z"}, [plan, dollar]),
        ({"succeeded_at_from": "2025-06-01", "succeeded_at_to": "2025-06-02"}, [dollar]),
        ({"failed_at_from": "2025-01-01"}, []),
        ({"refunded_at_to": "2026-01-01"}, []),
    ]
    for filters, wanted in cases:
        assert listed(api, **filters) == [str(fee.id) for fee in wanted], filters


@pytest.mark.parametrize(
    ("filters", "details"),
    [
        ({"fee_type": "x"}, {"fee_type": ["value_is_invalid"]}),
        ({"payment_status": "x"}, {"payment_status": ["value_is_invalid"]}),
        ({"created_at_from": "soon"}, {"created_at_from": ["invalid_date"]}),
        ({"refunded_at_to": "2025-13-01"}, {"refunded_at_to": ["invalid_date"]}),
    ],
)
def test_unusable_filters(api: Api, filters: dict[str, str], details: dict[str, list[str]]) -> None:
    assert api.get("/fees", 422, **filters)["error_details"] == details


# -- payment and deletion --------------------------------------------------------------------------


async def test_a_standalone_fee_is_paid_by_telling_so(books: Books, api: Api) -> None:
    fee = await books.standalone(100)
    api.put("/test_clock", {"test_clock": {"now": "2025-06-05T10:00:00Z"}})
    for status in ("succeeded", "failed", "refunded", "pending"):
        body = api.put(f"/fees/{fee.id}", {"fee": {"payment_status": status}})["fee"]
        dates = {name: body[f"{name}_at"] for name in ("succeeded", "failed", "refunded")}
        assert body["payment_status"] == status
        assert dates == {name: "2025-06-05T10:00:00Z" if name == status else None for name in dates}
        assert body["applied_taxes"]


async def test_refused_updates_of_fees(books: Books, api: Api) -> None:
    fee = await books.standalone(100)
    answer = api.put(f"/fees/{fee.id}", {"fee": {"payment_status": "lost"}}, 422)
    assert answer["error_details"] == {"payment_status": ["value_is_invalid"]}
    assert api.put(f"/fees/{fee.id}", {}, 400)["error"].endswith("invalid: fee")
    await books.invoice([invoiced := books.fee(1)])
    for answer in (
        api.put(f"/fees/{invoiced.id}", {"fee": {"payment_status": "failed"}}, 405),
        api.delete(f"/fees/{invoiced.id}", 405),
    ):
        assert answer["code"] == "invoiced_fee"


async def test_a_standalone_fee_is_deleted_but_its_event_never_priced_again(books: Books, api: Api) -> None:
    fee = await books.standalone(100)
    body = api.delete(f"/fees/{fee.id}")["fee"]
    assert body["lago_id"] == str(fee.id)
    assert "applied_taxes" not in body
    assert api.delete(f"/fees/{fee.id}", 404)["code"] == "fee_not_found"
    assert listed(api) == []
    async with books.database.begin() as tx:
        assert (await tx.get_one(Fee, fee.id)).live


async def test_breakdowns_show_displayed_keys_only_and_add_up_equal_rows(books: Books, api: Api) -> None:
    parts = (
        ({"team": "red", "host": "a"}, "1.5"),
        ({"team": "red", "host": "b"}, "2.0"),
        ({"team": "x", "host": None}, "3.0"),
    )
    rows = [{"presentation_by": by, "units": units, "displayed": ["team"]} for by, units in parts]
    await books.invoice([fee := books.usage(1, presentation_breakdowns=rows)])
    assert shown(api, fee)["presentation_breakdowns"] == [
        {"presentation_by": {"team": "red"}, "units": "3.5"},
        {"presentation_by": {"team": "x"}, "units": "3.0"},
    ]


async def test_breakdowns_that_documents_must_not_show(books: Books, api: Api) -> None:
    rows = [{"presentation_by": {"team": "red"}, "units": "1.5", "displayed": []}]
    await books.invoice([fee := books.usage(1, presentation_breakdowns=rows)])
    assert shown(api, fee)["presentation_breakdowns"] == []
