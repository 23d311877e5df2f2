"""What the database itself refuses: raw SQL attacks every rule of money.sql and the CHECKs of invoices and fees."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tallystick.ground.ids import new_id
from tallystick.ground.installation import Installation
from tallystick.ground.tables import Fee, Invoice
from tests.support.api import Api
from tests.support.invoices import FROM_AT, TO_AT, Books


@pytest_asyncio.fixture
async def books(installation: Installation, api: Api) -> Books:
    return await Books.of(installation.database, api)


async def refused(books: Books, sql: str, **values: Any) -> str:
    """Run one statement in a transaction of its own; what PostgreSQL says against it."""
    with pytest.raises(DBAPIError) as refusal:
        async with books.database.begin() as tx:
            await tx.execute(text(sql), values)
    return str(refusal.value.orig)


async def accepted(books: Books, sql: str, **values: Any) -> None:
    async with books.database.begin() as tx:
        await tx.execute(text(sql), values)


async def insert(books: Books, *rows: Any) -> None:
    """Insert rows one after another in one transaction."""
    async with books.database.begin() as tx:
        for row in rows:
            tx.add(row)
            await tx.flush()


async def stored(books: Books, table: type[Any], row_id: uuid.UUID) -> Any:
    async with books.database.begin() as tx:
        return await tx.get_one(table, row_id)


# -- the parts of an invoice row -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"sub_total_excluding_taxes_amount_cents": 999}, "sub_total_excluding_taxes"),
        ({"coupons_amount_cents": 1}, "sub_total_excluding_taxes"),
        ({"progressive_billing_credit_amount_cents": 1}, "sub_total_excluding_taxes"),
        ({"taxes_amount_cents": 1}, "sub_total_including_taxes"),
        ({"sub_total_including_taxes_amount_cents": 999}, "sub_total_including_taxes"),
        ({"total_amount_cents": 999}, "total"),
        ({"credit_notes_amount_cents": 1}, "total"),
        ({"prepaid_credit_amount_cents": 1, "prepaid_granted_credit_amount_cents": 1}, "total"),
        ({"prepaid_credit_amount_cents": 1}, "prepaid_split"),
        ({"credit_notes_amount_cents": 1001, "total_amount_cents": -1}, "not_negative"),
        ({"credit_notes_amount_cents": -1, "total_amount_cents": 1001}, "not_negative"),
        ({"prepaid_credit_amount_cents": -1, "total_amount_cents": 1001}, "not_negative"),
        ({"total_paid_amount_cents": -1}, "not_negative"),
        ({"sequential_id": None}, "finalized_has_number"),
        ({"status": "paid"}, "status"),
        ({"payment_status": "maybe"}, "payment_status"),
    ],
)
async def test_an_invoice_whose_parts_do_not_fit_is_refused(books: Books, wrong: dict[str, Any], rule: str) -> None:
    with pytest.raises(IntegrityError, match=f"ck_invoices_{rule}"):
        await books.invoice([books.fee(1000)], **wrong)


@pytest.mark.parametrize("name", ["amount_cents", "taxes_amount_cents"])
async def test_a_negative_fee_is_refused(books: Books, name: str) -> None:
    with pytest.raises(IntegrityError, match="ck_fees_not_negative"):
        await insert(books, books.fee(1, **{name: -1}))


async def test_an_unknown_payment_status_of_a_fee_is_refused(books: Books) -> None:
    fee = await books.standalone(100)
    said = await refused(books, "update fees set payment_status = 'lost' where id = :id", id=fee.id)
    assert "ck_fees_payment_status" in said


# -- lines and header ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["finalized", "draft"])
async def test_lines_that_do_not_add_up_to_their_header_are_refused(books: Books, status: str) -> None:
    header = books.header([books.fee(1000)], status=status)
    with pytest.raises(DBAPIError, match="fees add up to 900, header says 1000"):
        await insert(books, books.fee(900, invoice_id=header.id), header)


async def test_a_header_without_its_lines_is_refused(books: Books) -> None:
    with pytest.raises(DBAPIError, match="fees add up to 0, header says 1000"):
        await insert(books, books.header([books.fee(1000)]))


async def test_a_line_whose_header_never_comes_is_refused(books: Books) -> None:
    with pytest.raises(IntegrityError, match="fk_fees_invoice_id"):
        await insert(books, books.fee(1000, invoice_id=new_id()))


async def test_a_line_of_a_draft_follows_only_with_its_header(books: Books) -> None:
    draft = await books.invoice([fee := books.fee(1000)], status="draft", sequential_id=None)
    said = await refused(books, "update fees set amount_cents = 999 where id = :id", id=fee.id)
    assert "fees add up to 999, header says 1000" in said
    for sql in ("update fees set deleted_at = now() where id = :id", "delete from fees where id = :id"):
        assert "fees add up to 0, header says 1000" in await refused(books, sql, id=fee.id)
    async with books.database.begin() as tx:
        await tx.execute(text("update fees set amount_cents = 999 where id = :id"), {"id": fee.id})
        await tx.execute(
            text(
                "update invoices set fees_amount_cents = 999, sub_total_excluding_taxes_amount_cents = 999,"
                " sub_total_including_taxes_amount_cents = 999, total_amount_cents = 999 where id = :id"
            ),
            {"id": draft.id},
        )
    assert (await stored(books, Invoice, draft.id)).total_amount_cents == 999


async def test_a_draft_is_not_issued_with_other_amounts_than_its_lines(books: Books) -> None:
    draft = await books.invoice([books.fee(1000)], status="draft", sequential_id=None)
    said = await refused(
        books,
        "update invoices set status = 'finalized', sequential_id = 1, fees_amount_cents = 1,"
        " sub_total_excluding_taxes_amount_cents = 1, sub_total_including_taxes_amount_cents = 1,"
        " total_amount_cents = 1 where id = :id",
        id=draft.id,
    )
    assert "fees add up to 1000, header says 1" in said


# -- issued invoices never change ----------------------------------------------------------------


@pytest.mark.parametrize("status", ["finalized", "voided"])
@pytest.mark.parametrize(
    "change",
    [
        "fees_amount_cents = fees_amount_cents + 1,"
        " sub_total_excluding_taxes_amount_cents = sub_total_excluding_taxes_amount_cents + 1,"
        " sub_total_including_taxes_amount_cents = sub_total_including_taxes_amount_cents + 1,"
        " total_amount_cents = total_amount_cents + 1",
        "taxes_rate = 19",
        "coupons_amount_cents = 1, sub_total_excluding_taxes_amount_cents = 999,"
        " sub_total_including_taxes_amount_cents = 999, total_amount_cents = 999",
        "prepaid_credit_amount_cents = 1, total_amount_cents = total_amount_cents - 1",
        "currency = 'USD'",
        "number = 'other'",
        "sequential_id = 99",
        "issuing_date = issuing_date + 1",
        "invoice_type = 'one_off'",
        "customer_id = gen_random_uuid()",
        "billing_entity_id = gen_random_uuid()",
        "organization_id = gen_random_uuid()",
    ],
)
async def test_an_issued_invoice_keeps_amounts_number_and_parties(books: Books, status: str, change: str) -> None:
    invoice = await books.invoice([books.fee(1000)], status=status)
    said = await refused(books, f"update invoices set {change} where id = :id", id=invoice.id)
    assert f"is {status}: its amounts are frozen" in said


@pytest.mark.parametrize(
    ("before", "after"),
    [("finalized", "draft"), ("finalized", "deleted"), ("finalized", "pending"), ("voided", "finalized")],
)
async def test_an_issued_invoice_never_goes_back(books: Books, before: str, after: str) -> None:
    invoice = await books.invoice([books.fee(1000)], status=before)
    said = await refused(books, "update invoices set status = :status where id = :id", id=invoice.id, status=after)
    assert f"is {before}: it cannot become {after}" in said


async def test_an_issued_invoice_cannot_be_deleted(books: Books) -> None:
    invoice = await books.invoice([books.fee(1000)])
    said = await refused(books, "delete from invoices where id = :id", id=invoice.id)
    assert "is finalized: it cannot be deleted" in said


async def test_an_issued_invoice_can_be_paid_voided_and_given_its_file(books: Books) -> None:
    invoice = await books.invoice([books.fee(1000)], total_paid_amount_cents=1000)
    await accepted(
        books,
        "update invoices set payment_status = 'succeeded', file_key = 'f',"
        " payment_overdue = true, status = 'voided', voided_at = now() where id = :id",
        id=invoice.id,
    )
    assert (await stored(books, Invoice, invoice.id)).status == "voided"


# -- neither do their lines and taxes ------------------------------------------------------------


@pytest.mark.parametrize("status", ["finalized", "voided"])
async def test_no_line_is_added_to_an_issued_invoice(books: Books, status: str) -> None:
    invoice = await books.invoice([books.fee(1000)], status=status)
    with pytest.raises(DBAPIError, match="its lines are frozen"):
        await insert(books, books.usage(0, invoice_id=invoice.id))


@pytest.mark.parametrize(
    "change",
    [
        "amount_cents = 999",
        "precise_amount_cents = 1000.4",
        "units = 2",
        "currency = 'USD'",
        "precise_coupons_amount_cents = 1",
        "taxes_amount_cents = 1",
        "deleted_at = now()",
        "fee_type = 'commitment'",
        "subscription_id = null",
        "charge_id = null, fee_type = 'credit'",
        "invoice_id = null",
    ],
)
async def test_a_line_of_an_issued_invoice_never_changes(books: Books, change: str) -> None:
    await books.invoice([fee := books.usage(1000)])
    said = await refused(books, f"update fees set {change} where id = :id", id=fee.id)
    assert "its lines are frozen" in said or "a fee never changes what it is for" in said


async def test_a_line_of_an_issued_invoice_cannot_be_deleted(books: Books) -> None:
    await books.invoice([fee := books.fee(1000)])
    assert "its lines are frozen" in await refused(books, "delete from fees where id = :id", id=fee.id)


async def test_a_line_cannot_move_onto_an_issued_invoice(books: Books) -> None:
    invoice = await books.invoice([books.fee(1000)])
    fee = await books.standalone(0)
    said = await refused(books, "update fees set invoice_id = :to where id = :id", id=fee.id, to=invoice.id)
    assert "its lines are frozen" in said


async def test_a_line_of_an_issued_invoice_can_be_paid(books: Books) -> None:
    await books.invoice([fee := books.fee(1000)])
    await accepted(
        books, "update fees set payment_status = 'succeeded', succeeded_at = now() where id = :id", id=fee.id
    )
    assert (await stored(books, Fee, fee.id)).payment_status == "succeeded"


async def test_taxes_of_an_issued_invoice_never_change(books: Books) -> None:
    invoice = await books.invoice([books.fee(1000, taxes_amount_cents=200)])
    for sql in (
        "update invoice_taxes set amount_cents = 1 where invoice_id = :id",
        "delete from invoice_taxes where invoice_id = :id",
    ):
        assert "its lines are frozen" in await refused(books, sql, id=invoice.id)
    with pytest.raises(DBAPIError, match="its lines are frozen"):
        await insert(books, books.invoice_tax(invoice))


# -- nothing is billed twice ---------------------------------------------------------------------


async def test_a_number_is_given_once(books: Books) -> None:
    await books.invoice([books.fee(1000)], number="N-1", sequential_id=7)
    for taken in ({"number": "N-1", "sequential_id": 8}, {"number": "N-2", "sequential_id": 7}):
        with pytest.raises(IntegrityError, match="uq_invoices"):
            await books.invoice([], period=False, **taken)


@pytest.mark.parametrize("kind", ["plan", "charge", "filter", "group", "event"])
async def test_a_period_is_billed_once(books: Books, kind: str) -> None:
    own: dict[str, dict[str, Any]] = {
        "plan": {},
        "charge": {"fee_type": "charge", "charge_id": books.charge_id},
        "filter": {"fee_type": "charge", "charge_id": books.charge_id, "charge_filter_id": books.filter_id},
        "group": {"fee_type": "charge", "charge_id": books.charge_id, "grouped_by": {"region": None}},
        "event": {
            "fee_type": "charge",
            "charge_id": books.charge_id,
            "purpose": "event",
            "event_transaction_id": "tx",
        },
    }
    await books.invoice([books.fee(1000, **own[kind])])
    with pytest.raises(IntegrityError, match="uq_fees_period"):
        await books.invoice([books.fee(500, **own[kind])], period=False)


async def test_a_period_is_billed_again_once_its_fee_lives_no_more(books: Books) -> None:
    await books.invoice([fee := books.fee(1000)])
    await accepted(books, "update fees set live = false where id = :id", id=fee.id)
    await books.invoice([books.fee(1000)], period=False)


async def test_different_things_of_a_period_stand_side_by_side(books: Books) -> None:
    await books.invoice(
        [
            books.fee(1000),
            books.usage(10),
            books.usage(20, charge_filter_id=books.filter_id),
            books.usage(30, grouped_by={"region": "eu"}),
            books.usage(40, purpose="true_up"),
            books.usage(50, period_from_at=TO_AT, period_to_at=TO_AT + dt.timedelta(days=30)),
        ]
    )


async def test_a_tick_is_billed_once_for_ever(books: Books) -> None:
    invoice = await books.invoice([books.fee(1000)])
    await accepted(books, "update invoices set status = 'voided' where id = :id", id=invoice.id)
    with pytest.raises(IntegrityError, match="uq_invoice_subscriptions_tick"):
        await books.invoice([books.usage(5)])


async def test_a_tick_is_billed_again_when_its_period_was_replaced(books: Books) -> None:
    first = await books.invoice([books.fee(1000)])
    await accepted(books, "update invoice_subscriptions set replaced = true where invoice_id = :id", id=first.id)
    await books.invoice([books.usage(5)])


@pytest.mark.parametrize("reason", ["subscription_starting", "subscription_terminating"])
async def test_a_subscription_starts_and_ends_once(books: Books, reason: str) -> None:
    for day in (1, 2):
        on = FROM_AT + dt.timedelta(days=day)
        invoice = await books.invoice([], period=False)
        once = books.period(invoice, invoicing_reason=reason, recurring=False, billing_at=on, billing_on=on.date())
        if day == 1:
            await insert(books, once)
    with pytest.raises(IntegrityError, match=reason.replace("subscription", "uq_invoice_subscriptions")):
        await insert(books, once)


# -- raw events ----------------------------------------------------------------------------------


async def test_an_event_never_changes(books: Books, api: Api) -> None:
    event = {"transaction_id": "t", "code": "acme-calls", "external_subscription_id": "acme-sub"}
    api.post("/events", {"event": {**event, "properties": {"n": 1}, "timestamp": int(FROM_AT.timestamp())}})
    said = await refused(
        books,
        "update events set properties = '{\"n\": 2}' where organization_id = :organization",
        organization=books.organization_id,
    )
    assert "events are immutable" in said
