"""Tables written by the invoices room: invoices, fees, their taxes, periods, credits, metadata and number counters.

The rules that refuse wrong money are CHECKs here and triggers in `ground/migrations/sql/money.sql` (design §4). Lines
repeat their invoice's organization without a key of their own: the invoice's key says it, and lines come in thousands.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import (
    Base,
    Cents,
    Exact,
    Id,
    Instant,
    Map,
    OptionalCents,
    OptionalExact,
    OptionalInstant,
    OptionalMap,
    OptionalRef,
    OrganizationRef,
    Rate,
    Ref,
)


class Invoice(Base):
    """A document asking for money, or its draft (invoicing.md §1-§4). Amounts in minor units of `currency`."""

    __tablename__ = "invoices"
    __table_args__ = (
        CheckConstraint(
            "sub_total_excluding_taxes_amount_cents"
            " = fees_amount_cents - progressive_billing_credit_amount_cents - coupons_amount_cents",
            name="sub_total_excluding_taxes",
        ),
        CheckConstraint(
            "sub_total_including_taxes_amount_cents = sub_total_excluding_taxes_amount_cents + taxes_amount_cents",
            name="sub_total_including_taxes",
        ),
        CheckConstraint(
            "total_amount_cents = sub_total_including_taxes_amount_cents - credit_notes_amount_cents"
            " - prepaid_credit_amount_cents",
            name="total",
        ),
        CheckConstraint(
            "total_amount_cents >= 0 and fees_amount_cents >= 0 and taxes_amount_cents >= 0"
            " and coupons_amount_cents >= 0 and progressive_billing_credit_amount_cents >= 0"
            " and credit_notes_amount_cents >= 0"
            " and prepaid_credit_amount_cents >= 0 and total_paid_amount_cents >= 0 and offset_amount_cents >= 0",
            name="not_negative",
        ),
        CheckConstraint(
            "prepaid_credit_amount_cents = coalesce(prepaid_granted_credit_amount_cents, 0)"
            " + coalesce(prepaid_purchased_credit_amount_cents, 0)",
            name="prepaid_split",
        ),
        CheckConstraint("status <> 'finalized' or sequential_id is not null", name="finalized_has_number"),
        CheckConstraint(
            "status in ('generating', 'draft', 'pending', 'failed', 'open', 'finalized', 'closed', 'voided',"
            " 'deleted')",
            name="status",
        ),
        CheckConstraint("payment_status in ('pending', 'succeeded', 'failed')", name="payment_status"),
        UniqueConstraint("customer_id", "billing_entity_id", "sequential_id"),
        # entities may share a prefix: a number names one invoice of its issuer
        Index(
            "uq_invoices_number",
            "billing_entity_id",
            "number",
            unique=True,
            postgresql_where=text("sequential_id is not null"),
        ),
        Index(None, "organization_id", "issuing_date", "created_at", "id"),
        Index(None, "customer_id"),
        Index("ix_invoices_drafts", "customer_id", postgresql_where=text("status = 'draft'")),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    customer_id: Mapped[Ref] = mapped_column(ForeignKey("customers.id"))
    billing_entity_id: Mapped[Ref] = mapped_column(ForeignKey("billing_entities.id"))
    #: subscription, credit, one_off, advance_charges, progressive_billing
    invoice_type: Mapped[str]
    status: Mapped[str]
    payment_status: Mapped[str] = mapped_column(default="pending")
    tax_status: Mapped[str | None]
    number: Mapped[str]
    sequential_id: Mapped[int | None]
    currency: Mapped[str]
    timezone: Mapped[str]
    issuing_date: Mapped[dt.date]
    expected_finalization_date: Mapped[dt.date]
    payment_due_date: Mapped[dt.date]
    net_payment_term: Mapped[int]
    payment_overdue: Mapped[bool] = mapped_column(default=False)
    payment_dispute_lost_at: Mapped[OptionalInstant]
    fees_amount_cents: Mapped[Cents] = mapped_column(default=0)
    progressive_billing_credit_amount_cents: Mapped[Cents] = mapped_column(default=0)
    coupons_amount_cents: Mapped[Cents] = mapped_column(default=0)
    sub_total_excluding_taxes_amount_cents: Mapped[Cents] = mapped_column(default=0)
    taxes_amount_cents: Mapped[Cents] = mapped_column(default=0)
    taxes_rate: Mapped[Decimal] = mapped_column(Numeric(20, 5), default=Decimal(0))
    sub_total_including_taxes_amount_cents: Mapped[Cents] = mapped_column(default=0)
    credit_notes_amount_cents: Mapped[Cents] = mapped_column(default=0)
    prepaid_credit_amount_cents: Mapped[Cents] = mapped_column(default=0)
    prepaid_granted_credit_amount_cents: Mapped[OptionalCents]
    prepaid_purchased_credit_amount_cents: Mapped[OptionalCents]
    total_amount_cents: Mapped[Cents] = mapped_column(default=0)
    total_paid_amount_cents: Mapped[Cents] = mapped_column(default=0)
    #: what its own credit notes took off what is due (credit_notes.sql)
    offset_amount_cents: Mapped[Cents] = mapped_column(default=0)
    self_billed: Mapped[bool] = mapped_column(default=False)
    skip_automatic_payment: Mapped[bool] = mapped_column(default=False)
    version_number: Mapped[int] = mapped_column(default=4)
    purchase_order_number: Mapped[str | None]
    ready_to_be_refreshed: Mapped[bool] = mapped_column(default=False)
    voided_invoice_id: Mapped[OptionalRef] = mapped_column(ForeignKey("invoices.id"))
    #: storage keys of the documents; null until they are made
    file_key: Mapped[str | None]
    xml_key: Mapped[str | None]
    finalized_at: Mapped[OptionalInstant]
    voided_at: Mapped[OptionalInstant]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class InvoiceSubscription(Base):
    """A billing period: the windows that a subscription has on an invoice (invoicing.md §1). Ends are exclusive."""

    __tablename__ = "invoice_subscriptions"
    __table_args__ = (
        # a tick is billed once for ever, whatever became of its invoice (invoicing.md §25.9), unless it was regenerated
        Index(
            "uq_invoice_subscriptions_tick",
            "subscription_id",
            "billing_on",
            unique=True,
            postgresql_where=text("recurring and not replaced"),
        ),
        Index(
            "uq_invoice_subscriptions_starting",
            "subscription_id",
            unique=True,
            postgresql_where=text("invoicing_reason = 'subscription_starting' and not replaced"),
        ),
        Index(
            "uq_invoice_subscriptions_terminating",
            "subscription_id",
            unique=True,
            postgresql_where=text("invoicing_reason = 'subscription_terminating' and not replaced"),
        ),
        Index(None, "invoice_id"),
        Index(None, "subscription_id", "charges_from_at"),
    )

    id: Mapped[Id]
    organization_id: Mapped[Ref]
    invoice_id: Mapped[Ref] = mapped_column(ForeignKey("invoices.id", deferrable=True, initially="DEFERRED"))
    subscription_id: Mapped[Ref] = mapped_column(ForeignKey("subscriptions.id"))
    #: subscription_starting, subscription_periodic, subscription_terminating, in_advance_charge,
    #: in_advance_charge_periodic, progressive_billing
    invoicing_reason: Mapped[str]
    recurring: Mapped[bool]
    replaced: Mapped[bool] = mapped_column(default=False)
    #: the instant the windows were computed for, and its local date
    billing_at: Mapped[Instant]
    billing_on: Mapped[dt.date]
    timezone: Mapped[str]
    #: whether the plan fee is billed, and the full days of the period each window lies in, for a refresh of the draft
    plan_fee_due: Mapped[bool]
    plan_from_at: Mapped[OptionalInstant]
    plan_to_at: Mapped[OptionalInstant]
    plan_full_days: Mapped[int]
    charges_from_at: Mapped[OptionalInstant]
    charges_to_at: Mapped[OptionalInstant]
    charges_full_days: Mapped[int]
    fixed_charges_from_at: Mapped[OptionalInstant]
    fixed_charges_to_at: Mapped[OptionalInstant]
    fixed_charges_full_days: Mapped[int]
    #: the window of fixed charges paid in advance
    fixed_in_advance_from_at: Mapped[OptionalInstant]
    fixed_in_advance_to_at: Mapped[OptionalInstant]
    fixed_in_advance_full_days: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Instant]


class Fee(Base):
    """A line: what was used or due, and how it came to its amount. Minor units of `currency`; precise_* unrounded."""

    __tablename__ = "fees"
    __table_args__ = (
        # nothing is billed twice for a period (design §4): live fees have one row for each thing and period start
        Index(
            "uq_fees_period",
            "subscription_id",
            "fee_type",
            "charge_id",
            "charge_filter_id",
            "fixed_charge_id",
            "grouped_by",
            "period_from_at",
            "purpose",
            "event_transaction_id",
            unique=True,
            postgresql_where=text("live and subscription_id is not null"),
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("amount_cents >= 0 and taxes_amount_cents >= 0", name="not_negative"),
        CheckConstraint(
            "payment_status in ('pending', 'succeeded', 'failed', 'refunded')",
            name="payment_status",
        ),
        Index(None, "invoice_id"),
        Index(None, "organization_id", "created_at", "id"),
        Index(None, "subscription_id", "period_from_at"),
        Index(None, "charge_id"),
        Index(
            "ix_fees_event",
            "subscription_id",
            "event_transaction_id",
            postgresql_where=text("event_transaction_id is not null"),
        ),
        Index(
            "ix_fees_paid_standalone",
            "subscription_id",
            postgresql_where=text("invoice_id is null and payment_status = 'succeeded' and deleted_at is null"),
        ),
    )

    id: Mapped[Id]
    organization_id: Mapped[Ref]
    #: this and the next ones refer to rows that `fees_new` looks up for a whole statement (money.sql)
    customer_id: Mapped[Ref]
    invoice_id: Mapped[OptionalRef] = mapped_column(ForeignKey("invoices.id", deferrable=True, initially="DEFERRED"))
    subscription_id: Mapped[OptionalRef]
    charge_id: Mapped[OptionalRef]
    charge_filter_id: Mapped[OptionalRef]
    fixed_charge_id: Mapped[OptionalRef]
    add_on_id: Mapped[OptionalRef] = mapped_column(ForeignKey("add_ons.id"))
    #: subscription, charge, add_on, credit, commitment, fixed_charge
    fee_type: Mapped[str]
    #: why a second live fee may stand beside another of the same thing and period: periodic, true_up, progressive,
    #: event, renewal, adjustment, units
    purpose: Mapped[str] = mapped_column(default="periodic")
    #: false when the fee was voided or replaced: its period may be billed again
    live: Mapped[bool] = mapped_column(default=True)
    currency: Mapped[str]
    amount_cents: Mapped[Cents]
    precise_amount_cents: Mapped[Exact]
    units: Mapped[Exact]
    total_aggregated_units: Mapped[OptionalExact]
    events_count: Mapped[int | None]
    #: price of a unit in currency units
    precise_unit_amount: Mapped[Exact]
    precise_coupons_amount_cents: Mapped[Exact] = mapped_column(default=Decimal(0))
    #: what credit notes paid of it, with taxes (credits.md §3.9)
    precise_credit_notes_amount_cents: Mapped[Exact] = mapped_column(default=Decimal(0))
    taxes_amount_cents: Mapped[Cents] = mapped_column(default=0)
    taxes_precise_amount_cents: Mapped[Exact] = mapped_column(default=Decimal(0))
    taxes_rate: Mapped[Rate] = mapped_column(default=Decimal(0))
    payment_status: Mapped[str] = mapped_column(default="pending")
    pay_in_advance: Mapped[bool] = mapped_column(default=False)
    invoice_display_name: Mapped[str | None]
    description: Mapped[str | None]
    grouped_by: Mapped[Map] = mapped_column(default=dict)
    amount_details: Mapped[Map] = mapped_column(default=dict)
    pricing_unit_details: Mapped[OptionalMap]
    #: objects of presentation_by (key -> text), units (decimal text) and displayed (keys that documents show)
    presentation_breakdowns: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    #: the window billed, end exclusive
    period_from_at: Mapped[OptionalInstant]
    period_to_at: Mapped[OptionalInstant]
    event_transaction_id: Mapped[str | None]
    true_up_parent_fee_id: Mapped[OptionalRef] = mapped_column(
        ForeignKey("fees.id", deferrable=True, initially="DEFERRED")
    )
    original_fee_id: Mapped[OptionalRef] = mapped_column(ForeignKey("fees.id", deferrable=True, initially="DEFERRED"))
    #: how the amount came to be: window, aggregation, units, tiers, rounding, proration (core/explain.py)
    trace: Mapped[Map] = mapped_column(default=dict)
    succeeded_at: Mapped[OptionalInstant]
    failed_at: Mapped[OptionalInstant]
    refunded_at: Mapped[OptionalInstant]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    deleted_at: Mapped[OptionalInstant]


class FeeTax(Base):
    """A tax on a fee, copied at computation time (credits.md §2.5)."""

    __tablename__ = "fee_taxes"
    __table_args__ = (Index(None, "fee_id"),)

    id: Mapped[Id]
    organization_id: Mapped[Ref]
    #: looked up by `fee_taxes_new` for a whole statement (money.sql)
    fee_id: Mapped[Ref]
    tax_id: Mapped[OptionalRef]
    tax_name: Mapped[str]
    tax_code: Mapped[str]
    tax_rate: Mapped[Rate]
    tax_description: Mapped[str | None]
    amount_cents: Mapped[Cents]
    precise_amount_cents: Mapped[Exact]
    currency: Mapped[str]
    created_at: Mapped[Instant]


class InvoiceTax(Base):
    """A tax over all fees of an invoice, copied at computation time (credits.md §2.5)."""

    __tablename__ = "invoice_taxes"
    __table_args__ = (Index(None, "invoice_id"),)

    id: Mapped[Id]
    organization_id: Mapped[Ref]
    invoice_id: Mapped[Ref] = mapped_column(ForeignKey("invoices.id", deferrable=True, initially="DEFERRED"))
    tax_id: Mapped[OptionalRef]
    tax_name: Mapped[str]
    tax_code: Mapped[str]
    tax_rate: Mapped[Rate]
    tax_description: Mapped[str | None]
    fees_amount_cents: Mapped[Cents]
    amount_cents: Mapped[Cents]
    currency: Mapped[str]
    created_at: Mapped[Instant]


class InvoiceMetadata(Base):
    """A key and value of an invoice; at most five (invoicing.md §17)."""

    __tablename__ = "invoice_metadata"
    __table_args__ = (UniqueConstraint("invoice_id", "key", deferrable=True, initially="DEFERRED"),)

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    invoice_id: Mapped[Ref] = mapped_column(ForeignKey("invoices.id"))
    key: Mapped[str]
    value: Mapped[str]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class InvoiceCounter(Base):
    """The last sequential id given to a customer's invoices of one billing entity (invoicing.md §5)."""

    __tablename__ = "invoice_counters"

    customer_id: Mapped[Ref] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    billing_entity_id: Mapped[Ref] = mapped_column(ForeignKey("billing_entities.id"), primary_key=True)
    last_value: Mapped[int]
