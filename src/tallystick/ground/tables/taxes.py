"""Tables written by the taxes room: taxes, what they are attached to, and VAT numbers that are being checked."""

from __future__ import annotations

import uuid

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import Base, Id, Instant, Map, OptionalInstant, OrganizationRef, Rate, Ref


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
    #: made by the EU VAT automation, which keeps its rate (credits.md §2.7)
    auto_generated: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    deleted_at: Mapped[OptionalInstant]


class TaxLink(Base):
    """A tax attached to an owner: billing entity, customer, plan, charge, fixed charge, add-on or commitment."""

    __tablename__ = "tax_links"
    __table_args__ = (Index(None, "tax_id"), Index(None, "owner_id"))

    owner_kind: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True)
    tax_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), ForeignKey("taxes.id"), primary_key=True)
    organization_id: Mapped[OrganizationRef]
    created_at: Mapped[Instant]


class VatCheck(Base):
    """A VAT number that the registry has not answered for yet; at most one per customer (integrations.md §7)."""

    __tablename__ = "vat_checks"

    customer_id: Mapped[Ref] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    organization_id: Mapped[OrganizationRef]
    #: as it was given; an answer for another number is dropped
    tax_identification_number: Mapped[str]
    attempts_count: Mapped[int] = mapped_column(default=0)
    last_attempt_at: Mapped[OptionalInstant]
    last_error_type: Mapped[str | None]
    last_error_message: Mapped[str | None]
    created_at: Mapped[Instant]


class VatConfirmation(Base):
    """The registry's word that a number existed when it was asked: what a reverse charge rests on. Never changed."""

    __tablename__ = "vat_confirmations"
    __table_args__ = (Index(None, "customer_id"),)

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    customer_id: Mapped[Ref] = mapped_column(ForeignKey("customers.id"))
    tax_identification_number: Mapped[str]
    #: the registry's identifier of a question that named who asks; empty when nobody was named
    request_identifier: Mapped[str]
    answer: Mapped[Map]
    created_at: Mapped[Instant]
