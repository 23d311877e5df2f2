"""What the database refuses about payments: raw SQL attacks every rule of payments.sql and the CHECKs."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.billing import add_on, bill_once
from tests.support.payments import pay
from tests.support.subscriptions import customer

SUM = "its payments are"
FROZEN = "a payment never changes"
NAMED = "it is not in the name of its invoice"
COPY = (
    "insert into payments select gen_random_uuid(), organization_id, {customer}, invoice_id, payment_type, status,"
    " payment_status, {cents}, {currency}, {reference}, created_at, updated_at from payments where id = :id"
)
SAME = {"customer": "customer_id", "cents": "1", "currency": "currency", "reference": "reference"}
PAID = "; update invoices set total_paid_amount_cents = total_paid_amount_cents + {cents} where id = :invoice"


def copy(**other: str) -> str:
    """Another payment of the same invoice."""
    return COPY.format(**{**SAME, **other})


async def together(installation: Installation, made: dict[str, Any], statements: str) -> None:
    """Run statements in one transaction."""
    values = {"id": made["lago_id"], "invoice": made["lago_payable_id"]}
    async with installation.database.begin() as tx:
        for statement in statements.split("; "):
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            await tx.execute(text(statement), used)


@pytest.fixture
def made(api: Api) -> dict[str, Any]:
    """A payment of 60 of 150 EUR."""
    api.at("2025-06-05T10:00:00Z")
    customer(api)
    customer(api, "d")
    add_on(api)
    return pay(api, bill_once(api), 6000)


@pytest.mark.parametrize(
    ("attack", "rule"),
    [
        ("update payments set amount_cents = 7000 where id = :id", FROZEN),
        ("update payments set reference = 'x' where id = :id", FROZEN),
        ("update payments set created_at = now() where id = :id", FROZEN),
        ("update payments set payment_status = 'failed' where id = :id", FROZEN),
        ("delete from payments where id = :id", "cannot be deleted"),
        ("update invoices set total_paid_amount_cents = 0 where id = :invoice", SUM),
        ("update invoices set total_paid_amount_cents = 15000 where id = :invoice", SUM),
        (copy(), SUM),
        (copy(cents="0"), "ck_payments_positive"),
        (copy(cents="-1"), "ck_payments_positive"),
        (copy(reference="null"), "ck_payments_reference"),
        (copy(reference="' '"), "ck_payments_reference"),
        (copy(reference="repeat('x', 41)"), "ck_payments_reference"),
        (copy(cents="9001") + PAID.format(cents=9001), "payments by hand exceed what is due"),
        (copy(currency="'USD'") + PAID.format(cents=1), NAMED),
        (
            copy(
                customer="(select id from customers c where external_id = 'd'"
                " and c.organization_id = payments.organization_id)"
            )
            + PAID.format(cents=1),
            NAMED,
        ),
    ],
)
async def test_refused(installation: Installation, made: dict[str, Any], attack: str, rule: str) -> None:
    with pytest.raises(DBAPIError) as refused:
        await together(installation, made, attack)
    assert rule in str(refused.value.orig)


async def test_a_payment_with_its_header_is_accepted(installation: Installation, made: dict[str, Any]) -> None:
    await together(installation, made, copy(cents="9000") + PAID.format(cents=9000))


@pytest.mark.parametrize(
    ("attack", "rule"),
    [
        ("update payment_requests set amount_cents = 1 where id = :id", "what it asks for never changes"),
        ("update payment_requests set payment_status = 'paid' where id = :id", "ck_payment_requests_payment_status"),
        (
            "insert into payment_request_invoices (payment_request_id, invoice_id, organization_id)"
            " select :id, id, organization_id from invoices where id = :invoice",
            "an invoice is not in its name",
        ),
    ],
)
async def test_requests_ask_for_the_same_for_ever(api: Api, installation: Installation, attack: str, rule: str) -> None:
    api.at("2025-06-05T10:00:00Z")
    customer(api, net_payment_term=0)
    customer(api, "d")
    add_on(api)
    late, stranger = bill_once(api), bill_once(api, of="d")
    api.at("2025-06-07T00:00:00Z")
    asked = {"external_customer_id": "c", "lago_invoice_ids": [late["lago_id"]]}
    made = api.post("/payment_requests", {"payment_request": asked})["payment_request"]
    with pytest.raises(DBAPIError) as refused:
        await together(installation, {"lago_id": made["lago_id"], "lago_payable_id": stranger["lago_id"]}, attack)
    assert rule in str(refused.value.orig)
