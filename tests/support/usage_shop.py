"""A customer with one subscription from 1 June 2025, its events and its usage over HTTP."""

from __future__ import annotations

import itertools
from typing import Any

from tests.support import catalog, subscriptions
from tests.support.api import Api

_numbers = itertools.count(1)


def subscribe(api: Api, *charges: dict[str, Any], **plan: Any) -> None:
    """Customer `c` takes plan `p` with these charges as `s`; the clock stands at 1 June 2025, 09:00 UTC."""
    api.at("2025-06-01T09:00:00Z")
    catalog.plan(api, charges=list(charges), **plan)
    subscriptions.customer(api)
    subscriptions.subscribe(api, subscription_at="2025-06-01T00:00:00Z")


def charge(api: Api, code: str = "m", aggregation_type: str = "sum_agg", **more: Any) -> dict[str, Any]:
    """The body of a charge of 1 per unit on a new metric; `metric` has more of the metric's fields."""
    field = {} if aggregation_type == "count_agg" else {"field_name": "n"}
    metric = catalog.metric(api, code, aggregation_type, **{**field, **more.pop("metric", {})})
    return catalog.charge(metric, **{"properties": {"amount": "1"}, **more})


def event(api: Api, code: str = "m", at: int | None = None, of: str = "s", **properties: Any) -> str:
    """An event at an instant (epoch seconds), now by default; its transaction id."""
    body = {"transaction_id": f"tx-{next(_numbers)}", "external_subscription_id": of, "code": code}
    more = {} if at is None else {"timestamp": at}
    sent: dict[str, Any] = api.post("/events", {"event": {**body, **more, "properties": properties}})["event"]
    return str(sent["transaction_id"])


def usage(api: Api, **params: Any) -> dict[str, Any]:
    """Current usage."""
    found: dict[str, Any] = api.get("/customers/c/current_usage", external_subscription_id="s", **params)
    usage: dict[str, Any] = found["customer_usage"]
    return usage


def only_charge(body: dict[str, Any]) -> dict[str, Any]:
    """The one element of `charges_usage`."""
    (row,) = body["charges_usage"]
    assert isinstance(row, dict)
    return row
