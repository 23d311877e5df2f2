"""From the outbox to deliveries: renders each message once and stores one delivery for each endpoint that wants it.

Nothing is sent here. One organization is fanned out by one process at a time, so its order is the outbox's.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from tallystick.ground import json
from tallystick.ground.clock import machine_now
from tallystick.ground.db import Database, Tx, copy, load_query
from tallystick.ground.ids import new_id
from tallystick.ground.outbox import CHANNEL
from tallystick.ground.tables import OutboxMessage, WebhookEndpoint
from tallystick.rooms.webhooks import catalogue
from tallystick.rooms.webhooks.ports import Rendered, Renderer

log = structlog.get_logger(__name__)

#: outbox rows of one transaction
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Step:
    """What one transaction did: how many outbox rows it took, and which endpoints have something new."""

    taken: int = 0
    endpoint_ids: frozenset[uuid.UUID] = frozenset()


class FanOut:
    """Fans out with one renderer. `aliases` are other names for types on the wire (webhooks.md §2.3)."""

    def __init__(self, database: Database, renderer: Renderer, aliases: Mapping[str, str]) -> None:
        self._database = database
        self._renderer = renderer
        self._aliases = aliases
        #: organizations where a row cannot be rendered: how many rows to try at once until it is found
        self._limits: dict[uuid.UUID, int] = {}

    async def waiting(self) -> list[uuid.UUID]:
        """Live organizations that have something in the outbox."""
        async with self._database.begin() as tx:
            return list(await tx.scalars(_WAITING))

    async def step(self, organization_id: uuid.UUID, at: dt.datetime | None = None) -> Step:
        """Take the organization's next rows, in one transaction; nothing when another process is at it.

        `at` is the clock of a sandbox organization; without it deliveries fall due on the database's clock. A row that
        cannot be rendered is set aside with its error, the others go on.
        """
        limit = self._limits.get(organization_id, CHUNK)
        rows: Sequence[OutboxMessage] = ()
        try:
            async with self._database.begin() as tx:
                if not await _hold(tx, organization_id, wait=at is not None):
                    return Step()
                rows = await _next_rows(tx, organization_id, limit)
                step = await self._store(tx, organization_id, rows, at) if rows else Step()
        except Exception as error:
            if is_passing(error):
                raise
            if len(rows) > 1:
                self._limits[organization_id] = max(1, len(rows) // 4)
            else:
                await self._set_aside(rows, error)
            return Step(taken=len(rows))
        if limit * 4 < CHUNK:
            self._limits[organization_id] = limit * 4
        else:
            self._limits.pop(organization_id, None)
        return step

    async def _store(
        self, tx: Tx, organization_id: uuid.UUID, rows: Sequence[OutboxMessage], at: dt.datetime | None
    ) -> Step:
        endpoints = await _endpoints(tx, organization_id)
        wanted = [row for row in rows if any(catalogue.accepts(e.event_types, row.webhook_type) for e in endpoints)]
        rendered = await self._renderer(tx, wanted) if wanted else []
        now = at or await tx.scalar(select(func.clock_timestamp()))
        assert now is not None
        messages = {item.row.position: self._message(item) for item in rendered}
        deliveries = [
            _delivery(message, position, endpoint, at, now)
            for position, message in messages.items()
            for endpoint in endpoints
            if catalogue.accepts(endpoint.event_types, message["webhook_type"])
        ]
        await copy(tx, "webhook_messages", list(messages.values()))
        await copy(tx, "webhook_deliveries", deliveries)
        gone = delete(OutboxMessage).where(OutboxMessage.position.in_([row.position for row in rows]))
        await tx.execute(gone.execution_options(synchronize_session=False))
        if deliveries:
            await tx.execute(text(f"select pg_notify('{CHANNEL}', '')"))
        return Step(len(rows), frozenset(endpoint.id for endpoint in endpoints))

    def _message(self, item: Rendered) -> dict[str, Any]:
        row = item.row
        return {
            "id": new_id(),
            "organization_id": row.organization_id,
            "webhook_type": row.webhook_type,
            "object_type": item.subject_kind,
            "object_id": row.subject_id,
            "payload": envelope(item, self._aliases.get(row.webhook_type, row.webhook_type)),
            "created_at": row.at,
        }

    async def _set_aside(self, rows: Sequence[OutboxMessage], error: Exception) -> None:
        for row in rows:
            log.error("message not rendered", position=row.position, webhook_type=row.webhook_type, exc_info=error)
            async with self._database.begin() as tx:
                await tx.execute(
                    update(OutboxMessage)
                    .where(OutboxMessage.position == row.position)
                    .values(error=repr(error)[:2000], failed_at=machine_now())
                )


def _delivery(
    message: Mapping[str, Any], position: int, endpoint: WebhookEndpoint, at: dt.datetime | None, now: dt.datetime
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "organization_id": message["organization_id"],
        "message_id": message["id"],
        "endpoint_id": endpoint.id,
        "position": position,
        "webhook_type": message["webhook_type"],
        "endpoint_url": endpoint.webhook_url,
        "status": "pending",
        "retries": 0,
        "next_attempt_at": now if at is None else min(message["created_at"], at),
        "created_at": message["created_at"],
        "updated_at": now,
    }


def envelope(item: Rendered, webhook_type: str) -> bytes:
    """The body that is signed and sent: four members in this order, compact JSON (webhooks.md §1.2)."""
    return json.dumps(
        {
            "webhook_type": webhook_type,
            "object_type": item.object_type,
            "organization_id": item.row.organization_id,
            item.object_type: item.object,
        }
    )


def is_passing(error: Exception) -> bool:
    """Whether trying the same again may succeed: a lost connection or lock, not a broken row."""
    if isinstance(error, DBAPIError):
        return not isinstance(error, DataError | IntegrityError | ProgrammingError)
    return isinstance(error, OSError)


async def _hold(tx: Tx, organization_id: uuid.UUID, *, wait: bool) -> bool:
    """Keep other processes from fanning out this organization until the transaction ends."""
    lock = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    held = await tx.scalar(
        text(f"select {lock}(hashtextextended(:key, 0))"), {"key": f"webhooks.fan_out:{organization_id}"}
    )
    return wait or bool(held)


async def _next_rows(tx: Tx, organization_id: uuid.UUID, limit: int) -> list[OutboxMessage]:
    statement = (
        select(OutboxMessage)
        .where(OutboxMessage.organization_id == organization_id, OutboxMessage.failed_at.is_(None))
        .order_by(OutboxMessage.position)
        .limit(limit)
    )
    rows = list(await tx.scalars(statement))
    for row in rows:
        tx.expunge(row)  # readable after a rollback too
    return rows


async def _endpoints(tx: Tx, organization_id: uuid.UUID) -> list[WebhookEndpoint]:
    """The enabled endpoints; none of them can be deleted before the transaction ends."""
    statement = (
        select(WebhookEndpoint)
        .where(WebhookEndpoint.organization_id == organization_id, WebhookEndpoint.disabled_at.is_(None))
        .order_by(WebhookEndpoint.created_at, WebhookEndpoint.id)
        .with_for_update(read=True, key_share=True)
    )
    return list(await tx.scalars(statement))


_WAITING = load_query(__file__, "waiting")
