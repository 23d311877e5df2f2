"""Tables written by the alerts room: alerts, the values they tell of, and what they told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, text
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

_LIVE = text("deleted_at is null")


class Alert(Base):
    """A figure of a chain of subscriptions that is watched (metering.md §10), bound to its external id.

    `previous_value` is the figure at the last look: minor units, credits or units, as the type has it.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "uq_alerts_code",
            "organization_id",
            "external_subscription_id",
            "code",
            unique=True,
            postgresql_where=_LIVE,
        ),
        Index(
            "uq_alerts_subject",
            "organization_id",
            "external_subscription_id",
            "alert_type",
            "billable_metric_id",
            unique=True,
            postgresql_where=_LIVE,
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    external_subscription_id: Mapped[str]
    alert_type: Mapped[str]
    code: Mapped[str]
    name: Mapped[str | None]
    billable_metric_id: Mapped[OptionalRef] = mapped_column(ForeignKey("billable_metrics.id"))
    previous_value: Mapped[Exact] = mapped_column(default=Decimal(0))
    last_processed_at: Mapped[OptionalInstant]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    deleted_at: Mapped[OptionalInstant]


class AlertThreshold(Base):
    """A value of an alert, or the step of its recurring one; replaced as a whole."""

    __tablename__ = "alert_thresholds"
    __table_args__ = (
        Index("uq_alert_thresholds_value", "alert_id", "value", "recurring", unique=True),
        Index("uq_alert_thresholds_recurring", "alert_id", unique=True, postgresql_where=text("recurring")),
        CheckConstraint("not recurring or value > 0", name="step_positive"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    alert_id: Mapped[Ref] = mapped_column(ForeignKey("alerts.id"))
    value: Mapped[Exact]
    recurring: Mapped[bool] = mapped_column(default=False)
    code: Mapped[str | None]


class TriggeredAlert(Base):
    """One look at an alert that found thresholds crossed: what `alert.triggered` tells (webhooks.md §3.19)."""

    __tablename__ = "triggered_alerts"
    __table_args__ = (Index(None, "alert_id", "triggered_at"),)

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    alert_id: Mapped[Ref] = mapped_column(ForeignKey("alerts.id"))
    subscription_id: Mapped[Ref] = mapped_column(ForeignKey("subscriptions.id"))
    current_value: Mapped[Exact]
    previous_value: Mapped[Exact]
    #: objects of code, value (decimal text) and recurring, in the order in which they are told
    crossed_thresholds: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    triggered_at: Mapped[Instant]
