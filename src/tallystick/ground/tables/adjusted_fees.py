"""A table of the invoices room: corrections of the lines of drafts, kept for every time a draft is made again."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import Base, Id, Instant, Map, OptionalExact, OptionalInstant, OptionalRef, Ref


class AdjustedFee(Base):
    """What somebody corrected of a line (invoicing.md §10). Lines of drafts change their ids: it is named by its parts.

    `unit_amount` in currency units. With units alone the line is priced anew, without any only its name is another.
    """

    __tablename__ = "adjusted_fees"
    __table_args__ = (
        Index(
            "uq_adjusted_fees_line",
            "invoice_id",
            "subscription_id",
            "fee_type",
            "purpose",
            "charge_id",
            "charge_filter_id",
            "fixed_charge_id",
            "grouped_by",
            "period_from_at",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("units >= 0 and unit_amount >= 0", name="not_negative"),
        CheckConstraint("unit_amount is null or units is not null", name="price_of_units"),
    )

    id: Mapped[Id]
    organization_id: Mapped[Ref]
    invoice_id: Mapped[Ref] = mapped_column(ForeignKey("invoices.id"))
    subscription_id: Mapped[OptionalRef]
    fee_type: Mapped[str]
    purpose: Mapped[str]
    charge_id: Mapped[OptionalRef]
    charge_filter_id: Mapped[OptionalRef]
    fixed_charge_id: Mapped[OptionalRef]
    grouped_by: Mapped[Map]
    period_from_at: Mapped[OptionalInstant]
    units: Mapped[OptionalExact]
    unit_amount: Mapped[OptionalExact]
    invoice_display_name: Mapped[str | None]
    created_at: Mapped[Instant]
