"""SQL of the mails room; the only writer of `mails`."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, text, update

from tallystick.ground.db import Tx, load_query
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Mail

_NOTE = {"invoice": load_query(__file__, "note_invoices"), "credit_note": load_query(__file__, "note_credit_notes")}

QUEUED = "queued"


async def note(tx: Tx, kind: str, issued: Sequence[tuple[uuid.UUID, dt.datetime]]) -> None:
    """Documents of a kind that were issued at these instants are to be mailed, once each, if they are mailed at all."""
    if issued:
        ids, instants = [one for one, _ in issued], [at for _, at in issued]
        await tx.execute(_NOTE[kind], {"mails": [new_id() for _ in issued], "subjects": ids, "instants": instants})


async def queue_waiting(tx: Tx, kind: str, document_ids: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """The documents are there: their waiting mails are somebody's job now; (organization, mail) pairs."""
    rows = await tx.execute(_QUEUE, {"kind": kind, "documents": list(document_ids)})
    return [(organization_id, mail_id) for organization_id, mail_id in rows]


async def add(tx: Tx, **columns: Any) -> Mail:
    """A mail by hand, queued."""
    mail = Mail(id=new_id(), resent=True, status=QUEUED, **columns)
    tx.add(mail)
    await tx.flush()
    return mail


async def queued(tx: Tx, mail_ids: Sequence[uuid.UUID]) -> list[Mail]:
    """Those of the mails that are still to be sent, in order."""
    statement = select(Mail).where(Mail.id.in_(mail_ids), Mail.status == QUEUED).order_by(Mail.id)
    return list(await tx.scalars(statement))


async def settle(tx: Tx, mail_id: uuid.UUID, at: dt.datetime, **columns: Any) -> None:
    """Note what became of a mail."""
    await tx.execute(update(Mail).where(Mail.id == mail_id).values(**columns, updated_at=at))


_QUEUE = text("""
    update mails set status = 'queued'
    where status = 'waiting' and document_kind = :kind and document_id = any(cast(:documents as uuid[]))
    returning organization_id, id
""")
