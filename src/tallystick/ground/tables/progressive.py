"""Tables of progressive billing: usage of a whole life (subscriptions room), thresholds billed (invoices room).

The thresholds themselves are the catalog's.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import Base, Cents, Id, Instant, OptionalRef, OrganizationRef, Ref


class LifetimeUsage(Base):
    """What was used of a chain of subscriptions elsewhere; the row moves to the successor at a change of plan.

    The other figures of metering.md §9.1 follow from invoices and events and are not stored.
    """

    __tablename__ = "lifetime_usages"
    __table_args__ = (
        UniqueConstraint("subscription_id"),
        CheckConstraint("external_historical_usage_amount_cents >= 0", name="not_negative"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    subscription_id: Mapped[Ref] = mapped_column(ForeignKey("subscriptions.id"))
    external_historical_usage_amount_cents: Mapped[Cents] = mapped_column(default=0)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class AppliedUsageThreshold(Base):
    """A usage threshold that a progressive invoice was made for (subscriptions.md §5.4).

    `last`: of the thresholds of its invoice the one that stands for all; for the same invoiced usage, and for a
    recurring threshold the same credited invoice, it is billed once (§5.3).
    """

    __tablename__ = "applied_usage_thresholds"
    __table_args__ = (
        Index(
            "uq_applied_usage_thresholds_last",
            "organization_id",
            "external_subscription_id",
            "usage_threshold_id",
            "invoiced_usage_amount_cents",
            "credited_invoice_id",
            unique=True,
            postgresql_where=text("last"),
            postgresql_nulls_not_distinct=True,
        ),
        Index(None, "invoice_id"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    external_subscription_id: Mapped[str]
    invoice_id: Mapped[Ref] = mapped_column(ForeignKey("invoices.id", deferrable=True, initially="DEFERRED"))
    usage_threshold_id: Mapped[Ref] = mapped_column(ForeignKey("usage_thresholds.id"))
    #: total usage at that moment, and the highest amount of the threshold that it covers
    lifetime_usage_amount_cents: Mapped[Cents]
    passed_threshold_amount_cents: Mapped[Cents]
    invoiced_usage_amount_cents: Mapped[Cents]
    credited_invoice_id: Mapped[OptionalRef]
    last: Mapped[bool]
    created_at: Mapped[Instant]
