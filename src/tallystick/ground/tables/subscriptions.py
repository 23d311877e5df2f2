"""Tables written by the subscriptions room."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import (
    Base,
    Exact,
    Id,
    Instant,
    OptionalInstant,
    OptionalRef,
    OrganizationRef,
    Ref,
)


class Subscription(Base):
    """One row of a chain: upgrades and downgrades make new rows with the same external id (subscriptions.md §2)."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        Index(
            "uq_subscriptions_active",
            "organization_id",
            "external_id",
            unique=True,
            postgresql_where=text("status = 'active'"),
        ),
        Index(
            "uq_subscriptions_incomplete",
            "organization_id",
            "external_id",
            unique=True,
            postgresql_where=text("status = 'incomplete'"),
        ),
        Index(None, "organization_id", "external_id"),
        Index(None, "customer_id"),
        Index(None, "plan_id"),
        Index(None, "previous_subscription_id"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    customer_id: Mapped[Ref] = mapped_column(ForeignKey("customers.id"))
    plan_id: Mapped[Ref] = mapped_column(ForeignKey("plans.id"))
    billing_entity_id: Mapped[OptionalRef] = mapped_column(ForeignKey("billing_entities.id"))
    previous_subscription_id: Mapped[OptionalRef] = mapped_column(ForeignKey("subscriptions.id"))
    #: upgrade, downgrade: how the next row of the chain took over
    replaced_by: Mapped[str | None]
    external_id: Mapped[str]
    name: Mapped[str | None]
    #: pending, active, terminated, canceled, incomplete
    status: Mapped[str]
    #: calendar, anniversary
    billing_time: Mapped[str]
    subscription_at: Mapped[Instant]
    started_at: Mapped[OptionalInstant]
    activated_at: Mapped[OptionalInstant]
    trial_ended_at: Mapped[OptionalInstant]
    ending_at: Mapped[OptionalInstant]
    terminated_at: Mapped[OptionalInstant]
    canceled_at: Mapped[OptionalInstant]
    cancellation_reason: Mapped[str | None]
    #: UTC date of the last termination alert: at most one a day (webhooks.md §5.1)
    termination_alerted_on: Mapped[dt.date | None]
    on_termination_credit_note: Mapped[str | None]
    on_termination_invoice: Mapped[str] = mapped_column(default="generate")
    consolidate_invoice: Mapped[bool] = mapped_column(default=True)
    progressive_billing_disabled: Mapped[bool] = mapped_column(default=False)
    purchase_order_number: Mapped[str | None]
    #: whether its invoices carry no custom sections on its account (invoicing.md §20)
    skip_invoice_custom_sections: Mapped[bool] = mapped_column(default=False)
    payment_method_type: Mapped[str] = mapped_column(default="provider")
    payment_method_id: Mapped[OptionalRef]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class FixedChargeUnits(Base):
    """How many units of a fixed charge a subscription has from `effective_at` on; changes add rows (rating.md §16.1).

    `position` is the order of creation. `immediate`: the change was billed at once, not with the next period.
    """

    __tablename__ = "fixed_charge_units"
    __table_args__ = (
        Index(None, "subscription_id", "fixed_charge_id", "position"),
        CheckConstraint("units >= 0", name="units_not_negative"),
    )

    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    organization_id: Mapped[OrganizationRef]
    subscription_id: Mapped[Ref] = mapped_column(ForeignKey("subscriptions.id"))
    fixed_charge_id: Mapped[Ref] = mapped_column(ForeignKey("fixed_charges.id"))
    units: Mapped[Exact]
    effective_at: Mapped[Instant]
    immediate: Mapped[bool]
    created_at: Mapped[Instant]


class UnitsOverride(Base):
    """The units that a subscription has of a fixed charge instead of its plan's (subscriptions.md §1.4)."""

    __tablename__ = "units_overrides"
    __table_args__ = (CheckConstraint("units >= 0", name="units_not_negative"),)

    subscription_id: Mapped[Ref] = mapped_column(ForeignKey("subscriptions.id"), primary_key=True)
    fixed_charge_id: Mapped[Ref] = mapped_column(ForeignKey("fixed_charges.id"), primary_key=True)
    organization_id: Mapped[OrganizationRef]
    units: Mapped[Exact]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
