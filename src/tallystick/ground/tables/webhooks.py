"""Tables written by the webhooks room: endpoints, messages, deliveries and their attempts."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import (
    Base,
    Id,
    Instant,
    OptionalInstant,
    OptionalRef,
    OptionalTexts,
    OrganizationRef,
    Ref,
)


class WebhookEndpoint(Base):
    """Where an organization's application receives messages (webhooks.md §1.9)."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (UniqueConstraint("organization_id", "webhook_url"),)

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    webhook_url: Mapped[str]
    signature_algo: Mapped[str] = mapped_column(default="jwt")
    name: Mapped[str | None]
    #: null = every type, [] = nothing
    event_types: Mapped[OptionalTexts]
    #: Standard Webhooks secret (whsec_…), and during a rotation the one before it
    secret: Mapped[str]
    previous_secret: Mapped[str | None]
    previous_secret_expires_at: Mapped[OptionalInstant]
    #: since when deliveries have only failed; null after a success
    failing_since_at: Mapped[OptionalInstant]
    disabled_at: Mapped[OptionalInstant]
    #: the one dispatcher that sends to this endpoint, until when (the database's clock); null when nobody does
    leased_by: Mapped[OptionalRef]
    leased_until: Mapped[OptionalInstant]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class WebhookMessage(Base):
    """A message rendered once: the exact bytes that are signed and sent (webhooks.md §1.1)."""

    __tablename__ = "webhook_messages"
    __table_args__ = (Index(None, "organization_id", "created_at"),)

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    webhook_type: Mapped[str]
    #: class-like name of the subject, e.g. Invoice (webhooks.md §1.7)
    object_type: Mapped[str | None]
    object_id: Mapped[OptionalRef]
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Instant]


class WebhookDelivery(Base):
    """A message on its way to one endpoint; its id is the unique key sent in the header (webhooks.md §1.7)."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("message_id", "endpoint_id"),
        Index(None, "endpoint_id", "updated_at"),
        # what a dispatcher looks for: due deliveries, fair per endpoint, in outbox order
        Index(
            "ix_webhook_deliveries_due",
            "endpoint_id",
            "next_attempt_at",
            "position",
            postgresql_where=text("next_attempt_at is not null"),
        ),
        Index(
            "ix_webhook_deliveries_organization_due",
            "organization_id",
            "next_attempt_at",
            postgresql_where=text("next_attempt_at is not null"),
        ),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    message_id: Mapped[Ref] = mapped_column(ForeignKey("webhook_messages.id", ondelete="CASCADE"))
    endpoint_id: Mapped[Ref] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    #: of its message in the outbox: first attempts start in this order
    position: Mapped[int] = mapped_column(BigInteger)
    webhook_type: Mapped[str]
    endpoint_url: Mapped[str]
    #: pending, retrying, succeeded, failed
    status: Mapped[str] = mapped_column(default="pending")
    retries: Mapped[int] = mapped_column(default=0)
    http_status: Mapped[int | None]
    response: Mapped[str | None]
    #: when the next attempt falls due; null when none is planned. A sandbox organization's clock decides there
    next_attempt_at: Mapped[OptionalInstant]
    last_retried_at: Mapped[OptionalInstant]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class WebhookAttempt(Base):
    """One try to deliver: what was answered and how long it took."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (Index(None, "delivery_id"),)

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    delivery_id: Mapped[Ref] = mapped_column(ForeignKey("webhook_deliveries.id", ondelete="CASCADE"))
    http_status: Mapped[int | None]
    error: Mapped[str | None]
    duration_ms: Mapped[int]
    attempted_at: Mapped[Instant]
