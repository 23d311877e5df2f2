"""A subscription to one charge paid in advance, its events and the fees they make, over HTTP."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from tests.support.api import Api
from tests.support.catalog import charge, metric, plan
from tests.support.subscriptions import customer, subscribe

CODE = "m"
FIELD = "n"
ONE_EACH = {"amount": "1"}


def sell(
    api: Api,
    kind: str = "sum",
    model: str = "standard",
    properties: dict[str, Any] | None = None,
    *,
    start: str = "2025-03-01T00:00:00Z",
    of_metric: dict[str, Any] | None = None,
    of_plan: dict[str, Any] | None = None,
    of_customer: dict[str, Any] | None = None,
    **of_charge: Any,
) -> dict[str, Any]:
    """Customer `c` subscribes as `s` to the free plan `p` with one charge paid in advance; returns the charge."""
    api.at(start)
    field = {} if kind == "count" else {"field_name": FIELD}
    counted = metric(api, CODE, f"{kind}_agg", **field, **(of_metric or {}))
    sold = charge(counted, model, properties=properties or ONE_EACH, **{"pay_in_advance": True, **of_charge})
    made = plan(api, **{"amount_cents": 0, "charges": [sold], **(of_plan or {})})
    customer(api, currency="EUR", **(of_customer or {}))
    subscribe(api)
    found: dict[str, Any] = made["charges"][0]
    return found


def send(
    api: Api,
    value: Any = None,
    at: str | None = None,
    *,
    of: str = "s",
    costs: str | None = None,
    settled: bool = True,
    **properties: Any,
) -> dict[str, Any]:
    """One event; `at` is its timestamp, the organization's now without it, `costs` its precise amount in cents."""
    held = {} if value is None else {FIELD: value}
    body: dict[str, Any] = {
        "transaction_id": str(uuid.uuid4()),
        "external_subscription_id": of,
        "code": CODE,
        "properties": {**held, **properties},
        "precise_total_amount_cents": costs,
    }
    if at is not None:
        body["timestamp"] = dt.datetime.fromisoformat(at).timestamp()
    made: dict[str, Any] = api.post("/events", {"event": body})["event"]
    if settled:
        api.at(api.now)
    return made


def fees(api: Api, **params: Any) -> list[dict[str, Any]]:
    """All usage fees, the oldest first."""
    rows: list[dict[str, Any]] = api.get("/fees", fee_type="charge", per_page=100, **params)["fees"]
    return rows


def fee_of(api: Api, event: dict[str, Any]) -> dict[str, Any]:
    """The only fee of an event."""
    (row,) = fees(api, event_transaction_id=event["transaction_id"])
    return row


def usage(api: Api) -> dict[str, Any]:
    """The usage of the only charge in the running period."""
    answer = api.get("/customers/c/current_usage", external_subscription_id="s")
    (row,) = answer["customer_usage"]["charges_usage"]
    found: dict[str, Any] = row
    return found


def dec(value: Any) -> Decimal:
    """A number of the wire."""
    return Decimal(str(value))
