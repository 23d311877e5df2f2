"""Every table of rating.md whose rows an API can make, sold, used, billed and compared: units, amounts, details."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from tests.support import worked
from tests.support.api import ADMIN_TOKEN, Api
from tests.support.server import Running
from tests.support.worked import Example, Fee, Sent

Row = tuple[Any, ...]


def _ranges(*rows: tuple[float, float | None, str, str], price: str = "per_unit_amount") -> list[dict[str, Any]]:
    return [{"from_value": low, "to_value": high, price: unit, "flat_amount": flat} for low, high, unit, flat in rows]


TIERS_A = _ranges((0, 100, "0.10", "0"), (101, 1000, "0.05", "10"), (1001, None, "0.012", "20"))
TIERS_B = _ranges((0, 10, "2", "5"), (11, None, "1", "3"))
TIERS_C = _ranges((0, 0.5, "10", "0"), (0.5, 2, "4", "1"), (2, None, "1", "0"))
RATES_A = _ranges((0, 1000, "1", "0"), (1001, 10000, "0.5", "5"), (10001, None, "0.25", "10"), price="rate")
RATES_B = _ranges((0, 50, "3", "1.5"), (51, None, "1", "0"), price="rate")
VOLUME_A = _ranges((0, 10, "5.00", "0"), (11, 50, "4.5", "10"), (51, None, "3.125", "25"))
VOLUME_B = _ranges((0, 10, "1", "7"), (11, None, "0.5", "0"))


def _fee(units: str, amount: str, precise: str, cents: int, price: str, **more: Any) -> Fee:
    """The columns of the tables; `precise_amount` is what the API shows of precise cents."""
    return {"units": units, "precise_amount": amount, "amount_cents": cents, "precise_unit_amount": price, **more}


def _one(name: str, model: str, properties: dict[str, Any], units: Any, fee: Fee, **more: Any) -> Example:
    return Example(name, model, properties, [Sent(units)], [fee], **more)


STANDARD: list[Row] = [
    ("USD", "0", "0.05", ("0.0", "0.0", "0.0", 0, "0.0")),
    ("USD", "1", "0.05", ("1.0", "0.05", "5.0", 5, "0.05")),
    ("USD", "3", "0.005", ("3.0", "0.015", "1.5", 2, "0.005")),
    ("USD", "1", "0.005", ("1.0", "0.005", "0.5", 1, "0.005")),
    ("USD", "1", "0.0049", ("1.0", "0.0049", "0.49", 0, "0.0049")),
    ("USD", "2.5", "12.345", ("2.5", "30.8625", "3086.25", 3086, "12.345")),
    ("USD", "1000000", "0.0000015", ("1000000.0", "1.5", "150.0", 150, "0.0000015")),
    ("JPY", "3", "0.5", ("3.0", "1.5", "1.5", 2, "0.5")),
    ("JPY", "1", "0.49", ("1.0", "0.49", "0.49", 0, "0.49")),
    ("KWD", "1", "1.2345", ("1.0", "1.2345", "1234.5", 1235, "1.2345")),
    ("HUF", "7", "0.145", ("7.0", "1.015", "1.015", 1, "0.145")),
    ("USD", "-4", "5", ("0.0", "0.0", "0.0", 0, "0.0")),
    ("CLF", "3", "0.00005", ("3.0", "0.00015", "1.5", 2, "0.00005")),
    ("MRO", "1", "0.1", ("1.0", "0.1", "0.5", 1, "0.1")),
    ("USD", "1", "1e-2", ("1.0", "0.01", "1.0", 1, "0.01")),
]
GRADUATED: list[Row] = [
    (TIERS_A, "0", ("0.0", "0.0", "0.0", 0, "0.0")),
    (TIERS_A, "1", ("1.0", "0.1", "10.0", 10, "0.1")),
    (TIERS_A, "100", ("100.0", "10.0", "1000.0", 1000, "0.1")),
    (TIERS_A, "100.5", ("100.5", "20.025", "2002.5", 2003, "0.199253731343284…")),
    (TIERS_A, "101", ("101.0", "20.05", "2005.0", 2005, "0.198514851485149…")),
    (TIERS_A, "1000", ("1000.0", "65.0", "6500.0", 6500, "0.065")),
    (TIERS_A, "1000.25", ("1000.25", "85.003", "8500.3", 8500, "0.08498175456136…")),
    (TIERS_A, "2500.75", ("2500.75", "103.009", "10300.9", 10301, "0.041191242627212…")),
    (TIERS_B, "0", ("0.0", "5.0", "500.0", 500, "0.0")),
    (TIERS_B, "10", ("10.0", "25.0", "2500.0", 2500, "2.5")),
    (TIERS_B, "10.000001", ("10.000001", "28.000001", "2800.0001", 2800, "2.799999820000018…")),
    (TIERS_B, "11", ("11.0", "29.0", "2900.0", 2900, "2.636363636363636…")),
    (TIERS_B, "-1", ("0.0", "0.0", "0.0", 0, "0.0")),
    (TIERS_C, "0.5", ("0.5", "5.0", "500.0", 500, "10.0")),
    (TIERS_C, "0.75", ("0.75", "7.0", "700.0", 700, "9.333333333333333…")),
    (TIERS_C, "3.333", ("3.333", "13.333", "1333.3", 1333, "4.000300030003…")),
]
BY_RATE: list[Row] = [
    (RATES_A, "0", ("0.0", "0.0", "0.0", 0, "0.0")),
    (RATES_A, "1", ("1.0", "0.01", "1.0", 1, "0.01")),
    (RATES_A, "1000", ("1000.0", "10.0", "1000.0", 1000, "0.01")),
    (RATES_A, "1000.5", ("1000.5", "15.0025", "1500.25", 1500, "0.014995002498751…")),
    (RATES_A, "1001", ("1001.0", "15.005", "1500.5", 1501, "0.01499000999001…")),
    (RATES_A, "10000", ("10000.0", "60.0", "6000.0", 6000, "0.006")),
    (RATES_A, "25000", ("25000.0", "107.5", "10750.0", 10750, "0.0043")),
    (RATES_B, "0", ("0.0", "1.5", "150.0", 150, "0.0")),
    (RATES_B, "50", ("50.0", "3.0", "300.0", 300, "0.06")),
    (RATES_B, "50.33", ("50.33", "3.0033", "300.33", 300, "0.059672163719452…")),
]
PACKAGE: list[Row] = [
    (("5", 100, 50), "0", ("0.0", "0.0", "0.0", 0, "0.0"), ("0.0", "0.0", 0, "0.0")),
    (("5", 100, 50), "50", ("50.0", "0.0", "0.0", 0, "0.0"), ("50.0", "0.0", 100, "5.0")),
    (("5", 100, 50), "50.0001", ("50.0001", "5.0", "500.0", 500, "50000.0"), ("50.0", "0.0001", 100, "5.0")),
    (("5", 100, 50), "150", ("150.0", "5.0", "500.0", 500, "0.05"), ("50.0", "100.0", 100, "5.0")),
    (("5", 100, 50), "150.5", ("150.5", "10.0", "1000.0", 1000, "0.099502487562189…"), ("50.0", "100.5", 100, "5.0")),
    (("5", 100, 50), "251", ("251.0", "15.0", "1500.0", 1500, "0.074626865671642…"), ("50.0", "201.0", 100, "5.0")),
    (("5", 100, 200), "120", ("120.0", "0.0", "0.0", 0, "0.0"), ("200.0", "0.0", 100, "5.0")),
    (("0.333", 3, 0), "7", ("7.0", "0.999", "99.9", 100, "0.142714285714286…"), ("0.0", "7.0", 3, "0.333")),
    (("5", 1, 0), "2.5", ("2.5", "15.0", "1500.0", 1500, "6.0"), ("0.0", "2.5", 1, "5.0")),
]
VOLUME: list[Row] = [
    (VOLUME_A, "0", ("0.0", "0.0", "0.0", 0, "0.0"), ("0.0", "0.0", "0.0")),
    (VOLUME_A, "1", ("1.0", "5.0", "500.0", 500, "5.0"), ("0.0", "5.0", "5.0")),
    (VOLUME_A, "10", ("10.0", "50.0", "5000.0", 5000, "5.0"), ("0.0", "5.0", "50.0")),
    (VOLUME_A, "10.5", ("10.5", "57.25", "5725.0", 5725, "5.452380952380952…"), ("10.0", "4.5", "47.25")),
    (VOLUME_A, "11", ("11.0", "59.5", "5950.0", 5950, "5.409090909090909…"), ("10.0", "4.5", "49.5")),
    (VOLUME_A, "50", ("50.0", "235.0", "23500.0", 23500, "4.7"), ("10.0", "4.5", "225.0")),
    (
        VOLUME_A,
        "50.01",
        ("50.01", "181.28125", "18128.125", 18128, "3.624900019996001…"),
        ("25.0", "3.125", "156.28125"),
    ),
    (VOLUME_A, "100", ("100.0", "337.5", "33750.0", 33750, "3.375"), ("25.0", "3.125", "312.5")),
    (VOLUME_B, "0", ("0.0", "7.0", "700.0", 700, "0.0"), ("7.0", "0.0", "0.0")),
    (VOLUME_B, "10", ("10.0", "17.0", "1700.0", 1700, "1.7"), ("7.0", "1.0", "10.0")),
    (VOLUME_B, "11", ("11.0", "5.5", "550.0", 550, "0.5"), ("0.0", "0.5", "5.5")),
]
EVENTS_3, TOTAL_15 = {"free_units_per_events": 3}, {"free_units_per_total_aggregation": "15"}
FIVE = {"rate": "1", "fixed_amount": "5"}
#: properties, values, (units, free units, free events, percentage part, fixed part, amount, cents)
PERCENTAGE: list[Row] = [
    ({"rate": "1.5"}, ["100", "50.55"], ("150.55", "0.0", 0, "2.25825", "0.0", "2.25825", 226)),
    ({"rate": "1", "fixed_amount": "0.30"}, ["100"] * 3, ("300.0", "0.0", 0, "3.0", "0.9", "3.9", 390)),
    ({"rate": "0", "fixed_amount": "0.30"}, ["10", "0"], ("10.0", "0.0", 0, "0.0", "0.6", "0.6", 60)),
    ({"rate": "2", "fixed_amount": "1"}, ["0", "0"], ("0.0", "0.0", 0, "0.0", "0.0", "0.0", 0)),
    ({**FIVE, **EVENTS_3}, ["10"] * 3, ("30.0", "30.0", 3, "0.0", "0.0", "0.0", 0)),
    ({**FIVE, **EVENTS_3}, ["10"] * 4, ("40.0", "30.0", 3, "0.1", "5.0", "5.1", 510)),
    ({**FIVE, **TOTAL_15}, ["4"] * 3, ("12.0", "12.0", 3, "0.0", "0.0", "0.0", 0)),
    ({**FIVE, **TOTAL_15}, ["4"] * 4, ("16.0", "15.0", 3, "0.01", "5.0", "5.01", 501)),
    ({**FIVE, **TOTAL_15}, ["4", "4", "4", "4", "10"], ("26.0", "15.0", 3, "0.11", "10.0", "10.11", 1011)),
    ({**FIVE, **TOTAL_15}, ["15"], ("15.0", "15.0", 0, "0.0", "5.0", "5.0", 500)),
    ({**FIVE, **TOTAL_15}, ["20"], ("20.0", "15.0", 0, "0.05", "5.0", "5.05", 505)),
    ({**FIVE, **EVENTS_3, **TOTAL_15}, ["1"] * 4, ("4.0", "3.0", 3, "0.01", "5.0", "5.01", 501)),
    ({**FIVE, **EVENTS_3, **TOTAL_15}, ["10"] * 3, ("30.0", "15.0", 1, "0.15", "10.0", "10.15", 1015)),
    ({"rate": "0.75"}, ["33.33"], ("33.33", "0.0", 0, "0.249975", "0.0", "0.249975", 25)),
]
LIMITS = {"per_transaction_min_amount": "1.75", "per_transaction_max_amount": "12"}
ONE_EACH, NEARLY_3 = {"rate": "1", "fixed_amount": "1", **LIMITS}, {"rate": "2.99", **LIMITS}
#: properties, values, (amount, cents, adjustment)
LIMITED: list[Row] = [
    (ONE_EACH, ["100"], ("2.0", 200, "0.0")),
    (ONE_EACH, ["100", "1000", "10000"], ("25.0", 2500, "-89.0")),
    (ONE_EACH, ["10"], ("1.75", 175, "0.65")),
    (ONE_EACH, ["0"], ("1.75", 175, "1.75")),
    (NEARLY_3, ["10", "80", "10000"], ("16.142", 1614, "-285.549")),
    ({**NEARLY_3, "free_units_per_events": 2}, ["10", "80", "10000"], ("12.0", 1200, "-287.0")),
    ({**NEARLY_3, "free_units_per_total_aggregation": "30"}, ["10", "80", "10000"], ("13.794", 1379, "-287.0")),
    ({**NEARLY_3, "free_units_per_total_aggregation": "10"}, ["10", "80"], ("4.142", 414, "1.75")),
    (
        {**NEARLY_3, "free_units_per_events": 1, "free_units_per_total_aggregation": "50"},
        ["10", "80"],
        ("1.75", 175, "-0.642"),
    ),
]
DYNAMIC: list[Row] = [
    ("USD", [("10", "10.1")], ("10.0", "0.101", "10.1", 10, "0.0101")),
    ("USD", [("10", "10.1"), ("10", "901.9")], ("20.0", "9.12", "912.0", 912, "0.456")),
    ("USD", [("5", "1234.56")], ("5.0", "12.3456", "1234.56", 1235, "2.46912")),
    ("USD", [("5", "0.5"), ("1", None)], ("6.0", "0.005", "0.5", 1, "0.000833333333333…")),
    ("USD", [("0", "50")], ("0.0", "0.0", "0.0", 0, "0.0")),
    ("USD", [("3", "-20")], ("0.0", "0.0", "0.0", 0, "0.0")),
    ("JPY", [("2", "150.5")], ("2.0", "150.5", "150.5", 151, "75.25")),
    ("KWD", [("2", "1500.4")], ("2.0", "1.5004", "1500.4", 1500, "0.7502")),
    ("USD", [("5", "100"), ("x", "900")], ("5.0", "1.0", "100.0", 100, "0.2")),
]


def _examples() -> Iterator[Example]:
    for n, (currency, units, amount, row) in enumerate(STANDARD):
        yield _one(f"standard-{n}", "standard", {"amount": amount}, units, _fee(*row), currency=currency)
    for n, (ranges, units, row) in enumerate(GRADUATED):
        yield _one(f"graduated-{n}", "graduated", {"graduated_ranges": ranges}, units, _fee(*row))
    for n, (ranges, units, row) in enumerate(BY_RATE):
        properties = {"graduated_percentage_ranges": ranges}
        yield _one(f"by-rate-{n}", "graduated_percentage", properties, units, _fee(*row))
    for n, ((amount, size, free), units, row, details) in enumerate(PACKAGE):
        properties = {"amount": amount, "package_size": size, "free_units": free}
        names = ("free_units", "paid_units", "per_package_size", "per_package_unit_amount")
        fee = _fee(*row, amount_details=dict(zip(names, details, strict=True)))
        yield _one(f"package-{n}", "package", properties, units, fee)
    for n, (ranges, units, row, details) in enumerate(VOLUME):
        keys = ("flat_unit_amount", "per_unit_amount", "per_unit_total_amount")
        fee = _fee(*row, amount_details=dict(zip(keys, details, strict=True)))
        yield _one(f"volume-{n}", "volume", {"volume_ranges": ranges}, units, fee)
    yield from _percentages()
    for n, (currency, events, row) in enumerate(DYNAMIC):
        sent = [Sent(value, costs=costs) for value, costs in events]
        yield Example(f"dynamic-{n}", "dynamic", {}, sent, [_fee(*row)], currency=currency)


def _percentages() -> Iterator[Example]:
    for n, (properties, values, row) in enumerate(PERCENTAGE):
        units, free_units, free_events, part, fixed, amount, cents = row
        paid = len(values) - free_events
        details = {
            "units": units,
            "free_units": free_units,
            "free_events": free_events,
            "rate": str(float(properties["rate"])),
            "per_unit_total_amount": part,
            "paid_events": paid,
            "fixed_fee_total_amount": fixed,
            "min_max_adjustment_total_amount": "0.0",
        }
        fee = {"units": units, "precise_amount": amount, "amount_cents": cents, "details": details}
        yield Example(f"percentage-{n}", "percentage", properties, [Sent(value) for value in values], [fee])
    for n, (properties, values, (amount, cents, adjustment)) in enumerate(LIMITED):
        details = {"min_max_adjustment_total_amount": adjustment}
        fee = {"precise_amount": amount, "amount_cents": cents, "details": details}
        yield Example(f"limited-{n}", "percentage", properties, [Sent(value) for value in values], [fee])
    counted = {"rate": "10", "fixed_amount": "1", "free_units_per_events": 2}
    details = {"free_units": "2.0", "free_events": 2, "per_unit_total_amount": "0.3", "fixed_fee_total_amount": "3.0"}
    fee = {"units": "5.0", "precise_amount": "3.3", "amount_cents": 330, "details": details}
    yield Example("percentage-of-count", "percentage", counted, [Sent()] * 5, [fee], kind="count")


def _in_other_money(example: Example) -> Iterator[Example]:
    """The same prices in currencies without and with three decimals: only the rounding to payable units differs."""
    if example.currency == "USD" and example.model != "dynamic":
        for currency, subunit in (("JPY", 1), ("KWD", 1000)):
            fees = [{**fee, "amount_cents": _payable(fee["precise_amount"], subunit)} for fee in example.expected]
            yield replace(example, name=f"{example.name}@{currency}", currency=currency, expected=fees)


def _payable(amount: str, subunit: int) -> int:
    return int((Decimal(amount) * subunit).quantize(Decimal(1), ROUND_HALF_UP))


def _minimums() -> Iterator[Example]:
    """Minimums of a month of 28 days: minimum, start, used cents, and the true-up with its exact amount (§13)."""
    for n, (minimum, start, used, row) in enumerate(
        [
            (1000, 1, "7.00", (300, "3.0")),
            (1000, 4, "8.00", (93, "0.928571428571…")),
            (1000, 4, "8.93", None),
            (1000, 4, "8.92", (1, "0.008571428571…")),
            (5000, 1, "50.00", None),
            (10000, 1, None, (10000, "100.0")),
        ]
    ):
        cents = 0 if used is None else int(Decimal(used) * 100)
        fees: list[Fee] = [{"amount_cents": cents}]
        if row is not None:
            true_up = {"amount_cents": row[0], "precise_amount": row[1], "precise_unit_amount": row[1]}
            fees.append({**true_up, "units": "1.0", "total_aggregated_units": "1.0", "events_count": 0})
        sent = [] if used is None else [Sent(used, at="2025-02-10T00:00:00Z")]
        started = f"2025-02-{start:02d}T00:00:00Z"
        charge = {"min_amount_cents": minimum}
        yield Example(f"minimum-{n}", "standard", {"amount": "1"}, sent, fees, charge=charge, started_at=started)


EXAMPLES = [one for example in _examples() for one in (example, *_in_other_money(example))]
MINIMUMS = list(_minimums())
SEATS = _ranges((0, 5, "10", "100"), (6, 15, "5", "50"), (16, None, "2", "0"))
#: events of a September so far, and what prorated tiers then cost (§5.1)
SEPTEMBER: list[Row] = [
    (None, None, 10000, "100.0"),
    ("10", "2", 11400, "114.0"),
    ("16", "5", 18400, "184.0"),
    ("20", "-6", 16567, "165.666667…"),
    ("25", "10", 17967, "179.666667…"),
    ("26", "4", 18300, "183.0"),
    ("30", "60", 18700, "187.0"),
]


@pytest.fixture(scope="module")
def january(running: Running) -> Iterator[tuple[dict[str, list[Fee]], dict[str, dict[str, Any]]]]:
    """Fees and, before they were billed, usage of every example of January 2025."""
    api = Api(running.url, ADMIN_TOKEN)
    shop = worked.sold(api, EXAMPLES, "2025-01-01T00:00:00Z")
    usages = shop.usages()
    api.at("2025-02-01T01:00:00Z")
    yield shop.billed(), usages
    api.http.close()


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_a_month_of_usage(january: Any, example: Example) -> None:
    fees, usages = january
    found = fees.get(example.name, [])
    assert worked.shows(_with_details(found, example.expected), example.expected) == []
    assert usages[example.name]["amount_cents"] == sum(fee["amount_cents"] for fee in found)
    assert usages[example.name]["units"] == found[0]["units"]


def test_minimums(running: Running) -> None:
    api = Api(running.url, ADMIN_TOKEN)
    shop = worked.sold(api, MINIMUMS, "2025-02-01T00:00:00Z")
    api.at("2025-03-01T01:00:00Z")
    fees = shop.billed()
    for example in MINIMUMS:
        found = fees[example.name]
        assert worked.shows(found, example.expected) == [], example.name
        if len(found) == 2:
            parent, true_up = found
            assert true_up["lago_true_up_parent_fee_id"] == parent["lago_id"]
            assert parent["lago_true_up_fee_id"] == true_up["lago_id"]
            assert true_up["item"]["filters"] is None
    api.http.close()


def test_prorated_tiers_of_september_and_october(running: Running) -> None:
    api = Api(running.url, ADMIN_TOKEN)
    sent = [(day, value) for day, value, _, _ in SEPTEMBER if day is not None]
    examples = [
        Example(
            f"seats-{n}",
            "graduated",
            {"graduated_ranges": SEATS},
            [Sent(value, at=f"2025-09-{day}T12:00:00Z") for day, value in sent[:n]],
            [{"amount_cents": cents, "precise_amount": amount, "amount_details": {}}],
            metric={"recurring": True},
            charge={"prorated": True},
        )
        for n, (_, _, cents, amount) in enumerate(SEPTEMBER)
    ]
    shop = worked.sold(api, examples, "2025-09-01T00:00:00Z")
    usages = shop.usages()
    for example in examples:
        assert usages[example.name]["amount_cents"] == example.expected[0]["amount_cents"], example.name
    api.at("2025-10-02T01:00:00Z")
    fees = shop.billed()
    for example in examples[1:]:
        assert worked.shows(fees[example.name], example.expected) == [], example.name
    # nothing used but the first flat amount is due: the fee stays without events
    assert worked.shows(fees["seats-0"], examples[0].expected) == []
    assert shop.usages()["seats-6"]["amount_cents"] == 37000
    worked.send(api, [("USD-0", "seats-6", Sent("20", at="2025-10-17T00:00:00Z"))])
    assert shop.usages()["seats-6"]["amount_cents"] == 38935
    api.at("2025-11-01T01:00:00Z")
    assert [fee["amount_cents"] for fee in shop.billed()["seats-6"]] == [18700, 38935]
    api.http.close()


def _with_details(found: Sequence[Fee], expected: Sequence[Fee]) -> list[Fee]:
    """The told part of `amount_details` beside the whole."""
    return [
        {**fee, "details": {name: fee["amount_details"].get(name) for name in told.get("details", ())}}
        for fee, told in zip(found, expected, strict=False)
    ]


def test_details_of_tiers(january: Any) -> None:
    fees, _ = january
    (fee,) = fees["graduated-11"]
    assert fee["amount_details"] == {
        "graduated_ranges": [
            {
                "from_value": 0,
                "to_value": 10,
                "flat_unit_amount": "5.0",
                "per_unit_amount": "2.0",
                "units": "10.0",
                "per_unit_total_amount": "20.0",
                "total_with_flat_amount": "25.0",
            },
            {
                "from_value": 11,
                "to_value": None,
                "flat_unit_amount": "3.0",
                "per_unit_amount": "1.0",
                "units": "1.0",
                "per_unit_total_amount": "1.0",
                "total_with_flat_amount": "4.0",
            },
        ]
    }
    (fee,) = fees["by-rate-2"]
    assert fee["amount_details"] == {
        "graduated_percentage_ranges": [
            {
                "from_value": 0,
                "to_value": 1000,
                "flat_unit_amount": "0.0",
                "rate": "1.0",
                "units": "1000.0",
                "per_unit_total_amount": "10.0",
                "total_with_flat_amount": "10.0",
            }
        ]
    }
