"""Jobs that send mails, asked for in the transaction that makes them possible."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select

from tallystick.ground.db import Tx
from tallystick.ground.jobs import Job, enqueue, queue_of
from tallystick.ground.tables import Organization

TASK = "send_mails"
#: mails of one job
CHUNK = 20


async def request_mails(tx: Tx, mails: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> None:
    """Ask for the sending of queued mails: (organization, mail) pairs."""
    if not mails:
        return
    by_organization: dict[uuid.UUID, list[uuid.UUID]] = {}
    for organization_id, mail_id in mails:
        by_organization.setdefault(organization_id, []).append(mail_id)
    rows = await tx.execute(
        select(Organization.id, Organization.sandbox).where(Organization.id.in_(list(by_organization)))
    )
    jobs = [
        Job(TASK, {"mail_ids": ids[start : start + CHUNK]}, queue_of(organization_id, sandbox))
        for organization_id, sandbox in rows
        for ids in (by_organization[organization_id],)
        for start in range(0, len(ids), CHUNK)
    ]
    await enqueue(tx, jobs)
