"""Tables written by the taxes room: taxes and what they are attached to."""

from __future__ import annotations

import uuid

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import Base, Id, Instant, OptionalInstant, OrganizationRef, Rate


class Tax(Base):
    """A rate in percent (credits.md §2.1)."""

    __tablename__ = "taxes"
    __table_args__ = (
        Index("uq_taxes_code", "organization_id", "code", unique=True, postgresql_where=text("deleted_at is null")),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    code: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None]
    rate: Mapped[Rate]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    deleted_at: Mapped[OptionalInstant]


class TaxLink(Base):
    """A tax attached to an owner: billing entity, customer, plan, charge, fixed charge, add-on or commitment."""

    __tablename__ = "tax_links"
    __table_args__ = (Index(None, "tax_id"), Index(None, "owner_kind", "owner_id"))

    owner_kind: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True)
    tax_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), ForeignKey("taxes.id"), primary_key=True)
    organization_id: Mapped[OrganizationRef]
    created_at: Mapped[Instant]
