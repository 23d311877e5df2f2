"""What the database refuses about credit notes: raw SQL attacks every rule of credit_notes.sql and the CHECKs."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.billing import GRACE, add_on, bill_once, drafted
from tests.support.catalog import plan
from tests.support.credit_notes import note
from tests.support.subscriptions import customer, subscribe


@pytest.fixture
def made(api: Api) -> dict[str, Any]:
    """A final note of 10 EUR, 4 of them off its invoice."""
    api.at("2025-06-05T10:00:00Z")
    customer(api)
    add_on(api, cents=5000)
    invoice = bill_once(api)
    return note(api, invoice, (invoice["fees"][0], 1000), credit_amount_cents=600, offset_amount_cents=400)


async def refusal(installation: Installation, sql: str, **values: Any) -> str:
    with pytest.raises(DBAPIError) as refused:
        async with installation.database.begin() as tx:
            await tx.execute(text(sql), values)
    return str(refused.value.orig)


FROZEN = "its amounts are frozen"
LINES = "its lines are frozen"
COPY = "insert into credit_note_items select gen_random_uuid(), organization_id, credit_note_id, fee_id, amount_cents,"


@pytest.mark.parametrize(
    ("attack", "rule"),
    [
        ("update credit_notes set credit_amount_cents = 700, total_amount_cents = 1100 where id = :id", FROZEN),
        ("update credit_notes set number = 'X' where id = :id", FROZEN),
        ("update credit_notes set status = 'deleted' where id = :id", FROZEN),
        ("update credit_notes set taxes_amount_cents = 1 where id = :id", FROZEN),
        ("delete from credit_notes where id = :id", "it cannot be deleted"),
        ("update credit_notes set balance_amount_cents = 500 where id = :id", "what invoices left of its credit"),
        ("update credit_notes set balance_amount_cents = -1 where id = :id", "ck_credit_notes_balance"),
        ("update credit_notes set balance_amount_cents = 601 where id = :id", "ck_credit_notes_balance"),
        ("update credit_notes set credit_status = 'consumed' where id = :id", "ck_credit_notes_credit_status"),
        ("update credit_notes set refund_status = 'pending' where id = :id", "ck_credit_notes_refund_status"),
        ("update credit_note_items set amount_cents = 900 where credit_note_id = :id", LINES),
        ("delete from credit_note_items where credit_note_id = :id", LINES),
        (f"{COPY} precise_amount_cents, currency, created_at from credit_note_items where credit_note_id = :id", LINES),
        ("update invoices set offset_amount_cents = 0 where id = :invoice", "offsets of its credit notes are 400"),
        ("update invoices set offset_amount_cents = -1 where id = :invoice", "ck_invoices_not_negative"),
    ],
)
async def test_final_notes_stay_as_they_are(
    installation: Installation, made: dict[str, Any], attack: str, rule: str
) -> None:
    values = {"id": made["lago_id"], "invoice": made["lago_invoice_id"]}
    used = {name: value for name, value in values.items() if f":{name}" in attack}
    assert rule in await refusal(installation, attack, **used)


async def test_a_voided_note_stays_voided(api: Api, installation: Installation, made: dict[str, Any]) -> None:
    api.put(f"/credit_notes/{made['lago_id']}/void")
    attack = "update credit_notes set credit_status = 'available', balance_amount_cents = 600 where id = :id"
    assert "is voided for ever" in await refusal(installation, attack, id=made["lago_id"])


@pytest.mark.parametrize(
    ("attack", "rule"),
    [
        ("update credit_note_items set amount_cents = 999, precise_amount_cents = 999", "do not make its sub total"),
        ("update credit_note_items set precise_amount_cents = 1001", "ck_credit_note_items_amount"),
        (
            "update credit_note_items set fee_id = (select id from fees where id <> fee_id and invoice_id is not null"
            " and organization_id = credit_note_items.organization_id limit 1)",
            "an item is of another invoice",
        ),
        ("update credit_notes set total_amount_cents = 1001 where id = :id", "ck_credit_notes_total"),
        ("update credit_notes set taxes_amount_cents = 900 where id = :id", "ck_credit_notes_adds_up"),
        ("update credit_notes set reason = 'because' where id = :id", "ck_credit_notes_reason"),
    ],
)
async def test_drafts_add_up_too(api: Api, installation: Installation, attack: str, rule: str) -> None:
    plan(api, amount_cents=3000)
    draft = drafted(api)
    add_on(api, cents=5000)
    bill_once(api)
    row = note(api, draft, (draft["fees"][0], 1000), credit_amount_cents=1000)
    if ":id" not in attack:
        attack += " where credit_note_id = :id"
    assert rule in await refusal(installation, attack, id=row["lago_id"])


async def test_no_fee_is_credited_for_more_than_its_amount(api: Api, installation: Installation) -> None:
    plan(api, amount_cents=3000)
    draft = drafted(api)
    fee = draft["fees"][0]
    row = note(api, draft, (fee, 1000), credit_amount_cents=1000)
    note(api, draft, (fee, 2000), credit_amount_cents=2000)
    attack = (
        "with i as (update credit_note_items set amount_cents = 1001, precise_amount_cents = 1001"
        " where credit_note_id = :id)"
        " update credit_notes set credit_amount_cents = 1001, total_amount_cents = 1001, balance_amount_cents = 1001,"
        " sub_total_excluding_taxes_amount_cents = 1001, precise_total_amount_cents = 1001 where id = :id"
    )
    assert "credited for more than its amount" in await refusal(installation, attack, id=row["lago_id"])


async def test_invoices_use_only_what_notes_have(api: Api, installation: Installation) -> None:
    plan(api, amount_cents=1000, pay_in_advance=True)
    api.at("2025-06-05T10:00:00Z")
    customer(api, **GRACE)
    subscribe(api)
    add_on(api, cents=5000)
    invoice = bill_once(api)
    row = note(api, invoice, (invoice["fees"][0], 1000), credit_amount_cents=1000)
    (draft,) = api.get("/invoices?status=draft")["invoices"]
    attack = (
        "with c as (insert into invoice_credits select gen_random_uuid(), organization_id, id, 'credit_note',"
        " cast(:note as uuid), 300, currency, false, created_at from invoices where id = cast(:id as uuid))"
        " update invoices set credit_notes_amount_cents = 300, total_amount_cents = total_amount_cents - 300"
        " where id = cast(:id as uuid)"
    )
    found = await refusal(installation, attack, note=row["lago_id"], id=draft["lago_id"])
    assert "what invoices left of its credit" in found
