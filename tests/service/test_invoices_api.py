"""Invoices over HTTP: what they show, the list and its filters, payment status and metadata (invoicing.md §17, §24)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from tallystick.flows.wire.invoices import MESSAGES, SINGLE, invoices, invoices_of_messages
from tallystick.flows.wire.messages import contents_at
from tallystick.ground import agenda
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.installation import Installation
from tallystick.ground.tables import Invoice
from tests.support.api import Api
from tests.support.invoices import BILLED_AT, FROM_AT, TO_AT, Books
from tests.support.statements import counted

URL = "http://api.test"


@pytest_asyncio.fixture
async def books(installation: Installation, api: Api) -> Books:
    return await Books.of(installation.database, api)


def shown(api: Api, invoice: Invoice) -> dict[str, Any]:
    body: dict[str, Any] = api.get(f"/invoices/{invoice.id}")["invoice"]
    return body


def listed(api: Api, query: str = "", path: str = "/invoices") -> list[str]:
    return [row["number"] for row in api.get(f"{path}?{query}")["invoices"]]


async def plain(books: Books, **own: Any) -> Invoice:
    """An invoice over one usage fee whose period may be billed again."""
    cents = own.pop("cents", 100)
    currency = own.get("currency", "EUR")
    return await books.invoice([books.usage(cents, live=False, currency=currency)], period=False, **own)


def messages(rows: Any) -> list[tuple[str, uuid.UUID]]:
    return [(row.webhook_type, row.subject_id) for row in rows]


async def outbox_of(books: Books) -> list[tuple[str, uuid.UUID]]:
    async with books.database.begin() as tx:
        sql = "select webhook_type, subject_id from outbox where organization_id = :organization order by position"
        return messages(await tx.execute(text(sql), {"organization": books.organization_id}))


# -- one invoice -----------------------------------------------------------------------------------

FIELDS = [
    "lago_id",
    "billing_entity_code",
    "sequential_id",
    "number",
    "purchase_order_number",
    "issuing_date",
    "payment_due_date",
    "net_payment_term",
    "invoice_type",
    "status",
    "payment_status",
    "payment_dispute_lost_at",
    "payment_overdue",
    "currency",
    "fees_amount_cents",
    "taxes_amount_cents",
    "progressive_billing_credit_amount_cents",
    "coupons_amount_cents",
    "credit_notes_amount_cents",
    "sub_total_excluding_taxes_amount_cents",
    "sub_total_including_taxes_amount_cents",
    "total_amount_cents",
    "total_due_amount_cents",
    "total_paid_amount_cents",
    "total_offsetted_credit_note_amount_cents",
    "prepaid_credit_amount_cents",
    "prepaid_granted_credit_amount_cents",
    "prepaid_purchased_credit_amount_cents",
    "file_url",
    "xml_url",
    "web_url",
    "version_number",
    "self_billed",
    "created_at",
    "updated_at",
    "voided_at",
]
MEMBERS = [
    "customer",
    "subscriptions",
    "billing_periods",
    "fees",
    "credits",
    "metadata",
    "applied_taxes",
    "error_details",
    "applied_invoice_custom_sections",
]


async def test_one_invoice(books: Books, api: Api) -> None:
    invoice = await books.invoice([books.fee(2100, taxes_amount_cents=420), books.usage(200)])
    body = shown(api, invoice)
    assert list(body) == [*FIELDS, *MEMBERS]
    assert body["total_amount_cents"] == body["total_due_amount_cents"] == 2720
    assert (body["issuing_date"], body["payment_due_date"], body["version_number"]) == ("2025-06-01", "2025-07-01", 4)
    assert body["customer"]["external_id"] == "acme"
    assert body["customer"]["integration_customers"] == []
    assert "taxes" not in body["customer"]
    assert [row["external_id"] for row in body["subscriptions"]] == ["acme-sub"]
    assert "plan" not in body["subscriptions"][0]
    assert [fee["amount_cents"] for fee in body["fees"]] == [2100, 200]
    assert all("applied_taxes" not in fee for fee in body["fees"])
    assert (body["credits"], body["error_details"], body["applied_invoice_custom_sections"]) == ([], [], [])
    (tax,) = body["applied_taxes"]
    assert list(tax) == [
        "lago_id",
        "lago_invoice_id",
        "lago_tax_id",
        "tax_name",
        "tax_code",
        "tax_rate",
        "tax_description",
        "amount_cents",
        "amount_currency",
        "fees_amount_cents",
        "created_at",
    ]
    assert (tax["amount_cents"], tax["fees_amount_cents"], tax["tax_rate"]) == (420, 2300, 20.0)
    assert body["file_url"] is None
    assert body["web_url"].endswith(f"/console/invoices/{invoice.id}")


async def test_billing_periods_have_inclusive_ends_and_no_nulls(books: Books, api: Api) -> None:
    invoice = await books.invoice([books.fee(100)])
    (period,) = shown(api, invoice)["billing_periods"]
    assert period == {
        "lago_subscription_id": str(books.subscription_id),
        "external_subscription_id": "acme-sub",
        "lago_plan_id": str(books.plan_id),
        "subscription_from_datetime": "2025-05-11T00:00:00Z",
        "subscription_to_datetime": "2025-05-31T23:59:59Z",
        "charges_from_datetime": "2025-05-11T00:00:00Z",  # no usage window: the plan's again
        "charges_to_datetime": "2025-05-31T23:59:59Z",
        "fixed_charges_from_datetime": None,
        "fixed_charges_to_datetime": None,
        "invoicing_reason": "subscription_periodic",
    }
    only_usage = await books.invoice([books.usage(1)], period=False)
    async with books.database.begin() as tx:
        windows = {"plan_from_at": None, "plan_to_at": None, "charges_from_at": FROM_AT, "charges_to_at": TO_AT}
        tx.add(books.period(only_usage, **windows, recurring=False, invoicing_reason="in_advance_charge"))
    (period,) = shown(api, only_usage)["billing_periods"]
    assert period["subscription_from_datetime"] == period["charges_from_datetime"] == "2025-05-11T00:00:00Z"


async def test_a_paid_and_a_voided_invoice(books: Books, api: Api) -> None:
    partly = await plain(books, total_paid_amount_cents=30)
    voided = await plain(books, status="voided", voided_at=BILLED_AT)
    assert shown(api, partly)["total_due_amount_cents"] == 70
    assert (shown(api, voided)["total_due_amount_cents"], shown(api, voided)["voided_at"]) == (
        0,
        "2025-06-01T00:10:00Z",
    )


async def test_a_progressive_invoice_tells_its_thresholds(books: Books, api: Api) -> None:
    invoice = await plain(books, invoice_type="progressive_billing")
    assert shown(api, invoice)["applied_usage_thresholds"] == []


@pytest.mark.parametrize("status", ["generating", "open", "closed", "deleted"])
async def test_invisible_invoices(books: Books, api: Api, status: str) -> None:
    invoice = await plain(books, status=status, sequential_id=None)
    # open ones are payable all the same (invoicing.md §25, 14)
    change: dict[str, Any] = {"metadata": []} if status == "open" else {"payment_status": "failed"}
    for method, path in (("GET", ""), ("PUT", ""), ("POST", "/download")):
        answer = api.call(method, f"/invoices/{invoice.id}{path}", {"invoice": change}, 404)
        assert answer["code"] == "invoice_not_found"
    assert listed(api) == []


async def test_invoices_of_others_and_of_nobody(books: Books, api: Api, running: Any) -> None:
    invoice = await plain(books)
    stranger = Api(running.url)
    assert stranger.get(f"/invoices/{invoice.id}", 404)["code"] == "invoice_not_found"
    assert listed(stranger) == []
    assert api.get("/invoices/nonsense", 404)["code"] == "invoice_not_found"
    stranger.http.close()


# -- the list --------------------------------------------------------------------------------------


async def test_the_list_is_by_issuing_date_and_light(books: Books, api: Api) -> None:
    old = await plain(books, issuing_date=dt.date(2025, 5, 1))
    first = await plain(books)
    later = await plain(books, created_at=BILLED_AT + dt.timedelta(hours=1))
    page = api.get("/invoices", per_page=2)
    assert [row["number"] for row in page["invoices"]] == [later.number, first.number]
    assert page["meta"] == {
        "current_page": 1,
        "next_page": 2,
        "prev_page": None,
        "total_pages": 2,
        "total_count": 3,
    }
    assert list(page["invoices"][0]) == [*FIELDS, "customer", "metadata", "applied_taxes"]
    assert listed(api, "page=2&per_page=2") == [old.number]


async def test_filters(books: Books, installation: Installation, api: Api) -> None:
    draft = await plain(books, status="draft", sequential_id=None, number="D")
    paid = await plain(books, payment_status="succeeded", total_paid_amount_cents=100, number="P")
    late = await plain(
        books, payment_overdue=True, total_paid_amount_cents=40, number="L", purchase_order_number="Po-9"
    )
    lost = await plain(books, payment_dispute_lost_at=BILLED_AT, payment_status="failed", number="X", self_billed=True)
    big = await plain(books, cents=5000, currency="USD", number="B", issuing_date=dt.date(2025, 6, 2))
    other = await Books.of(installation.database, api, "other")
    foreign = await plain(other, number="F", invoice_type="one_off", issuing_date=dt.date(2025, 6, 3))
    api.put(f"/invoices/{paid.id}", {"invoice": {"metadata": [{"key": "po", "value": "77"}]}})
    everything = "FBDPLX"
    cases = {
        "": everything,
        "status=draft": "D",
        "status[]=draft&status[]=finalized": everything,
        "statuses[]=voided": "",
        "payment_status=succeeded": "P",
        "payment_statuses[]=failed&payment_statuses[]=succeeded": "PX",
        "payment_overdue=true": "L",
        "payment_overdue=false": "FBDPX",
        "payment_dispute_lost=true": "X",
        "payment_dispute_lost=false": "FBDPL",
        "partially_paid=true": "L",
        "partially_paid=false": "FBDPX",
        "self_billed=true": "X",
        "invoice_type=one_off": "F",
        "currency=USD": "B",
        "amount_from=101": "B",
        "amount_to=100": "FDPLX",
        "issuing_date_from=2025-06-02": "FB",
        "issuing_date_to=2025-06-02": "BDPLX",
        "issuing_date_from=soon": everything,
        "purchase_order_number=pO-9": "L",
        "settlements[]=payment": "PL",
        "settlements=credit_note": "",
        "external_customer_id=other": "F",
        "customer_external_id=other": "F",
        "external_customer_id=nobody": "",
        "metadata[po]=77": "P",
        "metadata[po]=": "FBDLX",
        "metadata[po]=78": "",
        f"search_term={lost.id}": "X",
        "search_term=OTHER@x": "F",
        "search_term=other&external_customer_id=acme": "",
        "search_term=%25": "",
        "billing_entity_codes[]=" + api.get("/billing_entities")["billing_entities"][0]["code"]: everything,
    }
    for query, wanted in cases.items():
        assert "".join(listed(api, query)) == wanted, query
    assert {draft.number, late.number, big.number, foreign.number} <= set(everything)
    assert listed(api, path="/customers/other/invoices") == ["F"]
    assert listed(api, "external_customer_id=acme&search_term=f", "/customers/other/invoices") == ["F"]


@pytest.mark.parametrize(
    ("query", "details"),
    [
        (
            "status=paid",
            {"status": ["must be one of: draft, finalized, voided, failed, pending or must be an array"]},
        ),
        (
            "status[]=draft&status[]=open",
            {"status": {"1": ["must be one of: draft, finalized, voided, failed, pending"]}},
        ),
        ("payment_status=x", {"payment_status": ["must be one of: pending, succeeded, failed or must be an array"]}),
        ("settlements[]=x", {"settlements": {"0": ["must be one of: payment, credit_note"]}}),
        (
            "self_billed=maybe&partially_paid=2&payment_overdue=x",
            {
                "payment_overdue": ["must be boolean"],
                "partially_paid": ["must be boolean"],
                "self_billed": ["must be boolean"],
            },
        ),
    ],
)
def test_unusable_filters(api: Api, query: str, details: dict[str, Any]) -> None:
    answer = api.get(f"/invoices?{query}", 422)
    assert (answer["code"], answer["error_details"]) == ("validation_errors", details)


def test_unknown_names_in_lists(api: Api) -> None:
    assert api.get("/invoices?billing_entity_codes[]=x", 404)["code"] == "billing_entity_not_found"
    assert api.get("/customers/nobody/invoices", 404)["code"] == "customer_not_found"


async def test_the_permission_of_a_customers_invoices_is_invoice(books: Books, api: Api, running: Any) -> None:
    await plain(books)
    path = f"/admin/organizations/{api.organization['lago_id']}/api_keys"
    admin = {"Authorization": "Bearer test-admin-token"}
    made = api.http.post(path, json={"api_key": {"permissions": {"customer": ["read"]}}}, headers=admin).json()
    weak = {"Authorization": f"Bearer {made['api_key']['value']}"}
    answer = api.http.get("/api/v1/customers/acme/invoices", headers=weak)
    assert (answer.status_code, answer.json()["code"]) == (403, "read_action_not_allowed_for_invoice")


# -- payment status --------------------------------------------------------------------------------


async def entries(books: Books, invoice: Invoice) -> list[Due]:
    async with books.database.begin() as tx:
        return await agenda.of_subjects(tx, [invoice.id])


async def test_a_payment_status_is_told_once_and_fees_follow(books: Books, api: Api) -> None:
    api.post("/webhook_endpoints", {"webhook_endpoint": {"webhook_url": "http://127.0.0.1:9/"}})
    invoice = await books.invoice([books.fee(100), books.usage(50)], payment_overdue=True)
    due_at = dt.datetime(2025, 7, 2, tzinfo=dt.UTC)
    async with books.database.begin() as tx:
        await agenda.put(tx, [Due(Kind.OVERDUE_INVOICE, invoice.id, books.organization_id, due_at)])
    path = f"/invoices/{invoice.id}"
    for _ in range(2):
        body = api.put(path, {"invoice": {"payment_status": "succeeded"}})["invoice"]
    assert (body["payment_status"], body["payment_overdue"], body["total_paid_amount_cents"]) == ("succeeded", False, 0)
    assert {fee["payment_status"] for fee in body["fees"]} == {"succeeded"}
    assert list(body) == [*FIELDS, *MEMBERS]
    assert await entries(books, invoice) == []
    body = api.call("PATCH", path, {"invoice": {"payment_status": "failed"}})["invoice"]
    assert {fee["payment_status"] for fee in body["fees"]} == {"failed"}
    # it turns overdue again at its date
    assert await entries(books, invoice) == [Due(Kind.OVERDUE_INVOICE, invoice.id, books.organization_id, due_at)]
    assert await outbox_of(books) == [("invoice.payment_status_updated", invoice.id)] * 2


async def test_refused_updates(books: Books, api: Api) -> None:
    voided = await plain(books, status="voided")
    draft = await plain(books, status="draft", sequential_id=None)
    final = await plain(books)
    metadata = {"metadata": [{"key": "a", "value": "b"}]}
    for invoice, body, code in (
        (voided, {"payment_status": "failed"}, "update_on_voided_invoice"),
        (voided, metadata, "update_on_voided_invoice"),
        (draft, metadata, "metadata_on_draft_invoice"),
        (draft, {"payment_status": "succeeded"}, "payment_status_update_on_draft_invoice"),
    ):
        assert api.put(f"/invoices/{invoice.id}", {"invoice": body}, 405)["code"] == code
    assert api.put(f"/invoices/{draft.id}", {"invoice": {"payment_status": "pending"}})["invoice"]["status"] == "draft"
    details = api.put(f"/invoices/{final.id}", {"invoice": {"payment_status": "paid"}}, 422)["error_details"]
    assert details == {"payment_status": ["value_is_invalid"]}
    assert api.put(f"/invoices/{final.id}", {}, 400)["error"].endswith("invalid: invoice")
    assert api.put(f"/invoices/{uuid.uuid4()}", {"invoice": metadata}, 404)["code"] == "invoice_not_found"


# -- metadata --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["finalized", "pending", "failed"])
async def test_metadata_is_replaced_as_a_whole(books: Books, api: Api, status: str) -> None:
    invoice = await plain(books, status=status)

    def put(*pairs: dict[str, Any]) -> list[dict[str, Any]]:
        body = api.put(f"/invoices/{invoice.id}", {"invoice": {"metadata": list(pairs)}})["invoice"]
        found: list[dict[str, Any]] = body["metadata"]
        return found

    first, second = put({"key": "a", "value": "1"}, {"key": "b", "value": "2"})
    assert list(first) == ["lago_id", "key", "value", "created_at"]
    kept, new = put({"id": first["lago_id"], "key": "b", "value": "3"}, {"key": "a", "value": "4"})
    assert (kept["lago_id"], kept["key"], kept["value"]) == (first["lago_id"], "b", "3")
    assert new["lago_id"] not in (first["lago_id"], second["lago_id"])
    assert api.put(f"/invoices/{invoice.id}", {"invoice": {"payment_status": "failed"}})["invoice"]["metadata"]
    assert put() == []


@pytest.mark.parametrize(
    ("pairs", "details"),
    [
        ([{"key": str(n), "value": "v"} for n in range(6)], {"metadata": ["invalid_count"]}),
        ([{"key": "k" * 21, "value": "v"}], {"key": ["value_is_too_long"]}),
        ([{"key": "k", "value": "v" * 141}], {"value": ["value_is_too_long"]}),
        ([{"key": "k"}], {"value": ["value_is_mandatory"]}),
        ([{"value": "v"}], {"key": ["value_is_mandatory"]}),
        ([{"key": "k", "value": "1"}, {"key": "k", "value": "2"}], {"metadata": ["value_is_duplicated"]}),
    ],
)
async def test_refused_metadata(books: Books, api: Api, pairs: list[Any], details: dict[str, Any]) -> None:
    invoice = await plain(books)
    answer = api.put(f"/invoices/{invoice.id}", {"invoice": {"metadata": pairs}}, 422)
    assert answer["error_details"] == details
    assert shown(api, invoice)["metadata"] == []


# -- messages and sets -----------------------------------------------------------------------------


async def test_messages_carry_what_the_matrix_says(books: Books) -> None:
    invoice = await books.invoice([books.fee(100, taxes_amount_cents=20)])
    issued = ["customer", "subscriptions", "billing_periods", "fees", "credits", "applied_taxes"]
    bought = ["customer", "fees", "applied_taxes", "applied_invoice_custom_sections"]
    wanted = {
        "invoice.created": [*issued, "applied_invoice_custom_sections"],
        "invoice.drafted": [*issued, "error_details"],
        "invoice.ready_to_finalize": [*issued, "error_details"],
        "invoice.voided": issued,
        "invoice.deleted": issued,
        "invoice.resynced": issued,
        "invoice.one_off_created": bought,
        "invoice.paid_credit_added": bought,
        "invoice.payment_overdue": ["customer", "fees", "applied_taxes"],
        "invoice.payment_status_updated": ["customer", "fees"],
        "invoice.generated": ["customer"],
    }
    assert set(wanted) <= set(MESSAGES)
    contents = contents_at(URL)
    for name, members in wanted.items():
        objects = contents[name].objects
        assert objects is not None
        async with books.database.begin() as tx:
            body = (await objects(tx, {invoice.id: BILLED_AT}))[invoice.id]
        assert list(body) == [*FIELDS, *members], name
        assert ("integration_customers" in body["customer"]) == (name == "invoice.resynced")


async def test_messages_keep_the_nulls_of_periods(books: Books) -> None:
    invoice = await books.invoice([books.fee(100)])
    async with books.database.begin() as tx:
        found = await invoices_of_messages(
            tx, {invoice.id: BILLED_AT}, webhook_type="invoice.created", public_api_url=URL
        )
        gone = await invoices_of_messages(
            tx, {uuid.uuid4(): BILLED_AT}, webhook_type="invoice.created", public_api_url=URL
        )
    (period,) = found[invoice.id]["billing_periods"]
    assert period["charges_from_datetime"] is None
    assert gone == {}


async def test_a_set_costs_as_many_queries_as_one(books: Books) -> None:
    rows = [
        await books.invoice([books.usage(n, live=False), books.fee(n, live=False)], period=False) for n in (1, 2, 3)
    ]
    counts = []
    for chosen in (rows[:1], rows):
        with counted(books.database) as statements:
            async with books.database.begin() as tx:
                await invoices(tx, chosen, at=BILLED_AT, public_api_url=URL, include=SINGLE)
        counts.append(len(statements))
    assert counts[0] == counts[1]
