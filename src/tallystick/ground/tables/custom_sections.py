"""Tables of texts that sellers print on invoices: sections and who selected them, and the copies on invoices.

Sections and links are written by the custom_sections room, copies by the invoices room.
"""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import Base, Id, Instant, OptionalInstant, OrganizationRef, Ref


class CustomSection(Base):
    """A text for invoices (invoicing.md §20). `system_generated` ones are the product's, not a caller's."""

    __tablename__ = "invoice_custom_sections"
    __table_args__ = (
        CheckConstraint("section_type in ('manual', 'system_generated')", name="section_type"),
        Index(
            "uq_invoice_custom_sections_code",
            "organization_id",
            "code",
            unique=True,
            postgresql_where=text("deleted_at is null"),
        ),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    code: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None]
    display_name: Mapped[str | None]
    details: Mapped[str | None]
    section_type: Mapped[str] = mapped_column(default="manual")
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    deleted_at: Mapped[OptionalInstant]


class CustomSectionLink(Base):
    """A section selected by an owner: billing entity, customer, subscription, wallet, wallet transaction or rule."""

    __tablename__ = "invoice_custom_section_links"
    __table_args__ = (Index(None, "owner_kind", "owner_id"), Index(None, "section_id"))

    id: Mapped[Id]
    owner_kind: Mapped[str]
    owner_id: Mapped[Ref]
    section_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), ForeignKey("invoice_custom_sections.id"))
    organization_id: Mapped[OrganizationRef]
    created_at: Mapped[Instant]


class AppliedCustomSection(Base):
    """What a section said when the invoice was computed."""

    __tablename__ = "applied_invoice_custom_sections"
    __table_args__ = (Index(None, "invoice_id"),)

    id: Mapped[Id]
    organization_id: Mapped[Ref]
    invoice_id: Mapped[Ref] = mapped_column(ForeignKey("invoices.id", deferrable=True, initially="DEFERRED"))
    code: Mapped[str]
    name: Mapped[str]
    display_name: Mapped[str | None]
    details: Mapped[str | None]
    created_at: Mapped[Instant]
