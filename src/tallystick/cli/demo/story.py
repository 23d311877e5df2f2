"""What happens in the demonstration: a company that sells maps, its prices, six customers, and a month of events.

Only data, always the same; who sends it is drive.py.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

ORGANIZATION = {
    "name": "Meridian Maps",
    "sandbox": True,
    "country": "FR",
    "default_currency": "EUR",
    "timezone": "Europe/Paris",
    "legal_name": "Meridian Maps SAS",
    "address_line1": "8 rue du Méridien",
    "zipcode": "75014",
    "city": "Paris",
    "email": "billing@meridian-maps.example",
}

#: midnight of 1 March in New York; it is that day in Paris too
START_AT = dt.datetime(2026, 3, 1, 5, tzinfo=dt.UTC)
#: the last evening of the month, in both places
MONTH_END_AT = dt.datetime(2026, 3, 31, 21, 30, tzinfo=dt.UTC)
#: the month has ended everywhere: Paris at 22:00 UTC, New York at 04:00 UTC
NEXT_MONTH_AT = dt.datetime(2026, 4, 1, 6, tzinfo=dt.UTC)

TAXES = (
    {"code": "fr_vat", "name": "TVA", "rate": "20"},
    {"code": "ny_sales", "name": "New York sales tax", "rate": "8.875"},
)

METRICS: tuple[dict[str, Any], ...] = (
    {"code": "tiles", "name": "Map tiles", "aggregation_type": "count_agg"},
    {"code": "lookups", "name": "Address look-ups", "aggregation_type": "sum_agg", "field_name": "count"},
    {"code": "devices", "name": "Active devices", "aggregation_type": "unique_count_agg", "field_name": "device"},
    {"code": "orders", "name": "Orders brokered", "aggregation_type": "sum_agg", "field_name": "amount"},
    {"code": "storage", "name": "Storage peak, GB", "aggregation_type": "max_agg", "field_name": "gb"},
)

#: metric -> charge model and its properties, the same figures in both currencies
CHARGES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "tiles": (
        "graduated",
        {
            "graduated_ranges": [
                {"from_value": 0, "to_value": 1000, "per_unit_amount": "0.01", "flat_amount": "0"},
                {"from_value": 1001, "to_value": None, "per_unit_amount": "0.006", "flat_amount": "2"},
            ]
        },
    ),
    "lookups": ("package", {"amount": "4", "package_size": 1000, "free_units": 500}),
    "devices": ("standard", {"amount": "0.35"}),
    "orders": ("percentage", {"rate": "1.2", "fixed_amount": "0.05"}),
    "storage": (
        "volume",
        {
            "volume_ranges": [
                {"from_value": 0, "to_value": 50, "per_unit_amount": "0.40", "flat_amount": "0"},
                {"from_value": 51, "to_value": None, "per_unit_amount": "0.30", "flat_amount": "1"},
            ]
        },
    ),
}

#: Team is billed when the month is over, Business before it begins
PLANS: tuple[dict[str, Any], ...] = (
    {"code": "team", "name": "Team", "amount_cents": 4900, "amount_currency": "EUR", "pay_in_advance": False},
    {"code": "business", "name": "Business", "amount_cents": 19900, "amount_currency": "USD", "pay_in_advance": True},
)


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer with one subscription of the same external id; `share` weighs its part of the events."""

    external_id: str
    name: str
    city: str
    plan: str
    share: int

    @property
    def body(self) -> dict[str, Any]:
        """What the API is told; French customers pay in euros, American ones in dollars."""
        place = (
            {"country": "FR", "currency": "EUR", "timezone": "Europe/Paris", "tax_codes": ["fr_vat"]}
            if self.plan == "team"
            else {"country": "US", "currency": "USD", "timezone": "America/New_York", "tax_codes": ["ny_sales"]}
        )
        return {"external_id": self.external_id, "name": self.name, "city": self.city, "net_payment_term": 30, **place}


CUSTOMERS = (
    Customer("atelier-lumiere", "Atelier Lumière", "Lyon", "team", 4),
    Customer("velo-rapide", "Vélo Rapide", "Paris", "team", 3),
    Customer("ferme-du-lac", "Ferme du Lac", "Annecy", "team", 1),
    Customer("bluebird-coffee", "Bluebird Coffee", "Brooklyn", "business", 5),
    Customer("hudson-freight", "Hudson Freight", "Albany", "business", 6),
    Customer("finger-lakes-tours", "Finger Lakes Tours", "Ithaca", "business", 2),
)

#: a subscription paid in advance has an invoice at its start too
INVOICES = len(CUSTOMERS) + sum(customer.plan == "business" for customer in CUSTOMERS)


def charges(metric_ids: Mapping[str, str]) -> list[dict[str, Any]]:
    """The charges of a plan; `metric_ids` is code -> id."""
    return [
        {"billable_metric_id": metric_ids[code], "charge_model": model, "properties": properties}
        for code, (model, properties) in CHARGES.items()
    ]


def make_events(count: int) -> list[dict[str, Any]]:
    """About `count` events of the month, in order of time; the same ones whenever it is called."""
    chance = random.Random(20260301)
    seconds = int((MONTH_END_AT - START_AT).total_seconds())
    moments = sorted(chance.uniform(0, seconds) for _ in range(count))
    codes, weights = ("tiles", "lookups", "devices", "orders", "storage"), (60, 18, 14, 6, 2)
    customers, shares = CUSTOMERS, [customer.share for customer in CUSTOMERS]
    return [
        {
            "transaction_id": f"demo-{number:06d}",
            "external_subscription_id": chance.choices(customers, shares)[0].external_id,
            "code": code,
            "timestamp": f"{START_AT.timestamp() + moment:.3f}",
            "properties": _properties(code, chance),
        }
        for number, moment in enumerate(moments)
        for code in chance.choices(codes, weights)
    ]


def _properties(code: str, chance: random.Random) -> dict[str, Any]:
    match code:
        case "lookups":
            return {"count": chance.randint(1, 40)}
        case "devices":
            return {"device": f"device-{chance.randint(1, 160)}"}
        case "orders":
            return {"amount": f"{chance.randint(500, 25_000) / 100:.2f}"}
        case "storage":
            return {"gb": str(chance.randint(5, 90))}
        case _:
            return {"zoom": chance.randint(3, 18)}


def units(events: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Decimal]:
    """(subscription, metric) -> the units that these events amount to, counted here in the plainest way."""
    values: dict[tuple[str, str], list[Any]] = defaultdict(list)
    fields = {metric["code"]: metric.get("field_name") for metric in METRICS}
    for event in events:
        field = fields[event["code"]]
        values[event["external_subscription_id"], event["code"]].append(event["properties"][field] if field else 1)
    return {key: _aggregated(key[1], found) for key, found in values.items()}


def _aggregated(code: str, values: Sequence[Any]) -> Decimal:
    match code:
        case "devices":
            return Decimal(len(set(values)))
        case "storage":
            return max(Decimal(value) for value in values)
        case _:
            return sum((Decimal(value) for value in values), Decimal(0))
