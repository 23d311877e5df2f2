"""Usage added up beforehand: a cache of what raw events say, written by the metering room (docs/decisions/0011).

All of it may be emptied at any instant. The tables are not logged: PostgreSQL itself empties them after a crash.
"""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    LargeBinary,
    Numeric,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import Base, Id, Map, OptionalInstant, OptionalRef, Ref

_UNLOGGED = {"prefixes": ["UNLOGGED"]}


class RolledStream(Base):
    """The events of one subscription and code: from now on, new ones are noted in `unrolled_events` (rollups.sql)."""

    __tablename__ = "rolled_streams"
    __table_args__ = (UniqueConstraint("organization_id", "external_subscription_id", "code"), _UNLOGGED)

    id: Mapped[Id]
    organization_id: Mapped[Ref]
    external_subscription_id: Mapped[str]
    code: Mapped[str]
    #: transactions below this number may not have seen the row; when all of them have ended, all new events are noted
    horizon: Mapped[int | None] = mapped_column(BigInteger)


class UnrolledEvents(Base):
    """Where events lie that no rollup of their stream holds yet: one row for each statement that stored some."""

    __tablename__ = "unrolled_events"
    __table_args__ = (_UNLOGGED,)

    stream_id: Mapped[Ref] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    timestamps: Mapped[list[dt.datetime]] = mapped_column(ARRAY(DateTime(timezone=True)))
    event_ids: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(UUID(as_uuid=True)))


class Rollup(Base):
    """One question about a stream: a window and all that decides which events count, in which bucket and group.

    `definition` is the hash of `question`. Only a built one answers; it holds all events of its stream but those noted
    as unrolled.
    """

    __tablename__ = "rollups"
    __table_args__ = (UniqueConstraint("stream_id", "definition"), _UNLOGGED)

    id: Mapped[Id]
    stream_id: Mapped[uuid.UUID] = mapped_column(
        UUID(as_uuid=True), ForeignKey("rolled_streams.id", ondelete="CASCADE")
    )
    definition: Mapped[bytes] = mapped_column(LargeBinary)
    question: Mapped[Map]
    built: Mapped[bool]
    #: the last day on which it was asked, by the machine's clock
    asked_on: Mapped[dt.date] = mapped_column(Date)


class RollupPart(Base):
    """The figures of one bucket and group so far; `key` is the hash of both. See `core.aggregate.Figures`.

    `last_*` is the place in time of the event that gave the last value, for metrics that want the latest one.
    """

    __tablename__ = "rollup_parts"
    __table_args__ = (_UNLOGGED,)

    rollup_id: Mapped[uuid.UUID] = mapped_column(
        UUID(as_uuid=True), ForeignKey("rollups.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    filter_no: Mapped[int]
    grp: Mapped[list[str | None]] = mapped_column(ARRAY(Text))
    events: Mapped[int] = mapped_column(BigInteger)
    window_events: Mapped[int] = mapped_column(BigInteger)
    units: Mapped[Decimal] = mapped_column(Numeric)
    carried: Mapped[Decimal] = mapped_column(Numeric)
    weight: Mapped[Decimal] = mapped_column(Numeric)
    precise_cents: Mapped[Decimal] = mapped_column(Numeric)
    last_at: Mapped[OptionalInstant]
    last_created_at: Mapped[OptionalInstant]
    last_id: Mapped[OptionalRef]


class RollupText(Base):
    """A text of a unique count: whether its last operation adds it, and where in time that operation lies.

    `key` is the hash of bucket, group and text.
    """

    __tablename__ = "rollup_texts"
    __table_args__ = (_UNLOGGED,)

    rollup_id: Mapped[uuid.UUID] = mapped_column(
        UUID(as_uuid=True), ForeignKey("rollups.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    there: Mapped[bool]
    last_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    last_created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    last_id: Mapped[Ref]
