"""SQL of stored events: the only writer of `events` and `event_keys`. Usage is read from them in `measure.py`."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import ARRAY, UUID, DateTime, Select, any_, cast, func, select

from tallystick.ground.db import Tx
from tallystick.ground.tables import Event, EventKey, Subscription

Connection: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"

_INSERT = (Path(__file__).parent / "queries" / "insert_events.sql").read_text()

#: for connections that insert: the planner takes arrays for ten rows and would loop over them thousands of times
INSERT_SETTINGS = {"enable_nestloop": "off", "enable_mergejoin": "off", "jit": "off", "timezone": "UTC"}


class EventRow(NamedTuple):
    """An event to be stored; `properties` is JSON text."""

    organization_id: uuid.UUID
    id: uuid.UUID
    transaction_id: str
    external_subscription_id: str
    code: str
    timestamp: dt.datetime
    properties: str
    precise_total_amount_cents: Decimal | None
    created_at: dt.datetime


_ORIGIN = attrgetter("organization_id", "created_at")


async def insert(connection: Connection, rows: Sequence[EventRow]) -> list[int]:
    """Store events in one statement; the places (from 0) of those whose identity was taken (metering.md §1.7).

    Of equal identities among the rows the first is stored. The connection needs `INSERT_SETTINGS`.
    """
    origins = map(list, zip(*_origins(rows), strict=True))
    _, *columns, amounts, _ = map(list, zip(*rows, strict=True))
    if amounts.count(None) == len(amounts):
        amounts.clear()  # `unnest` fills up the shorter arrays with nulls
    refused = await connection.fetch(_INSERT, *origins, *columns, amounts)
    return [record[0] - 1 for record in refused]


def _origins(rows: Sequence[EventRow]) -> Iterator[tuple[uuid.UUID, dt.datetime, int]]:
    """Organization and instant of reception, and the place (from 1) of the first event that has them.

    The events of a request have both in common, so they are told once and not with each event.
    """
    place = 1
    for (organization_id, received_at), run in groupby(rows, _ORIGIN):
        yield organization_id, received_at, place
        place += len(list(run))


async def find(
    tx: Tx, organization_id: uuid.UUID, transaction_id: str, external_subscription_id: str | None = None
) -> Event | None:
    """The earliest event with this transaction id; several subscriptions may share it (metering.md §1.1)."""
    statement = (
        select(Event)
        .join(
            EventKey,
            (EventKey.organization_id == Event.organization_id)
            & (EventKey.timestamp == Event.timestamp)
            & (EventKey.event_id == Event.id),
        )
        .where(EventKey.organization_id == organization_id, EventKey.transaction_id == transaction_id)
        .order_by(Event.timestamp, Event.id)
        .limit(1)
    )
    if external_subscription_id is not None:
        statement = statement.where(EventKey.external_subscription_id == external_subscription_id)
    return (await tx.scalars(statement)).one_or_none()


async def by_places(
    tx: Tx, organization_id: uuid.UUID, places: Sequence[tuple[dt.datetime, uuid.UUID]]
) -> dict[uuid.UUID, Event]:
    """Events by id; a place is timestamp and id, which together are the key of the partitioned table."""
    statement = select(Event).where(
        Event.organization_id == organization_id,
        Event.timestamp.in_({timestamp for timestamp, _ in places}),
        Event.id.in_({event_id for _, event_id in places}),
    )
    return {row.id: row for row in await tx.scalars(statement)} if places else {}


async def received(tx: Tx, places: Sequence[tuple[uuid.UUID, uuid.UUID, dt.datetime]]) -> dict[uuid.UUID, Event]:
    """Events by id, of (organization, event, instant of reception); the instants spare a search of all partitions."""
    instant = ARRAY(DateTime(timezone=True))
    ids = ARRAY(UUID(as_uuid=True))
    statement = select(Event).where(
        Event.organization_id == any_(cast([organization_id for organization_id, _, _ in places], ids)),
        Event.created_at == any_(cast([received_at for _, _, received_at in places], instant)),
        Event.id == any_(cast([event_id for _, event_id, _ in places], ids)),
    )
    return {row.id: row for row in await tx.scalars(statement)}


def listing(
    organization_id: uuid.UUID,
    *,
    code: str | None = None,
    external_subscription_id: str | None = None,
    from_at: dt.datetime | None = None,
    to_at: dt.datetime | None = None,
) -> Select[Event]:
    """Events, newest timestamp first, then by transaction id; both bounds inclusive (metering.md §1.11)."""
    statement = select(Event).where(Event.organization_id == organization_id)
    if code is not None:
        statement = statement.where(Event.code == code)
    if external_subscription_id is not None:
        statement = statement.where(Event.external_subscription_id == external_subscription_id)
    if from_at is not None:
        statement = statement.where(Event.timestamp >= from_at)
    if to_at is not None:
        statement = statement.where(Event.timestamp <= to_at)
    return statement.order_by(Event.timestamp.desc(), Event.transaction_id)


async def started_at(tx: Tx, organization_id: uuid.UUID, external_subscription_id: str) -> dt.datetime | None:
    """When the subscription with this external id started: the active one, else the latest."""
    statement = (
        select(Subscription.started_at)
        .where(
            Subscription.organization_id == organization_id,
            Subscription.external_id == external_subscription_id,
            Subscription.started_at.is_not(None),
        )
        .order_by((func.coalesce(Subscription.status, "") == "active").desc(), Subscription.started_at.desc())
        .limit(1)
    )
    return await tx.scalar(statement)
