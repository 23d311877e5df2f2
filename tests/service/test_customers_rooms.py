"""Customers and issuers below the doors: messages, sets, currency preference, portal tokens, continued numbering."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import select

from tallystick.flows.lifecycle import customers as lifecycle
from tallystick.flows.lifecycle import organizations
from tallystick.flows.wire.customers import WEBHOOK, customers
from tallystick.ground.db import Tx
from tallystick.ground.ids import new_id
from tallystick.ground.installation import Installation
from tallystick.ground.tables import BillingEntity, Customer, Invoice, Organization, OutboxMessage
from tallystick.rooms.customers import portal, store, verbs
from tests.support.api import Api

AT = dt.datetime(2025, 3, 1, 9, tzinfo=dt.UTC)
KEY = "the organization's key"


async def organization(tx: Tx, **fields: Any) -> Organization:
    made, _ = await organizations.create(tx, AT, "Acme", True, fields)
    return made


async def messages(tx: Tx, organization_id: uuid.UUID) -> list[tuple[str, uuid.UUID]]:
    rows = await tx.scalars(
        select(OutboxMessage).where(OutboxMessage.organization_id == organization_id).order_by(OutboxMessage.position)
    )
    return [(row.webhook_type, row.subject_id) for row in rows]


async def test_every_upsert_is_told(installation: Installation) -> None:
    async with installation.database.begin() as tx:
        made = await organization(tx, webhook_url="http://127.0.0.1:9/hook")
        customer = await lifecycle.upsert(tx, made.id, AT, "acme", {"name": "Acme"})
        await lifecycle.upsert(tx, made.id, AT, "acme", {})
        await lifecycle.create(tx, made.id, AT, "implicit", {})
        await lifecycle.delete(tx, customer, AT)
        told = [message for message in await messages(tx, made.id) if message[0].startswith("customer.")]
        assert told == [("customer.created", customer.id), ("customer.updated", customer.id)]


async def test_an_organization_without_endpoint_is_told_nothing(installation: Installation) -> None:
    async with installation.database.begin() as tx:
        made = await organization(tx)
        await lifecycle.upsert(tx, made.id, AT, "acme", {})
        assert await messages(tx, made.id) == []


async def test_the_customer_of_a_webhook(installation: Installation, api: Api) -> None:
    shown = api.post("/customers", {"customer": {"external_id": "acme", "email": "a@acme.test"}})["customer"]
    async with installation.database.begin() as tx:
        row = await store.find(tx, uuid.UUID(api.organization["lago_id"]), "acme")
        assert row is not None
        (body,) = await customers(tx, [row], include=WEBHOOK)
        (base,) = await customers(tx, [row])
    only_rest = {"taxes", "applicable_invoice_custom_sections", "error_details"}
    assert [name for name in shown if name not in only_rest] == list(body)
    assert list(base) == [name for name in body if name != "integration_customers"]


async def test_sets_keep_their_order_and_include_the_deleted(installation: Installation) -> None:
    async with installation.database.begin() as tx:
        made = await organization(tx)
        rows = [await lifecycle.create(tx, made.id, AT, f"c{number}", {}) for number in range(3)]
        await lifecycle.delete(tx, rows[0], AT)
        bodies = await customers(tx, rows[::-1])
        assert [body["external_id"] for body in bodies] == ["c2", "c1", "c0"]
        assert [row.id for row in await store.by_ids(tx, [row.id for row in rows])] == [row.id for row in rows]
        assert await store.ids_of_entity(tx, made.id) == [rows[1].id, rows[2].id]
        assert await customers(tx, []) == []


async def test_a_preferred_currency_stays(installation: Installation) -> None:
    async with installation.database.begin() as tx:
        made = await organization(tx)
        blank = await lifecycle.create(tx, made.id, AT, "blank", {})
        euro = await lifecycle.create(tx, made.id, AT, "euro", {"currency": "EUR"})
        await verbs.prefer_currencies(tx, {blank.id: "USD", euro.id: "USD"}, AT)
        assert (blank.currency, euro.currency) == ("USD", "EUR")


async def test_an_invoiced_customer_keeps_its_account_type(installation: Installation) -> None:
    async with installation.database.begin() as tx:
        made = await organization(tx)
        customer = await lifecycle.create(tx, made.id, AT, "acme", {})
        tx.add(invoice(customer, 1))
        await tx.flush()
        await lifecycle.upsert(tx, made.id, AT, "acme", {"account_type": "partner", "name": "Acme"})
        assert (customer.account_type, customer.name) == ("customer", "Acme")


async def test_the_entity_s_own_numbers_continue(installation: Installation) -> None:
    """invoicing.md §5: 9 numbered invoices, so that the next one is -010."""
    async with installation.database.begin() as tx:
        made = await organization(tx, document_number_prefix="BENT-1")
        entity = await tx.get_one(BillingEntity, made.id)
        customer = await lifecycle.create(tx, made.id, AT, "acme", {})
        assert customer.slug == "BENT-1-001"
        tx.add_all(invoice(customer, number) for number in range(1, 10))
        await tx.flush()
        await organizations.update(tx, made, AT, {"document_numbering": "per_billing_entity"})
        assert entity.document_sequence == 9
        entity.document_sequence = 12
        await organizations.update(tx, made, AT, {"document_numbering": "per_billing_entity", "city": "Rome"})
        assert entity.document_sequence == 12


def invoice(customer: Customer, sequential_id: int) -> Invoice:
    """An issued invoice of zero."""
    day = AT.date()
    return Invoice(
        id=new_id(),
        organization_id=customer.organization_id,
        customer_id=customer.id,
        billing_entity_id=customer.billing_entity_id,
        invoice_type="one_off",
        status="finalized",
        number=f"{customer.slug}-{sequential_id:03d}",
        sequential_id=sequential_id,
        currency="EUR",
        timezone="UTC",
        issuing_date=day,
        expected_finalization_date=day,
        payment_due_date=day,
        net_payment_term=0,
        created_at=AT,
        updated_at=AT,
    )


def test_a_portal_token_names_one_customer_for_twelve_hours() -> None:
    customer_id = new_id()
    token = portal.token(customer_id, KEY, AT)
    assert portal.customer_of(token) == customer_id
    assert portal.is_valid(token, KEY, AT)
    assert portal.is_valid(token, KEY, AT + dt.timedelta(hours=12, seconds=-1))
    assert not portal.is_valid(token, KEY, AT + dt.timedelta(hours=12))


def test_forged_portal_tokens() -> None:
    token = portal.token(new_id(), KEY, AT)
    assert not portal.is_valid(token, "another key", AT)
    other = portal.token(new_id(), "another key", AT)
    assert not portal.is_valid(other[:32] + token[32:], KEY, AT)
    for nonsense in ("", "x", "é" * 75, token[:-4], token + "AAAA", "A" * 75):
        assert not portal.is_valid(nonsense, KEY, AT)
    assert portal.customer_of("nonsense") is None
