"""The job that sends mails: each is noted as sent right after it was taken, so a repeated job sends the others only.

A mail is sent twice only when its job dies between the two; then both bear the same id. No transaction is open
while mails are under way.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select

from tallystick.flows.documents.invoices import generate_documents
from tallystick.flows.documents.press import DocumentsMissing, Press
from tallystick.flows.wire.invoices import invoices
from tallystick.ground.db import Tx
from tallystick.ground.domain_time import now_of
from tallystick.ground.tables import BillingEntity, Customer, Invoice, Mail, Organization
from tallystick.rooms.mails import store
from tallystick.rooms.mails.ports import Letter, Letters, Post, Refused
from tallystick.rooms.organizations import views as organization_views

log = structlog.get_logger(__name__)

MAX_ERROR = 500


class MailsUnsent(RuntimeError):
    """Some mails of a job could not be sent; the others are."""


@dataclass(frozen=True, slots=True)
class PostOffice:
    """What it takes to send mails. `post` is None when the installation sends none."""

    press: Press
    letters: Letters
    post: Post | None

    async def run(self, mail_ids: Sequence[str]) -> None:
        """The job."""
        await send_mails(self, [uuid.UUID(text) for text in mail_ids])


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What a mail is made of."""

    mail: Mail
    invoice: Invoice
    issuer: BillingEntity
    organization: Organization
    locale: str
    body: Mapping[str, Any]
    issuer_body: Mapping[str, Any]


async def send_mails(office: PostOffice, mail_ids: Sequence[uuid.UUID]) -> None:
    """Send those of the mails that are still to be sent. Raises `MailsUnsent` when one may succeed later."""
    database = office.press.database
    if office.post is None:
        async with database.begin() as tx:
            for mail in await store.queued(tx, mail_ids):
                await _settle(tx, mail, status="skipped", error="no SMTP server is set up")
        return
    await _make_documents(office, mail_ids)
    async with database.begin() as tx:
        sheets = await _sheets(office, tx, await store.queued(tx, mail_ids))
    unsent = [error for sheet in sheets if (error := await _send(office, office.post, sheet)) is not None]
    if unsent:
        raise MailsUnsent(f"{len(unsent)} of {len(sheets)}") from unsent[0]


async def _make_documents(office: PostOffice, mail_ids: Sequence[uuid.UUID]) -> None:
    """Mails by hand may come before their document, or after it was lost."""
    async with office.press.database.begin() as tx:
        documents = {mail.document_id for mail in await store.queued(tx, mail_ids)}
    try:
        await generate_documents(office.press, sorted(documents))
    except DocumentsMissing as error:
        log.warning("mails go without what could not be made", error=str(error))


async def _sheets(office: PostOffice, tx: Tx, mails: Sequence[Mail]) -> list[_Sheet]:
    statement = (
        select(Invoice, BillingEntity, Organization, Customer.document_locale)
        .join(BillingEntity, BillingEntity.id == Invoice.billing_entity_id)
        .join(Organization, Organization.id == Invoice.organization_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .where(Invoice.id.in_({mail.document_id for mail in mails}))
    )
    found = list(await tx.execute(statement))
    rows = [row for row, _, _, _ in found]
    url = office.press.public_api_url
    now = await now_of(tx, {row.organization_id for row in rows})
    at = max(now.values()) if now else None
    shown = await invoices(tx, rows, at=at, public_api_url=url, include=frozenset({"customer"})) if at else []
    known: dict[uuid.UUID, Any] = {}
    for (row, issuer, organization, own_locale), body in zip(found, shown, strict=True):
        issuer_body = organization_views.billing_entities([issuer], url)[0]
        known[row.id] = (row, issuer, organization, own_locale or issuer.document_locale, body, issuer_body)
    return [_Sheet(mail, *known[mail.document_id]) for mail in mails]


async def _send(office: PostOffice, post: Post, sheet: _Sheet) -> Exception | None:
    """Send one mail and note it; the error that may pass, None when the mail is done with."""
    try:
        letter = await _letter(office, post, sheet)
        await post.send(letter)
    except Refused as error:
        await _note(office, sheet, status="failed", error=str(error)[:MAX_ERROR])
        return None
    except Exception as error:
        log.warning("a mail cannot be sent now", mail_id=str(sheet.mail.id), error=str(error))
        await _note(office, sheet, error=f"{type(error).__name__}: {error}"[:MAX_ERROR])
        return error
    await _note(office, sheet, status="sent", subject=letter.wording.subject, error=None)
    return None


async def _letter(office: PostOffice, post: Post, sheet: _Sheet) -> Letter:
    marked = not sheet.organization.remove_branding_watermark
    wording = office.letters.invoice(sheet.body, sheet.issuer_body, sheet.locale, marked=marked)
    own = (sheet.issuer.email or "").split(",")[0].strip()
    address = own if sheet.organization.from_email else post.address or own
    key = sheet.invoice.file_key
    content = await office.press.storage.get(key) if key else None
    files = {} if content is None else {f"invoice-{sheet.invoice.number}.pdf": content}
    mail = sheet.mail
    return Letter(
        id=f"{mail.id}@{address.rpartition('@')[2]}",
        sender_name=sheet.issuer.name,
        sender_address=address,
        reply_to=own,
        to=tuple(mail.to),
        cc=tuple(mail.cc),
        bcc=tuple(mail.bcc),
        wording=wording,
        files=files,
    )


async def _note(office: PostOffice, sheet: _Sheet, **columns: Any) -> None:
    async with office.press.database.begin() as tx:
        await _settle(tx, sheet.mail, **columns)


async def _settle(tx: Tx, mail: Mail, **columns: Any) -> None:
    at = (await now_of(tx, {mail.organization_id}))[mail.organization_id]
    if columns.get("status") == "sent":
        columns["sent_at"] = at
    await store.settle(tx, mail.id, at, **columns)
