"""The kinds of alerts and what each looks at (webhooks.md §5.7)."""

from __future__ import annotations

from enum import StrEnum

from tallystick.core.alerts import Direction


class AlertType(StrEnum):
    """`alert_type` of alerts on subscriptions: minor units without taxes, or units."""

    CURRENT_AMOUNT = "current_usage_amount"
    METRIC_AMOUNT = "billable_metric_current_usage_amount"
    METRIC_UNITS = "billable_metric_current_usage_units"
    LIFETIME_AMOUNT = "lifetime_usage_amount"
    METRIC_LIFETIME_UNITS = "billable_metric_lifetime_usage_units"

    @property
    def of_metric(self) -> bool:
        """Whether it looks at one billable metric."""
        return self.value.startswith("billable_metric_")

    @property
    def direction(self) -> Direction:
        """Usage only grows within a period."""
        return Direction.INCREASING
