"""Random usage from seeds: charges of every aggregation and model with filters and groups, and a history of events.

A seed makes one case, so that property tests draw lists of seeds: cheap to draw, and a failure shrinks to one of them.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Any

from tallystick.core.aggregate import Event
from tallystick.core.contract import ChargeTerms, Metric, PriceFilter
from tallystick.core.metering import MeterWindow
from tallystick.core.rating import ChargeModel
from tests.support import metering as build

KINDS = ("count", "sum", "sum", "sum", "max", "latest", "unique_count", "unique_count", "weighted_sum", "custom")
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "America/Sao_Paulo", "Europe/Paris")
MONTHS = ("2026-02-01", "2026-03-01", "2026-04-01", "2026-06-01", "2026-10-01", "2026-11-01", "2028-02-01")
ORGANIZATIONS = tuple(uuid.UUID(int=number) for number in range(1, 4))
MICROSECOND = dt.timedelta(microseconds=1)
STEPS = (MICROSECOND, dt.timedelta(milliseconds=1), dt.timedelta(hours=5), dt.timedelta(days=1), dt.timedelta(days=9))

JUNK = ("abc", "1e3", "+1", ".5", "5.", "1,0", " 1", "", "²", "٣", True, None, [1, 2], {"a": 1}, "9" * 501)
NUMBERS = (
    0,
    1,
    2,
    3,
    10,
    -4,
    "7",
    "-0.00",
    "007",
    "2.5",
    "0.1",
    Decimal("1.25"),
    Decimal("-3.50"),
    "1234567.8912345",
)
TEXTS = ("a", "b", "A", "é", "1", 1, "1.0", Decimal("1.0"))
PLACES = ("us", "eu", "asia", "mars", "US", "", None, 7)
OPERATIONS = ("add", "add", "remove", "remove", "", None, "other")
LISTED = ("us", "eu", "asia", "7")
TIERS: list[dict[str, Any]] = [
    {"from_value": 0, "to_value": 3, "per_unit_amount": "2", "flat_amount": "5"},
    {"from_value": 4, "to_value": 10, "per_unit_amount": "0.125", "flat_amount": "1"},
    {"from_value": 11, "to_value": None, "per_unit_amount": "0.0333", "flat_amount": "0"},
]
RATES: list[dict[str, Any]] = [
    {**{k: v for k, v in tier.items() if k != "per_unit_amount"}, "rate": "1.5"} for tier in TIERS
]


@dataclass(frozen=True, slots=True)
class Case:
    """One window with the events of its subscription; `first_started_at` is when the oldest row of it began."""

    window: MeterWindow
    events: list[Event]
    first_started_at: dt.datetime | None


def case(seed: int, number: int = 0) -> Case:
    """The case of a seed; `number` tells cases of one chunk apart. Its events are those of one subscription."""
    rng = Random(seed)
    window = replace(_window(rng, _charge(rng)), key=number, external_subscription_id=f"sub-{number}")
    window = replace(window, organization_id=rng.choice(ORGANIZATIONS))
    began = rng.choice([None, None, -40, 0, 3])
    first = None if began is None else window.start_at + dt.timedelta(days=began)
    return Case(window, history(rng, window, number), first)


def history(rng: Random, window: MeterWindow, number: int) -> list[Event]:
    """Events in and around a window, often at its bounds, often at one instant; ids say the order of reception."""
    received = [build.at("2026-01-01"), build.at("2028-07-02")]
    return [
        Event(_moment(rng, window), rng.choice(received), number * 1000 + place, _properties(rng), _amount(rng))
        for place in range(1, rng.choice((0, 1, 3, 8, 20)) + 1)
    ]


def _amount(rng: Random) -> Decimal | None:
    return rng.choice([None, Decimal("0.5"), Decimal(100), Decimal("-7.125"), Decimal("33.333")])


def _properties(rng: Random) -> dict[str, Any]:
    value = rng.choice(rng.choice((NUMBERS, NUMBERS, NUMBERS, TEXTS, TEXTS, JUNK)))
    found: dict[str, Any] = {build.FIELD: value, "operation_type": rng.choice(OPERATIONS)}
    found |= {key: rng.choice(PLACES) for key in ("region", "tier", "target_wallet_code")}
    return {key: one for key, one in found.items() if rng.random() < 0.9}


def _metric(rng: Random) -> Metric:
    kind = rng.choice(KINDS)
    rounding = rng.choice((None, None, "round", "ceil", "floor"))
    return build.metric(
        kind,
        recurring=kind in ("sum", "unique_count", "weighted_sum") and rng.random() < 0.6,
        rounding_function=rounding,
        rounding_precision=rng.choice((None, 0, 2, -1)) if rounding else None,
    )


def _charge(rng: Random) -> ChargeTerms:
    metric = _metric(rng)
    kind, model = metric.aggregation_type, rng.choice(list(ChargeModel))
    if (model is ChargeModel.DYNAMIC and kind != "sum_agg") or model is ChargeModel.CUSTOM:
        model = ChargeModel.STANDARD
    if kind == "latest_agg" and model in (ChargeModel.PERCENTAGE, ChargeModel.GRADUATED_PERCENTAGE):
        model = ChargeModel.PACKAGE
    prorates = metric.recurring and kind in ("sum_agg", "unique_count_agg")
    prorated = prorates and model in (ChargeModel.STANDARD, ChargeModel.VOLUME, ChargeModel.GRADUATED)
    return build.charge(
        metric,
        model=model,
        prorated=prorated and rng.random() < 0.6,
        properties={**prices(rng, model), "pricing_group_keys": _groups(rng)},
        filters=tuple(_filter(rng, model) for _ in range(rng.choice((0, 0, 1, 3, 6)))),
        accepts_target_wallet=rng.random() < 0.1,
    )


def prices(rng: Random, model: ChargeModel) -> dict[str, Any]:
    """Valid properties of a charge model."""
    price = rng.choice(("0", "1", "0.05", "12.345", "0.0000015"))
    match model:
        case ChargeModel.STANDARD:
            return {"amount": price}
        case ChargeModel.PACKAGE:
            return {"amount": price, "package_size": rng.choice((1, 3, 100)), "free_units": rng.choice((0, 2))}
        case ChargeModel.GRADUATED:
            return {"graduated_ranges": TIERS}
        case ChargeModel.VOLUME:
            return {"volume_ranges": TIERS}
        case ChargeModel.GRADUATED_PERCENTAGE:
            return {"graduated_percentage_ranges": RATES}
        case ChargeModel.PERCENTAGE:
            return _percentage(rng)
        case _:
            return {}


def _percentage(rng: Random) -> dict[str, Any]:
    options: Mapping[str, Sequence[Any]] = {
        "fixed_amount": ("0.3", "5"),
        "free_units_per_events": (1, 3),
        "free_units_per_total_aggregation": ("5", "0.5"),
        "per_transaction_min_amount": ("0.02", "1"),
        "per_transaction_max_amount": ("3", "1.5"),
    }
    chosen = {name: rng.choice(values) for name, values in options.items() if rng.random() < 0.3}
    return {"rate": rng.choice(("1", "2.99", "0")), **chosen}


def _groups(rng: Random) -> list[str]:
    return rng.sample(("region", "tier", "other"), rng.choice((0, 0, 1, 2)))


def _filter(rng: Random, model: ChargeModel) -> PriceFilter:
    keys = rng.sample(("region", "tier"), rng.choice((1, 2)))
    made = build.price_filter({key: rng.sample(LISTED, rng.randint(1, 3)) for key in keys}, *_groups(rng))
    return replace(made, properties={**prices(rng, model), **made.properties})


def _window(rng: Random, charge: ChargeTerms) -> MeterWindow:
    made = build.month(rng.choice(MONTHS), charge, rng.choice(ZONES))
    start, end = made.start_at, made.end_at
    if rng.random() < 0.3:
        start += dt.timedelta(days=rng.randint(0, 12), microseconds=rng.randint(0, 5_000))
    if rng.random() < 0.3:
        end -= dt.timedelta(days=rng.randint(1, 12), microseconds=rng.randint(0, 2_000_000))
    only = {"region": ("us", "")} if rng.random() < 0.1 else {}
    zone, days = made.timezone, made.duration_days
    return build.window(made.charge, start_at=start, end_at=end, timezone=zone, duration_days=days, only=only)


def _moment(rng: Random, window: MeterWindow) -> dt.datetime:
    length = (window.end_at - window.start_at) // MICROSECOND
    anchor = rng.choice((window.start_at, window.end_at, window.start_at + MICROSECOND * (length // 2)))
    return anchor + rng.choice(STEPS) * rng.randint(-3, 3)
