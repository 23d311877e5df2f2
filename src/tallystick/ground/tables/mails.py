"""A table of the mails room: the mails that were asked for, with what became of each."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import Base, Id, Instant, OptionalInstant, OrganizationRef, Ref, Texts


class Mail(Base):
    """A mail that brings a document. The one that follows its issue exists once; mails by hand are `resent`."""

    __tablename__ = "mails"
    __table_args__ = (
        Index("uq_mails_document", "document_kind", "document_id", unique=True, postgresql_where=text("not resent")),
        CheckConstraint("document_kind in ('invoice', 'credit_note', 'payment_receipt')", name="document_kind"),
        CheckConstraint("status in ('waiting', 'queued', 'sent', 'failed', 'skipped')", name="status"),
        Index(None, "organization_id", "created_at", "id"),
        Index("ix_mails_waiting", "document_id", postgresql_where=text("status = 'waiting'")),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    document_kind: Mapped[str]
    document_id: Mapped[Ref]
    resent: Mapped[bool] = mapped_column(default=False)
    #: waiting for its document, queued (a job has it), sent, failed for good, skipped (the installation sends none)
    status: Mapped[str]
    to: Mapped[Texts]
    cc: Mapped[Texts] = mapped_column(default=list)
    bcc: Mapped[Texts] = mapped_column(default=list)
    subject: Mapped[str | None]
    #: what the last attempt met
    error: Mapped[str | None]
    sent_at: Mapped[OptionalInstant]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
