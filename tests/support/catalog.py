"""Builders of metrics, charges and plans for tests that go over HTTP."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from tallystick.ground.installation import Installation
from tallystick.ground.tables import Subscription
from tests.support.api import Api


def metric(api: Api, code: str = "m", aggregation_type: str = "count_agg", **more: Any) -> dict[str, Any]:
    """A billable metric."""
    body = {"name": code, "code": code, "aggregation_type": aggregation_type, **more}
    made: dict[str, Any] = api.post("/billable_metrics", {"billable_metric": body})["billable_metric"]
    return made


def charge(of: dict[str, Any], charge_model: str = "standard", **more: Any) -> dict[str, Any]:
    """The body of a charge on a metric."""
    return {"billable_metric_id": of["lago_id"], "charge_model": charge_model, **more}


def plan_body(code: str = "p", **more: Any) -> dict[str, Any]:
    """The body of a plan."""
    return {"name": code, "code": code, "interval": "monthly", "amount_cents": 100, "amount_currency": "EUR", **more}


def plan(api: Api, code: str = "p", **more: Any) -> dict[str, Any]:
    """A plan."""
    made: dict[str, Any] = api.post("/plans", {"plan": plan_body(code, **more)})["plan"]
    return made


def refused(api: Api, method: str, path: str, body: Any) -> dict[str, list[str]]:
    """The error details of a 422."""
    details: dict[str, list[str]] = api.call(method, path, body, 422)["error_details"]
    return details


async def subscribe(installation: Installation, api: Api, plan_id: str, status: str = "active") -> uuid.UUID:
    """A subscription row on a plan, written without the rules of subscriptions; returns its id."""
    external_id = uuid.uuid4().hex
    customer = api.post("/customers", {"customer": {"external_id": external_id}})["customer"]
    start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    row = Subscription(
        id=uuid.uuid4(),
        organization_id=uuid.UUID(api.organization["lago_id"]),
        customer_id=uuid.UUID(customer["lago_id"]),
        plan_id=uuid.UUID(plan_id),
        external_id=external_id,
        status=status,
        billing_time="calendar",
        subscription_at=start,
        created_at=start,
        updated_at=start,
    )
    async with installation.database.begin() as tx:
        tx.add(row)
    return row.id
