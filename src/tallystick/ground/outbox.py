"""The outbox: messages committed with the state they tell of. Rendering and sending are the webhooks room's work."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text, update

from tallystick.ground import json
from tallystick.ground.db import Tx
from tallystick.ground.tables import OutboxMessage

#: the channel on which dispatchers wait
CHANNEL = "tallystick_outbox"


@dataclass(frozen=True, slots=True)
class Message:
    """`webhook_type` about `subject_id`, at the domain instant `at`; `options` hold what cannot be reloaded later."""

    organization_id: uuid.UUID
    webhook_type: str
    subject_id: uuid.UUID
    at: dt.datetime
    options: Mapping[str, Any] = field(default_factory=dict)


async def emit(tx: Tx, messages: Sequence[Message]) -> None:
    """Write messages in this order. Organizations without an endpoint get none (webhooks.md §1.1 step 2)."""
    if not messages:
        return
    await tx.flush()
    written = await tx.execute(
        _EMIT,
        {
            "organizations": [message.organization_id for message in messages],
            "types": [message.webhook_type for message in messages],
            "subjects": [message.subject_id for message in messages],
            "options": [json.dump_text(dict(message.options)) for message in messages],
            "instants": [message.at for message in messages],
        },
    )
    if written.rowcount:  # type: ignore[attr-defined]
        await tx.execute(text(f"select pg_notify('{CHANNEL}', '')"))


async def retry_failed(tx: Tx) -> int:
    """Messages that could not be rendered are tried again; how many."""
    statement = update(OutboxMessage).where(OutboxMessage.failed_at.is_not(None)).values(failed_at=None, error=None)
    again = list(await tx.scalars(statement.returning(OutboxMessage.position)))
    await tx.execute(text(f"select pg_notify('{CHANNEL}', '')"))
    return len(again)


_EMIT = text("""
    insert into outbox (organization_id, webhook_type, subject_id, options, at)
    select m.organization_id, m.webhook_type, m.subject_id, m.options, m.at
    from unnest(
      cast(:organizations as uuid[]), cast(:types as text[]), cast(:subjects as uuid[]),
      cast(:options as json[]), cast(:instants as timestamptz[])
    ) with ordinality as m(organization_id, webhook_type, subject_id, options, at, place)
    where exists (
      select from webhook_endpoints e where e.organization_id = m.organization_id and e.disabled_at is null
    )
    order by m.place
""")
