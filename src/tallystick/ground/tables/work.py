"""Tables of the ground itself: the agenda of what will happen, the outbox of what must be told, and kept secrets.

Not for what a room owns; only what every room and process shares.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import Base, Instant, OptionalInstant, Ref


class AgendaEntry(Base):
    """Something that will happen at `due_at` (domain time of its organization). One per kind and subject.

    `organization_id` has no foreign key on purpose, here and in the outbox: organizations are never deleted, and
    looking one up for each row costs nearly as much as writing it.
    """

    __tablename__ = "agenda"
    __table_args__ = (
        Index("ix_agenda_due", "due_at", "rank", "subject_id", postgresql_where=text("failed_at is null")),
        Index("ix_agenda_organization", "organization_id", "due_at", "rank", "subject_id"),
    )

    kind: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[Ref] = mapped_column(primary_key=True)
    organization_id: Mapped[Ref]
    due_at: Mapped[Instant]
    #: order of kinds that fall due at one instant (subscriptions.md §7)
    rank: Mapped[int] = mapped_column(SmallInteger)
    #: a poisoned entry: the error that stopped it, kept for the operator and tried again when retried
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    failed_at: Mapped[OptionalInstant]


class OutboxMessage(Base):
    """A message to be rendered and sent, committed with the state it tells of. Removed once fanned out."""

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "organization_id", "position"),)

    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    organization_id: Mapped[Ref]
    webhook_type: Mapped[str]
    subject_id: Mapped[Ref]
    #: what cannot be reloaded from the subject when the message is rendered; json keeps the order of members
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    at: Mapped[Instant]
    #: a row that cannot be rendered: the error, kept for the operator; tried again when `failed_at` is cleared
    error: Mapped[str | None]
    failed_at: Mapped[OptionalInstant]


class InstallationSecret(Base):
    """A secret that the installation made for itself and that all its processes share, e.g. the key of webhooks."""

    __tablename__ = "installation_secrets"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    created_at: Mapped[Instant]
