"""`/api/v1/analytics/usage` (api.md §13)."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.routes import Routes
from tallystick.flows.usage.reports import GRANULARITIES, Asked, usages
from tallystick.ground.db import Tx

routes = Routes("analytic")

QUERY = (
    *("time_granularity", "currency", "from_date", "to_date", "customer_type", "external_customer_id"),
    *("customer_country", "external_subscription_id", "is_billable_metric_recurring", "plan_code"),
    "billable_metric_code",
)


@routes.get("/analytics/usage", query=QUERY)
async def usage(call: Call, tx: Tx) -> Any:
    """What was used of each metric, day by day, by week or by month."""
    granularity = call.text("time_granularity")
    currency, country = call.text("currency"), call.text("customer_country")
    asked = Asked(
        from_on=call.date("from_date"),
        to_on=call.date("to_date"),
        currency=currency.upper() if currency else None,
        customer_type=call.text("customer_type"),
        external_customer_id=call.text("external_customer_id"),
        customer_country=country.upper() if country else None,
        external_subscription_id=call.text("external_subscription_id"),
        recurring=call.flag("is_billable_metric_recurring"),
        plan_code=call.text("plan_code"),
        metric_code=call.text("billable_metric_code"),
    )
    known = granularity if granularity in GRANULARITIES else "daily"
    return {"usages": await usages(tx, call.organization_id, asked, known)}
