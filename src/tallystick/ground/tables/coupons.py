"""Tables written by the coupons room: coupons, what they are limited to, and coupons applied to customers."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import (
    Base,
    Id,
    Instant,
    OptionalCents,
    OptionalInstant,
    OrganizationRef,
    Ref,
)


class Coupon(Base):
    """A discount that can be applied to customers (credits.md §1.1). Amount in minor units, rate in percent."""

    __tablename__ = "coupons"
    __table_args__ = (
        Index("uq_coupons_code", "organization_id", "code", unique=True, postgresql_where=text("deleted_at is null")),
        CheckConstraint("coupon_type in ('fixed_amount', 'percentage')", name="coupon_type"),
        CheckConstraint("frequency in ('once', 'recurring', 'forever')", name="frequency"),
        CheckConstraint("expiration in ('no_expiration', 'time_limit')", name="expiration"),
        CheckConstraint("status in ('active', 'terminated')", name="status"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    code: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None]
    coupon_type: Mapped[str]
    amount_cents: Mapped[OptionalCents]
    amount_currency: Mapped[str | None]
    percentage_rate: Mapped[Decimal | None] = mapped_column(Numeric(10, 5))
    frequency: Mapped[str]
    frequency_duration: Mapped[int | None]
    expiration: Mapped[str]
    expiration_at: Mapped[OptionalInstant]
    reusable: Mapped[bool] = mapped_column(default=True)
    status: Mapped[str] = mapped_column(default="active")
    terminated_at: Mapped[OptionalInstant]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    deleted_at: Mapped[OptionalInstant]


class CouponTarget(Base):
    """A plan or a billable metric that a coupon is limited to; a coupon has targets of one kind only."""

    __tablename__ = "coupon_targets"
    __table_args__ = (
        CheckConstraint("target_kind in ('plan', 'billable_metric')", name="target_kind"),
        Index(None, "target_id"),
    )

    coupon_id: Mapped[Ref] = mapped_column(ForeignKey("coupons.id"), primary_key=True)
    target_kind: Mapped[str] = mapped_column(primary_key=True)
    target_id: Mapped[Ref] = mapped_column(primary_key=True)
    organization_id: Mapped[OrganizationRef]
    created_at: Mapped[Instant]


class AppliedCoupon(Base):
    """A coupon applied to a customer with terms of its own, copied at that moment (credits.md §1.2).

    What is left of an amount used `once` is not stored: it is the amount less the credits that count.
    """

    __tablename__ = "applied_coupons"
    __table_args__ = (
        CheckConstraint("status in ('active', 'terminated')", name="status"),
        CheckConstraint("frequency in ('once', 'recurring', 'forever')", name="frequency"),
        CheckConstraint("frequency_duration_remaining >= 0", name="not_negative"),
        Index(None, "organization_id", "created_at", "id"),
        Index(None, "customer_id"),
        Index(None, "coupon_id"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    coupon_id: Mapped[Ref] = mapped_column(ForeignKey("coupons.id"))
    customer_id: Mapped[Ref] = mapped_column(ForeignKey("customers.id"))
    status: Mapped[str] = mapped_column(default="active")
    amount_cents: Mapped[OptionalCents]
    amount_currency: Mapped[str | None]
    percentage_rate: Mapped[Decimal | None] = mapped_column(Numeric(10, 5))
    frequency: Mapped[str]
    frequency_duration: Mapped[int | None]
    frequency_duration_remaining: Mapped[int | None]
    terminated_at: Mapped[OptionalInstant]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
