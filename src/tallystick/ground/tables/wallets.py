"""Tables written by the wallets room: wallets, what they are limited to, their transactions, who funded what.

Triggers in `ground/migrations/sql/wallets.sql` tie a balance to its transactions and those to their links (design §4).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import (
    Base,
    Cents,
    Id,
    Instant,
    OptionalCents,
    OptionalInstant,
    OptionalMap,
    OptionalRef,
    OrganizationRef,
    Ref,
    Texts,
)

_CREDITS = Numeric(40, 5)


class Wallet(Base):
    """A prepaid balance of a customer, valued in credits at a fixed rate (wallets.md §1). Money in minor units.

    Balance in money and in credits are counted apart; money decides.
    """

    __tablename__ = "wallets"
    __table_args__ = (
        Index("uq_wallets_code", "customer_id", "code", unique=True, postgresql_where=text("status = 'active'")),
        CheckConstraint("balance_cents >= 0 and consumed_amount_cents >= 0", name="not_negative"),
        CheckConstraint("rate_amount > 0", name="rate_amount"),
        CheckConstraint("priority between 1 and 50", name="priority"),
        CheckConstraint("status in ('active', 'terminated')", name="status"),
        Index(None, "organization_id", "created_at", "id"),
        Index(None, "customer_id"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    customer_id: Mapped[Ref] = mapped_column(ForeignKey("customers.id"))
    #: issuer of the invoices for top-ups; null for the customer's
    billing_entity_id: Mapped[OptionalRef] = mapped_column(ForeignKey("billing_entities.id"))
    status: Mapped[str] = mapped_column(default="active")
    code: Mapped[str]
    name: Mapped[str | None]
    currency: Mapped[str]
    #: currency units for one credit
    rate_amount: Mapped[Decimal] = mapped_column(Numeric(30, 5))
    priority: Mapped[int] = mapped_column(default=50)
    balance_cents: Mapped[Cents] = mapped_column(default=0)
    credits_balance: Mapped[Decimal] = mapped_column(_CREDITS, default=Decimal(0))
    consumed_amount_cents: Mapped[Cents] = mapped_column(default=0)
    consumed_credits: Mapped[Decimal] = mapped_column(_CREDITS, default=Decimal(0))
    #: fee types that it pays for; none of them and no metrics: everything
    allowed_fee_types: Mapped[Texts] = mapped_column(default=list)
    invoice_requires_successful_payment: Mapped[bool] = mapped_column(default=False)
    paid_top_up_min_amount_cents: Mapped[OptionalCents]
    paid_top_up_max_amount_cents: Mapped[OptionalCents]
    purchase_order_number: Mapped[str | None]
    payment_method_type: Mapped[str] = mapped_column(default="provider")
    payment_method_id: Mapped[OptionalRef]
    skip_invoice_custom_sections: Mapped[bool] = mapped_column(default=False)
    metadata_: Mapped[OptionalMap] = mapped_column("metadata")
    expiration_at: Mapped[OptionalInstant]
    terminated_at: Mapped[OptionalInstant]
    last_balance_sync_at: Mapped[OptionalInstant]
    last_consumed_credit_at: Mapped[OptionalInstant]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class WalletTarget(Base):
    """A billable metric that a wallet pays for."""

    __tablename__ = "wallet_targets"
    __table_args__ = (Index(None, "billable_metric_id"),)

    wallet_id: Mapped[Ref] = mapped_column(ForeignKey("wallets.id"), primary_key=True)
    billable_metric_id: Mapped[Ref] = mapped_column(ForeignKey("billable_metrics.id"), primary_key=True)
    organization_id: Mapped[OrganizationRef]
    created_at: Mapped[Instant]


class WalletTransaction(Base):
    """A movement of a wallet (wallets.md §3): inbound when purchased or granted, outbound when invoiced or voided.

    `remaining_amount_cents` is what is not spent yet of a settled inbound one, null for all others.
    """

    __tablename__ = "wallet_transactions"
    __table_args__ = (
        CheckConstraint(
            "transaction_type = 'inbound' and transaction_status in ('purchased', 'granted')"
            " or transaction_type = 'outbound' and transaction_status in ('invoiced', 'voided')",
            name="transaction_status",
        ),
        CheckConstraint("status in ('pending', 'settled', 'failed')", name="status"),
        CheckConstraint("status = 'settled' or transaction_status = 'purchased'", name="only_purchases_wait"),
        CheckConstraint("source in ('manual', 'interval', 'threshold')", name="source"),
        CheckConstraint("amount_cents >= 0 and credit_amount >= 0", name="not_negative"),
        CheckConstraint(
            "(remaining_amount_cents is not null) = (transaction_type = 'inbound' and status = 'settled')"
            " and remaining_amount_cents between 0 and amount_cents",
            name="remaining",
        ),
        CheckConstraint("priority between 1 and 50", name="priority"),
        Index(None, "wallet_id", "created_at", "id"),
        Index("ix_wallet_transactions_left", "wallet_id", postgresql_where=text("remaining_amount_cents > 0")),
        Index(None, "invoice_id"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    wallet_id: Mapped[Ref] = mapped_column(ForeignKey("wallets.id"))
    transaction_type: Mapped[str]
    transaction_status: Mapped[str]
    status: Mapped[str]
    source: Mapped[str] = mapped_column(default="manual")
    amount_cents: Mapped[Cents]
    credit_amount: Mapped[Decimal] = mapped_column(_CREDITS)
    remaining_amount_cents: Mapped[OptionalCents]
    #: order in which top-ups of a wallet are spent
    priority: Mapped[int] = mapped_column(default=50)
    name: Mapped[str | None]
    #: pairs of key and value
    metadata_: Mapped[list[dict[str, Any]]] = mapped_column("metadata", JSONB)
    #: the invoice for the purchase, or the one that was paid
    invoice_id: Mapped[OptionalRef] = mapped_column(ForeignKey("invoices.id"))
    credit_note_id: Mapped[OptionalRef] = mapped_column(ForeignKey("credit_notes.id"))
    voided_invoice_id: Mapped[OptionalRef] = mapped_column(ForeignKey("invoices.id"))
    billing_entity_id: Mapped[OptionalRef] = mapped_column(ForeignKey("billing_entities.id"))
    purchase_order_number: Mapped[str | None]
    invoice_requires_successful_payment: Mapped[bool] = mapped_column(default=False)
    payment_method_type: Mapped[str] = mapped_column(default="provider")
    payment_method_id: Mapped[OptionalRef]
    skip_invoice_custom_sections: Mapped[bool] = mapped_column(default=False)
    settled_at: Mapped[OptionalInstant]
    failed_at: Mapped[OptionalInstant]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class WalletConsumption(Base):
    """How much of an outbound transaction an inbound one funded (wallets.md §5.3)."""

    __tablename__ = "wallet_consumptions"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="positive"),
        Index("uq_wallet_consumptions_pair", "inbound_id", "outbound_id", unique=True),
        Index(None, "outbound_id"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    inbound_id: Mapped[Ref] = mapped_column(ForeignKey("wallet_transactions.id"))
    outbound_id: Mapped[Ref] = mapped_column(ForeignKey("wallet_transactions.id"))
    amount_cents: Mapped[Cents]
    created_at: Mapped[Instant]
