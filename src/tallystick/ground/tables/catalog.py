"""Tables written by the catalog room: billable metrics, plans, charges, what else a plan prices, and add-ons."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import (
    Base,
    Cents,
    Exact,
    Id,
    Instant,
    Map,
    OptionalInstant,
    OptionalMap,
    OptionalRate,
    OptionalRef,
    OrganizationRef,
    Ref,
)


class BillableMetric(Base):
    """How events with one code become units (metering.md §2)."""

    __tablename__ = "billable_metrics"
    __table_args__ = (
        Index(
            "uq_billable_metrics_code",
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
    aggregation_type: Mapped[str]
    field_name: Mapped[str | None]
    recurring: Mapped[bool] = mapped_column(default=False)
    weighted_interval: Mapped[str | None]
    rounding_function: Mapped[str | None]
    rounding_precision: Mapped[int | None]
    expression: Mapped[str | None]
    #: filter key -> sorted distinct values
    filters: Mapped[Map] = mapped_column(default=dict)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    deleted_at: Mapped[OptionalInstant]


class Plan(Base):
    """Prices and rhythm that subscriptions follow (subscriptions.md §1). A child (parent_id) overrides its parent."""

    __tablename__ = "plans"
    __table_args__ = (
        Index(
            "uq_plans_code",
            "organization_id",
            "code",
            unique=True,
            postgresql_where=text("deleted_at is null and parent_id is null"),
        ),
        CheckConstraint("amount_cents >= 0", name="amount_not_negative"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    parent_id: Mapped[OptionalRef] = mapped_column(ForeignKey("plans.id"))
    code: Mapped[str]
    name: Mapped[str]
    invoice_display_name: Mapped[str | None]
    description: Mapped[str | None]
    interval: Mapped[str]
    amount_cents: Mapped[Cents]
    amount_currency: Mapped[str]
    pay_in_advance: Mapped[bool] = mapped_column(default=False)
    trial_period: Mapped[Decimal | None] = mapped_column(Numeric(20, 10))
    bill_charges_monthly: Mapped[bool | None]
    bill_fixed_charges_monthly: Mapped[bool | None]
    metadata_: Mapped[OptionalMap] = mapped_column("metadata")
    pending_deletion: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    deleted_at: Mapped[OptionalInstant]


class PricingUnit(Base):
    """A unit other than money that charges are priced in (rating.md §15); it always has two decimals."""

    __tablename__ = "pricing_units"
    __table_args__ = (UniqueConstraint("organization_id", "code"),)

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    code: Mapped[str]
    name: Mapped[str]
    short_name: Mapped[str]
    description: Mapped[str | None]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class Charge(Base):
    """The price of a metric on a plan (rating.md §2), in money or in a pricing unit."""

    __tablename__ = "charges"
    __table_args__ = (
        Index("uq_charges_code", "plan_id", "code", unique=True, postgresql_where=text("deleted_at is null")),
        Index(None, "billable_metric_id"),
        Index(
            "ix_charges_in_advance",
            "organization_id",
            postgresql_where=text("pay_in_advance and deleted_at is null"),
        ),
        CheckConstraint("min_amount_cents >= 0", name="min_amount_not_negative"),
        CheckConstraint("(pricing_unit_id is null) = (conversion_rate is null)", name="unit_has_rate"),
        CheckConstraint("conversion_rate > 0", name="rate_positive"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    plan_id: Mapped[Ref] = mapped_column(ForeignKey("plans.id"))
    billable_metric_id: Mapped[Ref] = mapped_column(ForeignKey("billable_metrics.id"))
    parent_id: Mapped[OptionalRef] = mapped_column(ForeignKey("charges.id"))
    code: Mapped[str]
    invoice_display_name: Mapped[str | None]
    charge_model: Mapped[str]
    pay_in_advance: Mapped[bool] = mapped_column(default=False)
    prorated: Mapped[bool] = mapped_column(default=False)
    invoiceable: Mapped[bool] = mapped_column(default=True)
    regroup_paid_fees: Mapped[str | None]
    min_amount_cents: Mapped[Cents] = mapped_column(default=0)
    accepts_target_wallet: Mapped[bool] = mapped_column(default=False)
    pricing_unit_id: Mapped[OptionalRef] = mapped_column(ForeignKey("pricing_units.id"))
    #: units of the plan's currency that one pricing unit costs
    conversion_rate: Mapped[OptionalRate]
    properties: Mapped[Map] = mapped_column(default=dict)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    deleted_at: Mapped[OptionalInstant]


class ChargeFilter(Base):
    """A part of a charge's events with a price of its own (metering.md §4.1)."""

    __tablename__ = "charge_filters"
    __table_args__ = (Index(None, "charge_id"),)

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    charge_id: Mapped[Ref] = mapped_column(ForeignKey("charges.id"))
    #: metric filter key -> values, or ["__ALL_FILTER_VALUES__"]
    values: Mapped[Map]
    properties: Mapped[Map]
    invoice_display_name: Mapped[str | None]
    #: place in the list as it was sent
    position: Mapped[int]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    deleted_at: Mapped[OptionalInstant]


class FixedCharge(Base):
    """A price of an add-on times units on a plan, whatever is used (rating.md §16)."""

    __tablename__ = "fixed_charges"
    __table_args__ = (
        Index("uq_fixed_charges_code", "plan_id", "code", unique=True, postgresql_where=text("deleted_at is null")),
        Index(None, "parent_id"),
        CheckConstraint("units >= 0", name="units_not_negative"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    plan_id: Mapped[Ref] = mapped_column(ForeignKey("plans.id"))
    add_on_id: Mapped[Ref] = mapped_column(ForeignKey("add_ons.id"))
    parent_id: Mapped[OptionalRef] = mapped_column(ForeignKey("fixed_charges.id"))
    code: Mapped[str]
    invoice_display_name: Mapped[str | None]
    #: standard, graduated, volume
    charge_model: Mapped[str]
    pay_in_advance: Mapped[bool] = mapped_column(default=False)
    prorated: Mapped[bool] = mapped_column(default=False)
    units: Mapped[Exact]
    properties: Mapped[Map] = mapped_column(default=dict)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    deleted_at: Mapped[OptionalInstant]


class MinimumCommitment(Base):
    """What a subscription on the plan pays at least in a period (rating.md §17); one per plan."""

    __tablename__ = "minimum_commitments"
    __table_args__ = (
        UniqueConstraint("plan_id"),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    plan_id: Mapped[Ref] = mapped_column(ForeignKey("plans.id"))
    amount_cents: Mapped[Cents]
    invoice_display_name: Mapped[str | None]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class UsageThreshold(Base):
    """An amount of usage, of a plan or a subscription, at which a progressive invoice is made (§5.1)."""

    __tablename__ = "usage_thresholds"
    __table_args__ = (
        Index(
            "uq_usage_thresholds_amount",
            "plan_id",
            "amount_cents",
            "recurring",
            unique=True,
            postgresql_where=text("deleted_at is null"),
        ),
        Index(
            "uq_usage_thresholds_of_subscription",
            "subscription_id",
            "amount_cents",
            "recurring",
            unique=True,
            postgresql_where=text("deleted_at is null"),
        ),
        Index("ix_usage_thresholds_live", "organization_id", postgresql_where=text("deleted_at is null")),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("num_nonnulls(plan_id, subscription_id) = 1", name="one_owner"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    plan_id: Mapped[OptionalRef] = mapped_column(ForeignKey("plans.id"))
    subscription_id: Mapped[OptionalRef] = mapped_column(ForeignKey("subscriptions.id"))
    amount_cents: Mapped[Cents]
    threshold_display_name: Mapped[str | None]
    recurring: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    deleted_at: Mapped[OptionalInstant]


class AddOn(Base):
    """A price that is charged once, or again and again by a fixed charge (invoicing.md §11)."""

    __tablename__ = "add_ons"
    __table_args__ = (
        Index("uq_add_ons_code", "organization_id", "code", unique=True, postgresql_where=text("deleted_at is null")),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    code: Mapped[str]
    name: Mapped[str]
    invoice_display_name: Mapped[str | None]
    description: Mapped[str | None]
    amount_cents: Mapped[Cents]
    amount_currency: Mapped[str]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    deleted_at: Mapped[OptionalInstant]
