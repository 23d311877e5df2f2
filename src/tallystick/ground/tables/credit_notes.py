"""Tables of the credit notes room: notes, their items and taxes (credits.md §3).

The rules that refuse wrong money are CHECKs here and triggers in `ground/migrations/sql/credit_notes.sql` (design §4).
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import (
    Base,
    Cents,
    Exact,
    Id,
    Instant,
    OptionalInstant,
    OptionalMap,
    OptionalRef,
    OrganizationRef,
    Rate,
    Ref,
)


class CreditNote(Base):
    """A document that gives back a part of an invoice, or the draft of one. Amounts in minor units of `currency`.

    Credit, refund and offset are with taxes and after coupons; the credit not used yet is the balance.
    """

    __tablename__ = "credit_notes"
    __table_args__ = (
        CheckConstraint(
            "total_amount_cents = credit_amount_cents + refund_amount_cents + offset_amount_cents", name="total"
        ),
        CheckConstraint(
            "credit_amount_cents >= 0 and refund_amount_cents >= 0 and offset_amount_cents >= 0"
            " and taxes_amount_cents >= 0 and coupons_adjustment_amount_cents >= 0",
            name="not_negative",
        ),
        # rounding moves at most one cent (credits.md §3.4), and callers may be off by another (§3.3)
        CheckConstraint(
            "abs(total_amount_cents - taxes_amount_cents - sub_total_excluding_taxes_amount_cents) <= 1",
            name="adds_up",
        ),
        CheckConstraint("balance_amount_cents between 0 and credit_amount_cents", name="balance"),
        CheckConstraint("status in ('draft', 'finalized', 'deleted')", name="status"),
        CheckConstraint(
            "credit_status = 'available' and (balance_amount_cents > 0 or credit_amount_cents = 0)"
            " or credit_status in ('consumed', 'voided') and balance_amount_cents = 0",
            name="credit_status",
        ),
        CheckConstraint(
            "(refund_status is null) = (refund_amount_cents = 0)"
            " and refund_status in ('pending', 'succeeded', 'failed')",
            name="refund_status",
        ),
        CheckConstraint(
            "reason in ('duplicated_charge', 'product_unsatisfactory', 'order_change', 'order_cancellation',"
            " 'fraudulent_charge', 'other')",
            name="reason",
        ),
        UniqueConstraint("invoice_id", "sequential_id"),
        Index(None, "organization_id", "created_at", "id"),
        Index(None, "customer_id"),
        Index(
            "ix_credit_notes_available",
            "customer_id",
            postgresql_where=text("status = 'finalized' and balance_amount_cents > 0"),
        ),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    customer_id: Mapped[Ref] = mapped_column(ForeignKey("customers.id"))
    invoice_id: Mapped[Ref] = mapped_column(ForeignKey("invoices.id"))
    #: what its invoice is: a draft's notes are drafts
    status: Mapped[str]
    sequential_id: Mapped[int]
    number: Mapped[str]
    issuing_date: Mapped[dt.date]
    reason: Mapped[str] = mapped_column(default="other")
    description: Mapped[str | None]
    currency: Mapped[str]
    total_amount_cents: Mapped[Cents]
    credit_amount_cents: Mapped[Cents]
    refund_amount_cents: Mapped[Cents]
    offset_amount_cents: Mapped[Cents]
    balance_amount_cents: Mapped[Cents]
    sub_total_excluding_taxes_amount_cents: Mapped[Cents]
    taxes_amount_cents: Mapped[Cents]
    precise_taxes_amount_cents: Mapped[Exact]
    taxes_rate: Mapped[Decimal] = mapped_column(Numeric(20, 5), default=Decimal(0))
    coupons_adjustment_amount_cents: Mapped[Cents]
    precise_coupons_adjustment_amount_cents: Mapped[Exact]
    precise_total_amount_cents: Mapped[Exact]
    #: available, consumed, voided
    credit_status: Mapped[str] = mapped_column(default="available")
    #: pending, succeeded, failed; null without refund
    refund_status: Mapped[str | None]
    refunded_at: Mapped[OptionalInstant]
    voided_at: Mapped[OptionalInstant]
    metadata_: Mapped[OptionalMap] = mapped_column("metadata")
    #: storage keys of the documents; null until they are made
    file_key: Mapped[str | None]
    xml_key: Mapped[str | None]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class CreditNoteItem(Base):
    """A part of a fee, before coupons and taxes. The items of a fee never exceed it (credit_notes.sql)."""

    __tablename__ = "credit_note_items"
    __table_args__ = (
        CheckConstraint("amount_cents >= 0 and amount_cents = round(precise_amount_cents)", name="amount"),
        Index(None, "credit_note_id"),
        Index(None, "fee_id"),
    )

    id: Mapped[Id]
    organization_id: Mapped[Ref]
    credit_note_id: Mapped[Ref] = mapped_column(ForeignKey("credit_notes.id", deferrable=True, initially="DEFERRED"))
    fee_id: Mapped[Ref] = mapped_column(ForeignKey("fees.id", deferrable=True, initially="DEFERRED"))
    amount_cents: Mapped[Cents]
    precise_amount_cents: Mapped[Exact]
    currency: Mapped[str]
    created_at: Mapped[Instant]


class CreditNoteTax(Base):
    """A tax over the items of a note, copied at computation time (credits.md §2.5)."""

    __tablename__ = "credit_note_taxes"
    __table_args__ = (Index(None, "credit_note_id"),)

    id: Mapped[Id]
    organization_id: Mapped[Ref]
    credit_note_id: Mapped[Ref] = mapped_column(ForeignKey("credit_notes.id", deferrable=True, initially="DEFERRED"))
    tax_id: Mapped[OptionalRef]
    tax_name: Mapped[str]
    tax_code: Mapped[str]
    tax_rate: Mapped[Rate]
    tax_description: Mapped[str | None]
    base_amount_cents: Mapped[Cents]
    amount_cents: Mapped[Cents]
    currency: Mapped[str]
    created_at: Mapped[Instant]
