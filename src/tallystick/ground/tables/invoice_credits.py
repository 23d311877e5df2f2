"""A table of the invoices room: what coupons, credit notes and progressive invoices took off invoices."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import Base, Cents, Id, Instant, Ref


class InvoiceCredit(Base):
    """An amount taken off an invoice, with its source (webhooks.md §4.5). Prepaid credits are not among them.

    `source_id`: the applied coupon, the credit note, or the progressive invoice (kind `invoice`). Credits of a kind add
    up to the invoice's amount of that kind (money.sql).
    """

    __tablename__ = "invoice_credits"
    __table_args__ = (
        CheckConstraint("kind in ('coupon', 'credit_note', 'invoice')", name="kind"),
        CheckConstraint("amount_cents >= 0", name="not_negative"),
        Index(None, "invoice_id"),
        Index(None, "kind", "source_id"),
    )

    id: Mapped[Id]
    organization_id: Mapped[Ref]
    invoice_id: Mapped[Ref] = mapped_column(ForeignKey("invoices.id", deferrable=True, initially="DEFERRED"))
    kind: Mapped[str]
    source_id: Mapped[Ref]
    amount_cents: Mapped[Cents]
    currency: Mapped[str]
    before_taxes: Mapped[bool]
    created_at: Mapped[Instant]
