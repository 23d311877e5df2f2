"""Tables written by the metering room: raw events, their identities, and which subscriptions they touched."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import Base, Id, Instant, Map, OrganizationRef, Ref


class Event(Base):
    """One usage fact, for ever as it was sent. Partitioned by month of its timestamp; identity is in `event_keys`.

    `organization_id` has no foreign key on purpose: it would cost a lookup per event and events are never deleted.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_rating", "organization_id", "external_subscription_id", "code", "timestamp"),
        Index("ix_events_created_at", "organization_id", "created_at"),
        {"postgresql_partition_by": "RANGE (timestamp)"},
    )

    # in this order the key also serves the list of events, newest first
    organization_id: Mapped[Ref] = mapped_column(primary_key=True)
    timestamp: Mapped[Instant] = mapped_column(primary_key=True)
    id: Mapped[Ref] = mapped_column(primary_key=True)
    external_subscription_id: Mapped[str]
    transaction_id: Mapped[str]
    code: Mapped[str]
    properties: Mapped[Map] = mapped_column(server_default=text("'{}'"))
    precise_total_amount_cents: Mapped[Decimal | None] = mapped_column(Numeric(40, 15))
    created_at: Mapped[Instant]


class EventKey(Base):
    """The identity of an event, for ever (metering.md §1.7); the unpartitioned twin that makes it unique."""

    __tablename__ = "event_keys"

    organization_id: Mapped[Ref] = mapped_column(primary_key=True)
    transaction_id: Mapped[str] = mapped_column(primary_key=True)
    external_subscription_id: Mapped[str] = mapped_column(primary_key=True)
    #: where the event lies: its partition and its id
    timestamp: Mapped[Instant]
    event_id: Mapped[Ref]


class TouchedSubscription(Base):
    """New events of a subscription that somebody watches, noted with them; an agenda entry names it (metering.md §1.8).

    One row for each commit of events, so that a look at usage never misses those that were committed meanwhile.
    """

    __tablename__ = "touched_subscriptions"

    id: Mapped[Ref] = mapped_column(primary_key=True)
    organization_id: Mapped[Ref]
    external_subscription_id: Mapped[str]


class DailyUsage(Base):
    """Usage of a subscription's running period as it stood at the end of a local day (metering.md §11).

    `items` and `difference` are lists of what core/daily_usage.py calls items: since the period began, and of the day.
    """

    __tablename__ = "daily_usages"
    __table_args__ = (
        UniqueConstraint("subscription_id", "usage_on"),
        Index(None, "organization_id", "usage_on"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    customer_id: Mapped[Ref] = mapped_column(ForeignKey("customers.id"))
    subscription_id: Mapped[Ref] = mapped_column(ForeignKey("subscriptions.id"))
    usage_on: Mapped[dt.date] = mapped_column(Date)
    #: the usage period, end exclusive
    from_at: Mapped[Instant]
    to_at: Mapped[Instant]
    currency: Mapped[str]
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    difference: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[Instant]
