"""Builders of usage over HTTP: a shop whose one charge is watched, events, progressive invoices, messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from tallystick.ground.installation import Installation
from tallystick.ground.tables import WebhookMessage
from tests.support.api import Api
from tests.support.billing import invoices
from tests.support.catalog import charge, metric, plan
from tests.support.subscriptions import customer, listen, subscribe

START = "2025-06-01T00:00:00Z"


def shop(
    api: Api,
    price: str = "0.0002",
    subscribed: bool = True,
    more_charges: Sequence[dict[str, Any]] = (),
    **of_plan: Any,
) -> dict[str, Any]:
    """A customer subscribed to a monthly plan of 31 EUR that prices the sum of what events send."""
    api.at(START)
    sums = metric(api, "m", "sum_agg", field_name="n")
    terms: dict[str, Any] = {
        "amount_cents": 3100,
        "charges": [charge(sums, properties={"amount": price}), *more_charges],
    }
    plan(api, **terms, **of_plan)
    customer(api, currency="EUR")
    listen(api)
    return subscribe(api) if subscribed else {}


def use(api: Api, units: int | str, **more: Any) -> None:
    """An event of so many units, and everything that follows from it."""
    event = {
        "transaction_id": str(uuid4()),
        "external_subscription_id": "s",
        "code": "m",
        "properties": {"n": str(units)},
        **more,
    }
    api.post("/events", {"event": event})
    api.at(api.now)


def progressive(api: Api, of: str = "c") -> list[dict[str, Any]]:
    """The progressive invoices of a customer, oldest first."""
    return [row for row in invoices(api, of) if row["invoice_type"] == "progressive_billing"]


async def messages(installation: Installation, api: Api, *types: str) -> list[dict[str, Any]]:
    """Payloads of the messages of these types, of all without types, in order."""
    chosen = select(WebhookMessage).where(WebhookMessage.organization_id == UUID(api.organization["lago_id"]))
    async with installation.database.begin() as tx:
        rows = list(await tx.scalars(chosen.order_by(WebhookMessage.id)))
    return [json.loads(row.payload) for row in rows if not types or row.webhook_type in types]
