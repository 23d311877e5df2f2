"""Worked examples of the specification through HTTP: many subscriptions of one organization, billed by one clock move.

Each example is a charge on a metric that nobody else uses; its name is the code of both.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.support import catalog, subscriptions
from tests.support.api import Api

BATCH = 100
FIELD = "n"
#: events of 2025 need no instants of their own
DAY = "01-10T12:00:00Z"

Fee = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """An event: its value, its instant, more properties, and the amount of a dynamic charge."""

    value: Any = None
    at: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    costs: Any = None


@dataclass(frozen=True, slots=True)
class Example:
    """One row of a table: what is sold, what is sent, what the fees must show.

    `metric` has fields beside `kind` and the field name; `charge` those beside model and properties. `started_at` and
    `ended_at` default to the whole period. `expected` are fees in order, as far as their fields are told.
    """

    name: str
    model: str
    properties: Mapping[str, Any]
    sent: Sequence[Sent]
    expected: Sequence[Fee]
    kind: str = "sum"
    currency: str = "USD"
    metric: Mapping[str, Any] = field(default_factory=dict)
    charge: Mapping[str, Any] = field(default_factory=dict)
    started_at: str | None = None
    ended_at: str | None = None


@dataclass(slots=True)
class Shop:
    """What was sold: subscription -> its customer, charge id -> its example."""

    api: Api
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def usages(self, **params: Any) -> dict[str, dict[str, Any]]:
        """Example -> the current usage of its charge."""
        rows = []
        for subscription, customer in self.customers.items():
            path = f"/customers/{customer}/current_usage"
            answer = self.api.get(path, external_subscription_id=subscription, **params)
            rows += answer["customer_usage"]["charges_usage"]
        return {self.names[row["charge"]["lago_id"]]: row for row in rows}

    def billed(self) -> dict[str, list[Fee]]:
        """Example -> the fees of all its periods, true-ups behind what they fill."""
        found: dict[str, list[Fee]] = {}
        for page in itertools.count(1):
            answer = self.api.get("/fees", fee_type="charge", per_page=1000, page=page)
            for fee in answer["fees"]:
                found.setdefault(self.names[fee["lago_charge_id"]], []).append(fee)
            if not answer["meta"]["next_page"]:
                break
        for fees in found.values():
            fees.sort(key=lambda fee: (fee["from_date"], fee["lago_true_up_parent_fee_id"] is not None))
        return found


def sold(api: Api, examples: Iterable[Example], start: str) -> Shop:
    """Sell every example and send its events; the clock stands at the start of the period.

    Examples with one currency, start and end share a plan, a customer and a subscription.
    """
    api.at(start)
    shop = Shop(api)
    together: dict[tuple[str, str, str | None], list[Example]] = {}
    for example in examples:
        key = (example.currency, example.started_at or start, example.ended_at)
        together.setdefault(key, []).append(example)
    sent: list[tuple[str, str, Sent]] = []
    for number, ((currency, started_at, ended_at), its) in enumerate(together.items()):
        name = f"{currency}-{number}"
        prices = {"amount_cents": 0, "amount_currency": currency, "charges": [_charge(shop, one) for one in its]}
        made = catalog.plan(api, name, **prices)
        shop.names |= {charge["lago_id"]: charge["code"] for charge in made["charges"]}
        shop.customers[name] = name
        subscriptions.customer(api, name, currency=currency)
        until = {} if ended_at is None else {"ending_at": ended_at}
        subscriptions.subscribe(api, name, name, name, subscription_at=started_at, **until)
        sent += [(name, _metric_code(one), event) for one in its for event in one.sent]
    send(api, sent)
    return shop


def _charge(shop: Shop, example: Example) -> dict[str, Any]:
    code = _metric_code(example)
    if code not in shop.metrics:
        fields = {} if example.kind == "count" else {"field_name": FIELD}
        shop.metrics[code] = catalog.metric(shop.api, code, f"{example.kind}_agg", **fields, **example.metric)
    more = {"code": example.name, "properties": example.properties, **example.charge}
    return catalog.charge(shop.metrics[code], example.model, **more)


def _metric_code(example: Example) -> str:
    """Examples that differ behind an @ share their metric."""
    return example.name.partition("@")[0]


def send(api: Api, events: Sequence[tuple[str, str, Sent]]) -> None:
    """(subscription, code, event) in batches, in this order."""
    bodies = [
        {
            "transaction_id": f"tx-{api.now}-{number}",
            "external_subscription_id": name,
            "code": code,
            "timestamp": seconds(event.at or f"{api.now[:4]}-{DAY}"),
            "properties": {**({} if event.value is None else {FIELD: event.value}), **event.properties},
            "precise_total_amount_cents": event.costs,
        }
        for number, (name, code, event) in enumerate(events)
    ]
    for place in range(0, len(bodies), BATCH):
        api.post("/events/batch", {"events": bodies[place : place + BATCH]})


def seconds(moment: str) -> str:
    """The epoch seconds of an instant, exact to the microsecond."""
    at = dt.datetime.fromisoformat(moment)
    micros = (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    return str(Decimal(micros) / 1_000_000)


def shows(found: Sequence[Fee], expected: Sequence[Fee]) -> list[str]:
    """What differs; a text that ends with … is the beginning of a number, rounded where it was cut."""
    if len(found) != len(expected):
        return [f"{len(found)} fees instead of {len(expected)}"]
    return [
        f"{place}.{name}: {fee.get(name)!r} instead of {wanted!r}"
        for place, (fee, told) in enumerate(zip(found, expected, strict=True))
        for name, wanted in told.items()
        if not _same(fee.get(name), wanted)
    ]


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, str) and wanted.endswith("…"):
        places = len(wanted.rstrip("…").partition(".")[2])
        return round(Decimal(found), places) == Decimal(wanted.rstrip("…"))
    return bool(found == wanted)
