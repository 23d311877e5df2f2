"""Tables of the payments room: what was paid of invoices, and asked for (payments.md §1.4, dunning.md §2.1).

The rules that refuse wrong money are CHECKs here and triggers in `ground/migrations/sql/payments.sql` (design §4).
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import Base, Cents, Id, Instant, OrganizationRef, Ref


class Payment(Base):
    """Money that came in for an invoice, or is on its way. `amount_cents` in minor units of `currency`."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="positive"),
        CheckConstraint("payment_type in ('provider', 'manual')", name="payment_type"),
        CheckConstraint("payment_status in ('pending', 'processing', 'succeeded', 'failed')", name="payment_status"),
        # whoever records a payment by hand has the money, and says by what it can be found again
        CheckConstraint(
            "case payment_type when 'manual'"
            " then payment_status = 'succeeded' and status = 'succeeded' and reference is not null"
            " and btrim(reference) <> '' and char_length(reference) <= 40"
            " else reference is null end",
            name="reference",
        ),
        Index(None, "organization_id", "created_at", "id"),
        Index(None, "invoice_id"),
        Index(None, "customer_id"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    customer_id: Mapped[Ref] = mapped_column(ForeignKey("customers.id"))
    invoice_id: Mapped[Ref] = mapped_column(ForeignKey("invoices.id", deferrable=True, initially="DEFERRED"))
    #: provider, manual
    payment_type: Mapped[str]
    #: as the provider words it; `payment_status` is the same in our words: pending, processing, succeeded, failed
    status: Mapped[str]
    payment_status: Mapped[str]
    amount_cents: Mapped[Cents]
    currency: Mapped[str]
    #: by what a payment by hand is found in the payer's or the bank's books
    reference: Mapped[str | None]
    #: when it was paid, of a payment by hand
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class PaymentRequest(Base):
    """Overdue invoices of a customer, asked for together. `amount_cents` is what was due of them when it was made."""

    __tablename__ = "payment_requests"
    __table_args__ = (
        CheckConstraint("amount_cents >= 0", name="not_negative"),
        CheckConstraint("payment_status in ('pending', 'succeeded', 'failed')", name="payment_status"),
        Index(None, "organization_id", "created_at", "id"),
        Index(None, "customer_id"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    customer_id: Mapped[Ref] = mapped_column(ForeignKey("customers.id"))
    amount_cents: Mapped[Cents]
    currency: Mapped[str]
    #: addresses with commas between them
    email: Mapped[str | None]
    payment_status: Mapped[str] = mapped_column(default="pending")
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class RequestedInvoice(Base):
    """An invoice that a payment request asks for."""

    __tablename__ = "payment_request_invoices"
    __table_args__ = (Index(None, "invoice_id"),)

    payment_request_id: Mapped[Ref] = mapped_column(ForeignKey("payment_requests.id"), primary_key=True)
    invoice_id: Mapped[Ref] = mapped_column(ForeignKey("invoices.id"), primary_key=True)
    organization_id: Mapped[Ref]
