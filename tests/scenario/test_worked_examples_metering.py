"""Tables of metering.md §3 and §4 through HTTP: what events add up to, in which bucket and group, at what price."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import catalog, subscriptions, worked
from tests.support.api import ADMIN_TOKEN, Api
from tests.support.server import Running
from tests.support.worked import Example, Fee, Sent

Row = tuple[Any, ...]
RECURRING: dict[str, Any] = {"recurring": True}
SECONDS: dict[str, Any] = {"weighted_interval": "seconds"}
PRORATED: dict[str, Any] = {"prorated": True}


def _add(text: str, at: str) -> Sent:
    return Sent(text, at)


def _remove(text: str, at: str) -> Sent:
    return Sent(text, at, {"operation_type": "remove"})


def _fee(units: str, cents: int, **more: Any) -> list[Fee]:
    return [{"units": units, "amount_cents": cents, **more}]


JAN, DEC = "2025-01-10T12:00:00Z", "2024-12-05T12:00:00Z"
#: events, units if metered, units if recurring (§3.3)
UNIQUE: list[Row] = [
    ([_add("a", JAN), _add("a", JAN), _add("b", JAN)], 2, 2),
    ([_add("a", JAN), _remove("a", JAN)], 0, 0),
    ([_remove("a", JAN), _add("a", JAN)], 1, 1),
    ([_add("a", DEC), _remove("a", JAN)], 0, 0),
    ([_add("a", DEC)], 0, 1),
    ([_add("a", JAN), _remove("a", JAN), _add("a", JAN), _remove("b", JAN)], 1, 1),
    ([_add("1", JAN), Sent(1, JAN), _add("1.0", JAN), Sent("x", JAN, {"operation_type": "shrink"})], 2, 2),
]
#: events, fee units, cents at 30, start and end of the subscription (§3.6, January has 31 days)
SUMS: list[Row] = [
    ([("10", "01-01")], "10.0", 30000, None, None),
    ([("10", "01-16")], "10.0", 15484, None, None),
    ([("10", "01-31")], "10.0", 968, None, None),
    ([("10", None)], "10.0", 30000, None, None),
    ([("10", None), ("-4", "01-16"), ("1", "01-20")], "7.0", 24968, None, None),
    ([("10", None)], "10.0", 14516, None, "2025-01-15T12:00:00Z"),
    ([("10", None), ("2", "01-11")], "12.0", 15484, None, "2025-01-15T12:00:00Z"),
    ([("3", "01-10")], "3.0", 6387, "2025-01-10T00:00:00Z", None),
]
#: function, decimals, aggregate, rounded (§3.7)
ROUNDED: list[Row] = [
    ("round", None, "2.5", "3.0"),
    ("round", 0, "2.4", "2.0"),
    ("ceil", 0, "2.000001", "3.0"),
    ("floor", 0, "2.9", "2.0"),
    ("round", 2, "1.005", "1.01"),
    ("round", 2, "1.0049", "1.0"),
    ("ceil", -2, "101", "200.0"),
    ("ceil", -2, "100", "100.0"),
    ("round", -1, "15", "20.0"),
    ("round", -1, "14.99", "10.0"),
    ("floor", 1, "0.99", "0.9"),
]


def _january() -> Iterator[Example]:
    price = {"amount": "12"}
    for n, (sent, metered, recurring) in enumerate(UNIQUE):
        yield Example(f"unique-{n}", "standard", price, sent, _counted(metered), kind="unique_count")
        name = f"unique-recurring-{n}"
        yield Example(name, "standard", price, sent, _counted(recurring), kind="unique_count", metric=RECURRING)
    for n, (rows, units, cents, started_at, ended_at) in enumerate(SUMS):
        yield Example(
            f"prorated-{n}",
            "standard",
            {"amount": "30"},
            [Sent(value, f"2025-{day}T00:00:00Z" if day else DEC) for value, day in rows],
            _fee(units, cents, events_count=len(rows), total_aggregated_units=units),
            metric=RECURRING,
            charge=PRORATED,
            started_at=started_at,
            ended_at=ended_at,
        )
    for n, (function, places, value, rounded) in enumerate(ROUNDED):
        metric = {"rounding_function": function, "rounding_precision": places}
        cents = int(float(rounded) * 100)
        yield Example(f"rounded-{n}", "standard", {"amount": "1"}, [Sent(value)], _fee(rounded, cents), metric=metric)
    yield from _simple()


def _counted(units: int) -> list[Fee]:
    """Unique counts report their units as events, so that a fee of none is not stored (§3.8)."""
    return _fee(f"{units}.0", 1200 * units, events_count=units) if units else []


def _simple() -> Iterator[Example]:
    """§1.4, §3.1 and §3.2: what is a number, which event is the last, where a window ends."""
    price = {"amount": "1"}
    numbers = ["12", 12, "-3.50", "1e3", "+1", ".5", "5.", "1,0", " 1", "", True, None, 1.50, [1], {"a": 1}]
    yield Example(
        "numbers", "standard", price, [Sent(one) for one in numbers], _fee("22.0", 2200, events_count=4), kind="sum"
    )
    values = [Sent("3"), Sent("7"), Sent("x"), Sent("2")]
    yield Example("max", "standard", price, values, _fee("7.0", 700, events_count=3), kind="max")
    yield Example("max-below", "standard", price, [Sent("-3"), Sent("-7")], _fee("0.0", 0, events_count=2), kind="max")
    late = [Sent("1", "2025-01-12T00:00:00Z"), Sent("2", "2025-01-11T00:00:00Z"), Sent("x", "2025-01-13T00:00:00Z")]
    yield Example("latest", "standard", price, late, _fee("1.0", 100, events_count=2), kind="latest")
    bounds = ["2025-01-01T00:00:00Z", "2025-01-31T23:59:59.999999Z", "2025-02-01T00:00:00Z", "2024-12-31T23:59:59.999Z"]
    inside = [Sent(None, one) for one in bounds]
    yield Example("bounds", "standard", price, inside, _fee("2.0", 200, events_count=2), kind="count")
    carried = [Sent("5", DEC), Sent("2", JAN)]
    yield Example("metered", "standard", price, carried, _fee("2.0", 200, events_count=1))
    # events of a recurring sum are those of all history (§3.8)
    yield Example("recurring", "standard", price, carried, _fee("7.0", 700, events_count=2), metric=RECURRING)


def _on(value: str, text: str, operation: str | None = None) -> Sent:
    """An operation of June, or of another month when the text says so."""
    at = f"2025-06-{text}" if len(text.partition("T")[0]) == 2 else f"2025-{text}"
    return Sent(value, f"{at if 'T' in at else at + 'T00:00:00'}Z", {"operation_type": operation} if operation else {})


#: operations, fee units, cents at 30 (§3.6, June has 30 days)
SEATS: list[Row] = [
    ([_on("a", "01T08:00:00")], 1, 3000),
    ([_on("a", "10")], 1, 2100),
    ([_on("a", "30T23:00:00")], 1, 100),
    ([_on("a", "05-07")], 1, 3000),
    ([_on("a", "05-07"), _on("a", "20", "remove")], 0, 2000),
    ([_on("a", "10T09:00:00"), _on("a", "10T10:00:00", "remove")], 0, 100),
    ([_on("a", "05"), _on("a", "10T09:00:00", "remove"), _on("a", "10T15:00:00")], 1, 2600),
    ([_on("a", "05"), _on("a", "10", "remove"), _on("a", "12")], 1, 2500),
    ([_on("a", "05"), _on("a", "07"), _on("b", "20")], 2, 3700),
    ([_on("a", "03", "remove"), _on("b", "16")], 1, 1500),
    ([_on(str(n), "06") for n in range(6)], 6, 15000),
]
#: recurring, events, units, level reached, events of the window, cents at 1, end of the subscription (§3.5)
LEVELS: list[Row] = [
    (False, [("10", "06-01"), ("-10", "06-16")], "5.0", "0.0", 2, 500, None),
    (False, [("7", "06-11T12:00:00")], "4.55", "7.0", 1, 455, None),
    (False, [("4", "06-16"), ("6", "06-16")], "5.0", "10.0", 2, 500, None),
]


def _june() -> Iterator[Example]:
    for n, (sent, units, cents) in enumerate(SEATS):
        fees = _fee(f"{units}.0", cents)
        more: dict[str, Any] = {"kind": "unique_count", "metric": RECURRING, "charge": PRORATED}
        yield Example(f"seats-{n}", "standard", {"amount": "30"}, sent, fees, **more)
    for n, (recurring, rows, units, level, events, cents, ended_at) in enumerate(LEVELS):
        fees = _fee(units, cents, total_aggregated_units=level, events_count=events)
        sent = [_on(value, at) for value, at in rows]
        metric = {**SECONDS, "recurring": recurring}
        more = {"kind": "weighted_sum", "metric": metric, "ended_at": ended_at}
        yield Example(f"level-{n}", "standard", {"amount": "1"}, sent, fees, **more)


JANUARY, JUNE = list(_january()), list(_june())


def _month(running: Running, examples: list[Example], start: str, end: str) -> Iterator[dict[str, list[Fee]]]:
    api = Api(running.url, ADMIN_TOKEN)
    shop = worked.sold(api, examples, start)
    api.at(end)
    yield shop.billed()
    api.http.close()


@pytest.fixture(scope="module")
def january(running: Running) -> Iterator[dict[str, list[Fee]]]:
    yield from _month(running, JANUARY, "2025-01-01T00:00:00Z", "2025-02-01T01:00:00Z")


@pytest.fixture(scope="module")
def june(running: Running) -> Iterator[dict[str, list[Fee]]]:
    yield from _month(running, JUNE, "2025-06-01T00:00:00Z", "2025-07-01T01:00:00Z")


@pytest.mark.parametrize("example", JANUARY, ids=[example.name for example in JANUARY])
def test_a_january(january: dict[str, list[Fee]], example: Example) -> None:
    assert worked.shows(january.get(example.name, []), example.expected) == []


@pytest.mark.parametrize("example", JUNE, ids=[example.name for example in JUNE])
def test_a_june(june: dict[str, list[Fee]], example: Example) -> None:
    assert worked.shows(june.get(example.name, []), example.expected) == []


def test_levels_are_carried_from_month_to_month(api: Api) -> None:
    metric = {**SECONDS, **RECURRING}
    sent = [
        Sent("2500", "2023-03-05T00:00:00Z"),
        Sent("-2000", "2023-04-04T00:00:00Z"),
        Sent("-200", "2023-04-06T00:00:00Z"),
    ]
    more: dict[str, Any] = {"kind": "weighted_sum", "metric": metric, "started_at": "2023-03-05T00:00:00Z"}
    example = Example("level", "standard", {"amount": "1"}, sent, (), **more)
    shop = worked.sold(api, [example], "2023-03-01T00:00:00Z")
    api.at("2023-06-10T23:59:59.400Z")
    api.delete("/subscriptions/USD-0")
    march, april, may, june = shop.billed()["level"]
    assert (
        worked.shows(
            [march, april, may, june],
            [
                {"units": "2177.41935483870967741936", "total_aggregated_units": "2500.0", "amount_cents": 217742},
                {"units": "533.33333333333333333334", "total_aggregated_units": "300.0", "amount_cents": 53333},
                {"units": "300.0", "total_aggregated_units": "300.0", "amount_cents": 30000, "events_count": 0},
                {"units": "100.0", "total_aggregated_units": "300.0", "amount_cents": 10000},
            ],
        )
        == []
    )


def test_an_upgrade_takes_a_day_from_what_is_carried(api: Api) -> None:
    charge: dict[str, Any] = {"metric": RECURRING, "charge": PRORATED}
    example = Example("seats", "standard", {"amount": "30"}, [Sent("10", DEC)], (), **charge)
    shop = worked.sold(api, [example], "2025-01-01T00:00:00Z")
    catalog.plan(api, "dear", amount_cents=5000, amount_currency="USD")
    api.at("2025-01-15T12:00:00Z")
    subscriptions.subscribe(api, "dear", "USD-0", "USD-0")
    api.at("2025-01-15T13:00:00Z")
    assert worked.shows(shop.billed()["seats"], _fee("10.0", 13548)) == []


REGIONS = [{"key": "region", "values": ["us", "eu", "asia"]}, {"key": "tier", "values": ["free", "pro"]}]
FILTERS: list[dict[str, list[str]]] = [
    {"region": ["us", "eu"]},
    {"region": ["us"]},
    {"region": ["__ALL_FILTER_VALUES__"], "tier": ["pro"]},
    {"tier": ["pro"]},
    {"region": ["us"]},
]
#: properties of an event, its filter from 1, 0 for the default bucket (§4.1)
BUCKETS: list[tuple[dict[str, str], int]] = [
    ({"region": "us"}, 2),
    ({"region": "eu"}, 1),
    ({"region": "asia"}, 0),
    ({"region": "us", "tier": "pro"}, 3),
    ({"region": "mars", "tier": "pro"}, 4),
    ({"tier": "pro"}, 4),
    ({"region": "us", "tier": "gold"}, 2),
    ({"region": "US"}, 0),
    ({}, 0),
]


def test_filters(api: Api) -> None:
    """Units tell the events apart: 1, 10, 100, … Two filters become alike when the metric loses a value."""
    values = [*FILTERS[:4], {"region": ["us", "asia"]}]
    filters = [{"values": one, "properties": {"amount": "0"}} for one in values]
    sent = [Sent(str(10**place), properties=properties) for place, (properties, _) in enumerate(BUCKETS)]
    regions = [{"key": "region", "values": ["us", "eu", "asia"]}, REGIONS[1]]
    example = Example(
        "f", "standard", {"amount": "0"}, sent, (), metric={"filters": regions}, charge={"filters": filters}
    )
    shop = worked.sold(api, [example], "2025-01-01T00:00:00Z")
    without = [{"key": "region", "values": ["us", "eu"]}, REGIONS[1]]
    api.put("/billable_metrics/f", {"billable_metric": {"filters": without}})
    row = shop.usages()["f"]
    found = {place: one["units"] for place, one in enumerate(row["filters"], 1)}
    expected = dict.fromkeys(range(1, 7), 0)
    for place, (_, bucket) in enumerate(BUCKETS):
        expected[bucket or 6] += 10**place
    assert found == {place: f"{units}.0" for place, units in expected.items()}
    assert row["filters"][-1]["values"] is None
    assert row["filters"][2]["values"] == {"region": ["__ALL_FILTER_VALUES__"], "tier": ["pro"]}


def test_groups_are_priced_alone(api: Api) -> None:
    prices = {"amount": "1", "package_size": 15, "free_units": 0}
    sent = [Sent("10", properties=one) for one in ({"region": "us"}, {"region": "us"}, {}, {"region": ""})]
    examples = [
        Example("grouped", "package", {**prices, "pricing_group_keys": ["region"]}, sent, ()),
        Example("plain", "package", prices, sent[:3], ()),
    ]
    shop = worked.sold(api, examples, "2025-01-01T00:00:00Z")
    (null, us) = shop.usages()["grouped"]["grouped_usage"]
    assert (us["grouped_by"], us["units"], us["amount_cents"]) == ({"region": "us"}, "20.0", 200)
    assert (null["grouped_by"], null["units"], null["amount_cents"]) == ({"region": None}, "20.0", 200)
    assert shop.usages(skip_grouping=True)["grouped"]["amount_cents"] == 300
    api.at("2025-02-01T01:00:00Z")
    fees = shop.billed()
    assert sorted((str(fee["item"]["grouped_by"]), fee["amount_cents"]) for fee in fees["grouped"]) == [
        ("{'region': ''}", 200),
        ("{'region': 'us'}", 200),
    ]
    assert [(fee["units"], fee["amount_cents"]) for fee in fees["plain"]] == [("30.0", 200)]
