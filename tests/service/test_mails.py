"""Invoices go to customers by mail: once each, with their PDF, through a mail server on a socket."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from tallystick.flows.documents.generate import generate_documents
from tallystick.flows.documents.press import Press
from tallystick.flows.mails.send import MailsUnsent, PostOffice, send_mails
from tallystick.ground.installation import Installation
from tallystick.ground.tables import Mail
from tallystick.providers import einvoice, pdf
from tallystick.providers.email import letters
from tallystick.providers.email.smtp import SmtpPost
from tallystick.providers.storage.files import Files
from tests.standins.smtp import MailServer
from tests.support.api import Api
from tests.support.server import Running, settings_for

EMAILS = {"email": "billing@seller.test", "email_settings": ["invoice.finalized"]}


@pytest.fixture
def mailbox() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()


@pytest_asyncio.fixture
async def office(installation: Installation, mailbox: MailServer, tmp_path: Path) -> AsyncIterator[PostOffice]:
    with ThreadPoolExecutor(1) as threads:
        press = Press(installation.database, Files(tmp_path), pdf, einvoice, "http://api.test", threads)
        post = SmtpPost("127.0.0.1", mailbox.port, "none", None, None, "bills@house.test")
        yield PostOffice(press, letters, post)


def shop(api: Api, **organization: Any) -> Api:
    api.put("/organizations", {"organization": {**EMAILS, **organization}})
    customer = {"external_id": "acme", "name": "Acme", "currency": "EUR", "email": "a@acme.test, b@acme.test"}
    api.post("/customers", {"customer": customer})
    add_on = {"name": "Setup", "code": "setup", "amount_cents": 12345, "amount_currency": "EUR"}
    api.post("/add_ons", {"add_on": add_on})
    return api


def sell(api: Api, **fee: Any) -> dict[str, Any]:
    body = {"external_customer_id": "acme", "currency": "EUR", "fees": [{"add_on_code": "setup", **fee}]}
    return api.post("/invoices", {"invoice": body})["invoice"]  # type: ignore[no-any-return]


async def mails_of(office: PostOffice, invoice: dict[str, Any]) -> list[Mail]:
    async with office.press.database.begin() as tx:
        statement = select(Mail).where(Mail.document_id == uuid.UUID(invoice["lago_id"])).order_by(Mail.id)
        return list(await tx.scalars(statement))


async def deliver(office: PostOffice, invoice: dict[str, Any]) -> list[Mail]:
    """What the two jobs do: make the documents, send the mails."""
    await generate_documents(office.press, [uuid.UUID(invoice["lago_id"])])
    await send_mails(office, [mail.id for mail in await mails_of(office, invoice)])
    return await mails_of(office, invoice)


async def test_an_issued_invoice_is_mailed_with_its_document(api: Api, office: PostOffice, mailbox: MailServer) -> None:
    made = sell(shop(api))
    assert [mail.status for mail in await mails_of(office, made)] == ["waiting"]
    (mail,) = await deliver(office, made)
    assert (mail.status, mail.resent, mail.subject) == ("sent", False, mailbox.taken[0].message["Subject"].strip())
    assert mail.sent_at is not None
    (taken,) = mailbox.taken
    assert (taken.sender, taken.recipients) == ("bills@house.test", ("a@acme.test", "b@acme.test"))
    message = taken.message
    seller = api.organization["name"]
    assert message["From"] == f"{seller} <bills@house.test>"
    assert message["Reply-To"] == f"{seller} <billing@seller.test>"
    assert message["Subject"].strip() == f"Your Invoice from {seller} #{made['number']}"
    assert message["Message-ID"] == f"<{mail.id}@house.test>"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "€123.45" in plain.get_content()
    assert "http://api.test/files/" in html.get_content()
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == f"invoice-{made['number']}.pdf"
    assert attached.get_content().startswith(b"%PDF-")


async def test_jobs_may_run_again(api: Api, office: PostOffice, mailbox: MailServer) -> None:
    made = sell(shop(api))
    for _ in range(2):
        await deliver(office, made)
    assert len(mailbox.taken) == 1


async def test_a_busy_server_is_asked_again(api: Api, office: PostOffice, mailbox: MailServer) -> None:
    made = sell(shop(api))
    mailbox.answers = ["451 later"]
    with pytest.raises(MailsUnsent):
        await deliver(office, made)
    (mail,) = await mails_of(office, made)
    assert (mail.status, mailbox.taken) == ("queued", [])
    assert mail.error is not None
    assert "later" in mail.error
    (mail,) = await deliver(office, made)
    assert (mail.status, mail.error, len(mailbox.taken)) == ("sent", None, 1)


async def test_what_is_refused_is_not_tried_again(api: Api, office: PostOffice, mailbox: MailServer) -> None:
    made = sell(shop(api))
    mailbox.answers = ["554 no"]
    for _ in range(2):
        (mail,) = await deliver(office, made)
        assert (mail.status, mail.error) == ("failed", "554 no")
    assert (mailbox.tried, mailbox.taken) == (1, [])


async def test_a_server_that_is_away_loses_nothing(api: Api, office: PostOffice, mailbox: MailServer) -> None:
    made = sell(shop(api))
    assert isinstance(office.post, SmtpPost)
    away = replace(office, post=replace(office.post, port=9))
    with pytest.raises(MailsUnsent):
        await deliver(away, made)
    await deliver(office, made)
    assert len(mailbox.taken) == 1


async def test_without_a_server_mails_are_skipped(api: Api, office: PostOffice) -> None:
    (mail,) = await deliver(replace(office, post=None), sell(shop(api)))
    assert mail.status == "skipped"


async def test_without_documents_mails_go_alone(api: Api, office: PostOffice, mailbox: MailServer) -> None:
    await deliver(replace(office, press=replace(office.press, documents=None)), sell(shop(api)))
    (taken,) = mailbox.taken
    assert list(taken.message.iter_attachments()) == []
    body = taken.message.get_body(("plain",))
    assert body is not None
    assert "/files/" not in body.get_content()


@pytest.mark.parametrize(
    ("organization", "customer", "fee"),
    [
        ({"email_settings": ["credit_note.created"]}, {}, {}),
        ({"email": None}, {}, {}),
        ({}, {"email": None}, {}),
        ({}, {}, {"unit_amount_cents": 0}),
    ],
)
async def test_what_is_not_mailed(
    api: Api, office: PostOffice, organization: dict[str, Any], customer: dict[str, Any], fee: dict[str, Any]
) -> None:
    shop(api, **organization)
    api.post("/customers", {"customer": {"external_id": "acme", **customer}})
    assert await mails_of(office, sell(api, **fee)) == []


async def test_in_the_customers_language_from_the_sellers_address(
    api: Api, office: PostOffice, mailbox: MailServer
) -> None:
    shop(api, from_email=True)
    body = {"external_id": "acme", "billing_configuration": {"document_locale": "de"}}
    api.post("/customers", {"customer": body})
    await deliver(office, sell(api))
    (taken,) = mailbox.taken
    assert taken.sender == "billing@seller.test"
    assert taken.message["Subject"].strip().startswith("Ihre Rechnung von")


async def test_drafts_are_mailed_once_they_are_issued(api: Api, office: PostOffice) -> None:
    shop(api)
    api.at("2025-05-10T00:00:00Z")
    grace = {"external_id": "acme", "billing_configuration": {"invoice_grace_period": 3}}
    api.post("/customers", {"customer": grace})
    plan = {"name": "P", "code": "p", "interval": "monthly", "amount_cents": 3100, "amount_currency": "EUR"}
    api.post("/plans", {"plan": {**plan, "pay_in_advance": True}})
    body = {"external_customer_id": "acme", "plan_code": "p", "external_id": "s"}
    api.post("/subscriptions", {"subscription": body})
    (draft,) = api.get("/invoices")["invoices"]
    assert await mails_of(office, draft) == []
    api.put(f"/invoices/{draft['lago_id']}/finalize")
    assert [mail.resent for mail in await mails_of(office, draft)] == [False]


async def test_by_hand(api: Api, office: PostOffice, mailbox: MailServer) -> None:
    made = sell(shop(api))
    path = f"/invoices/{made['lago_id']}/resend_email"
    assert api.post(path, {"to": ["x@y.test"], "cc": ["c@y.test"], "bcc": ["b@y.test"]}) is None
    assert api.post(path) is None
    first, second, third = await mails_of(office, made)
    assert [mail.resent for mail in (first, second, third)] == [False, True, True]
    await send_mails(office, [second.id])  # its document was not made yet
    (taken,) = mailbox.taken
    assert taken.recipients == ("x@y.test", "c@y.test", "b@y.test")
    assert (taken.message["To"], taken.message["Cc"], taken.message["Bcc"]) == ("x@y.test", "c@y.test", None)
    assert len(list(taken.message.iter_attachments())) == 1
    assert list(third.to) == ["a@acme.test", "b@acme.test"]


@pytest.fixture
def mailing(database_url: str, mailbox: MailServer, tmp_path: Path) -> Iterator[Running]:
    smtp = {"smtp_host": "127.0.0.1", "smtp_port": mailbox.port, "smtp_security": "none"}
    server = Running(settings_for(database_url, tmp_path, **smtp))
    server.start()
    yield server
    server.stop()


def test_over_http(mailing: Running, mailbox: MailServer) -> None:
    api = shop(Api(mailing.url))
    api.at("2025-05-10T00:00:00Z")
    made = sell(api)
    api.at("2025-05-10T00:00:01Z")
    (taken,) = mailbox.taken
    assert made["number"] in taken.message["Subject"]
    assert taken.sender == "billing@seller.test"  # the installation has no address of its own
    api.post(f"/invoices/{made['lago_id']}/resend_email", {"to": ["x@y.test"]})
    api.at("2025-05-10T00:00:02Z")
    assert [one.recipients for one in mailbox.taken[1:]] == [("x@y.test",)]
