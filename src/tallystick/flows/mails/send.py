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

from tallystick.flows.documents.generate import generate_documents
from tallystick.flows.documents.kinds import CREDIT_NOTES, KINDS, Found, Kind
from tallystick.flows.documents.press import DocumentsMissing, Press
from tallystick.ground.db import Tx
from tallystick.ground.domain_time import now_of
from tallystick.ground.tables import Mail
from tallystick.rooms.mails import store
from tallystick.rooms.mails.ports import Letter, Letters, Post, Refused, Wording
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
    found: Found
    body: Mapping[str, Any]
    issuer: Mapping[str, Any]


async def send_mails(office: PostOffice, mail_ids: Sequence[uuid.UUID]) -> None:
    """Send those of the mails that are still to be sent. Raises `MailsUnsent` when one may succeed later."""
    async with office.press.database.begin() as tx:
        mails = await store.queued(tx, mail_ids)
        if office.post is None:
            for mail in mails:
                await _settle(tx, mail, status="skipped", error="no SMTP server is set up")
            return
    sheets = [sheet for kind in KINDS.values() for sheet in await _sheets(office, kind, mails)]
    unsent = [error for sheet in sheets if (error := await _send(office, office.post, sheet)) is not None]
    if unsent:
        raise MailsUnsent(f"{len(unsent)} of {len(sheets)}") from unsent[0]


async def _sheets(office: PostOffice, kind: Kind, mails: Sequence[Mail]) -> list[_Sheet]:
    """The mails of one kind with their documents, which are made when they are not there."""
    own = [mail for mail in mails if mail.document_kind == kind.name]
    ids = sorted({mail.document_id for mail in own})
    if not ids:
        return []
    try:
        # mails by hand may come before their document, or after it was lost
        await generate_documents(office.press, ids, kind)
    except DocumentsMissing as error:
        log.warning("mails go without what could not be made", error=str(error))
    url = office.press.public_api_url
    async with office.press.database.begin() as tx:
        found = await kind.find(tx, ids)
        bodies = await kind.bodies(tx, [one.row for one in found], url)
    issuers = organization_views.billing_entities([one.entity for one in found], url)
    known = {one.row.id: (one, body, issuer) for one, body, issuer in zip(found, bodies, issuers, strict=True)}
    return [_Sheet(mail, *known[mail.document_id]) for mail in own]


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
    found, mail = sheet.found, sheet.mail
    own = (found.entity.email or "").split(",")[0].strip()
    address = own if found.organization.from_email else post.address or own
    content = await office.press.storage.get(found.row.file_key) if found.row.file_key else None
    return Letter(
        id=f"{mail.id}@{address.rpartition('@')[2]}",
        sender_name=found.entity.name,
        sender_address=address,
        reply_to=own,
        to=tuple(mail.to),
        cc=tuple(mail.cc),
        bcc=tuple(mail.bcc),
        wording=_wording(office.letters, sheet),
        files={} if content is None else {f"{mail.document_kind}-{found.row.number}.pdf": content},
    )


def _wording(letters: Letters, sheet: _Sheet) -> Wording:
    found = sheet.found
    word = letters.credit_note if sheet.mail.document_kind == CREDIT_NOTES.name else letters.invoice
    return word(sheet.body, sheet.issuer, found.locale, marked=found.marked)


async def _note(office: PostOffice, sheet: _Sheet, **columns: Any) -> None:
    async with office.press.database.begin() as tx:
        await _settle(tx, sheet.mail, **columns)


async def _settle(tx: Tx, mail: Mail, **columns: Any) -> None:
    at = (await now_of(tx, {mail.organization_id}))[mail.organization_id]
    if columns.get("status") == "sent":
        columns["sent_at"] = at
    await store.settle(tx, mail.id, at, **columns)
