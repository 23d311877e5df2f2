"""Units over time and prices of fixed charges: the tables of rating.md §16, the examples of subscriptions.md §4.5."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tallystick.core.contract import FixedChargeTerms
from tallystick.core.explain import fixed_charge_trace, in_words, raise_trace
from tallystick.core.fixed_charges import (
    RatedUnits,
    UnitRecord,
    price_of_raise,
    price_of_units,
    raise_of,
    rated_units,
    records_of,
    upgrade_credit_cents,
)
from tallystick.core.money import dec_text, to_cents
from tallystick.core.rating import ChargeModel, Price, fee_amounts, tariff
from tallystick.core.windows import Window

JANUARY = Window(datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC))
STANDARD = {"amount": "10"}
GRADUATED = {
    "graduated_ranges": [
        {"from_value": 0, "to_value": 10, "per_unit_amount": "10", "flat_amount": "5"},
        {"from_value": 11, "to_value": None, "per_unit_amount": "8", "flat_amount": "0"},
    ]
}
VOLUME = {
    "volume_ranges": [
        {"from_value": 0, "to_value": 10, "per_unit_amount": "3", "flat_amount": "1"},
        {"from_value": 11, "to_value": None, "per_unit_amount": "2", "flat_amount": "0"},
    ]
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def records(*changes: tuple[str, str]) -> list[UnitRecord]:
    return [UnitRecord(at(moment), Decimal(units)) for moment, units in changes]


def january(
    *changes: tuple[str, str], properties: dict[str, Any] = STANDARD, prorated: bool = True, from_on: str = "2025-01-01"
) -> tuple[RatedUnits, Price]:
    window = Window(at(from_on), JANUARY.end_at)
    units = rated_units(records(*changes), window, 31, "UTC", prorated=prorated)
    ranges = next(iter(properties)).removesuffix("_ranges")
    model = ChargeModel("standard" if properties is STANDARD else ranges)
    return units, price_of_units(tariff(model, properties, prorated=prorated, currency="EUR"), units)


# changes, (days, weighted units) of each, prorated units, fee units, amount, cents
TABLE: list[Any] = [
    ([("2024-12-05", "10")], [(31, "10.0")], "10.0", "10.0", "100.0", 10000),
    (
        [("2024-12-05", "10"), ("2025-01-16", "15")],
        [(15, "4.83871"), (16, "7.741935")],
        "12.580645",
        "15.0",
        "125.80645",
        12581,
    ),
    ([("2025-01-20", "4")], [(12, "1.548387")], "1.548387", "4.0", "15.48387", 1548),
    ([("2024-12-05", "10"), ("2025-01-11", "0")], [(10, "3.225806"), (21, "0.0")], "3.225806", "0.0", "32.25806", 3226),
    (
        [("2024-12-05", "3"), ("2025-01-10T08:00", "5"), ("2025-01-10T09:00", "2")],
        [(9, "0.870968"), (0, "0.0"), (22, "1.419355")],
        *("2.290323", "2.0", "22.90323", 2290),
    ),
]


@pytest.mark.parametrize(("changes", "shares", "prorated", "full", "amount", "cents"), TABLE)
def test_prorated_units(
    changes: list[tuple[str, str]], shares: list[Any], prorated: str, full: str, amount: str, cents: int
) -> None:
    units, price = january(*changes)
    assert [(share.days, dec_text(share.weighted)) for share in units.shares] == shares
    assert (dec_text(units.rated), dec_text(units.full)) == (prorated, full)
    assert (dec_text(price.amount), to_cents(price.amount, "EUR")) == (amount, cents)
    assert dec_text(price.units) == full


@pytest.mark.parametrize(
    ("changes", "full", "prorated", "amount", "cents"),
    [
        ([("2024-12-05", "15")], "15.0", "15.0", "145.0", 14500),
        ([("2025-01-17", "15")], "15.0", "7.258065", "72.74194", 7274),
        ([("2025-01-16", "15")], "15.0", "7.741935", "77.25806", 7726),
        ([("2024-12-05", "0")], "0.0", "0.0", "5.0", 500),
        ([], "0.0", "0.0", "5.0", 500),
    ],
)
def test_prorated_graduated(changes: list[tuple[str, str]], full: str, prorated: str, amount: str, cents: int) -> None:
    units, price = january(*changes, properties=GRADUATED)
    assert (dec_text(units.full), dec_text(units.rated)) == (full, prorated)
    assert dec_text(round(price.amount, 5)) == amount
    assert to_cents(price.amount, "EUR") == cents
    assert price.details == {}


def test_prorated_graduated_lowered_to_nothing() -> None:
    units, price = january(("2024-12-05", "10"), ("2025-01-11", "0"), properties=GRADUATED)
    assert dec_text(price.amount) == dec_text(units.rated * 10 + 5)  # first price and first flat amount, rating.md §5.1


def test_not_prorated_units_are_the_last_created() -> None:
    units, price = january(("2024-12-05", "10"), ("2025-01-16", "15"), prorated=False)
    assert (dec_text(units.full), dec_text(units.rated), units.shares) == ("15.0", "15.0", ())
    assert to_cents(price.amount, "EUR") == 15000
    assert january(prorated=False)[0].full == 0


def test_volume_takes_the_range_of_full_units() -> None:
    units, price = january(("2025-01-16", "15"), properties=VOLUME)
    assert dec_text(units.rated) == "7.741935"
    assert dec_text(price.amount) == "15.48387"


def test_first_window_of_subscriptions_4_5() -> None:
    window = Window(at("2024-07-19T10:00"), at("2024-08-01"))
    units = rated_units(records(("2024-07-19T10:00:01", "10")), window, 31, "UTC", prorated=True)
    assert dec_text(units.rated) == "4.193548"
    price = price_of_units(tariff("standard", {"amount": "1"}, prorated=True, currency="EUR"), units)
    assert to_cents(price.amount, "EUR") == 419


def test_upper_bound_is_exclusive_and_creation_decides() -> None:
    # asked for in January for February, then another wish at once: the later wish stands in February too
    changes = records(("2024-12-05", "1"), ("2025-02-01", "5"), ("2025-01-20", "3"))
    february = Window(at("2025-02-01"), at("2025-03-01"))
    assert [int(one.units) for one in records_of(changes, JANUARY)] == [1, 3]
    assert [int(one.units) for one in records_of(changes, february)] == [5, 3]
    for prorated in (False, True):
        assert rated_units(changes, february, 28, "UTC", prorated=prorated).rated == 3


def test_days_are_local() -> None:
    # 16 January 02:00 UTC is the 15th in New York
    window = Window(at("2025-01-01T05:00"), at("2025-02-01T05:00"))
    changes = records(("2024-12-05", "10"), ("2025-01-16T02:00", "15"))
    units = rated_units(changes, window, 31, "America/New_York", prorated=True)
    assert [share.days for share in units.shares] == [14, 17]


# new units, units billed, instant, prorated, units of the fee, cents
RAISES = [
    ("15", "10", "2025-01-17T12:00", True, "5.0", 2419),
    ("12", "15", "2025-01-20T12:00", True, "0.0", 0),
    ("16", "15", "2025-01-25T12:00", True, "1.0", 226),
    ("15", "10", "2025-01-31T12:00", True, "5.0", 161),
    ("15", "10", "2025-01-31T12:00", False, "5.0", 5000),
    ("10.5", "10", "2025-01-01T12:00", True, "0.5", 500),
    ("15", "10", "2025-01-31T12:00", False, "5.0", 5000),
]


@pytest.mark.parametrize(("units", "billed", "moment", "prorated", "added", "cents"), RAISES)
def test_raises(units: str, billed: str, moment: str, prorated: bool, added: str, cents: int) -> None:
    raised = raise_of(Decimal(units), Decimal(billed), JANUARY, 31, "UTC", at(moment), prorated=prorated)
    price = price_of_raise(tariff("standard", STANDARD, prorated=False, currency="EUR"), raised)
    assert (dec_text(raised.units), to_cents(price.amount, "EUR")) == (added, cents)
    assert (dec_text(price.units), price.details) == (added, {})
    if raised.units:
        assert dec_text(round(price.unit_amount * raised.units, 20)) == dec_text(round(price.amount, 20))


def test_a_raise_starts_from_the_first_tier() -> None:
    raised = raise_of(Decimal(15), Decimal(10), JANUARY, 31, "UTC", at("2025-01-17"), prorated=False)
    price = price_of_raise(tariff("graduated", GRADUATED, prorated=False, currency="EUR"), raised)
    assert (dec_text(price.amount), dec_text(price.unit_amount), price.details) == ("55.0", "11.0", {})


def test_upgrade_credit() -> None:
    old = Window(at("2023-08-01"), at("2023-09-01"))
    new = Window(at("2023-08-21T10:00"), at("2023-09-01"))
    assert upgrade_credit_cents(1500, old.start_at, old, new) == 532
    assert upgrade_credit_cents(1500, old.start_at + timedelta(seconds=1), old, new) == 532
    assert 3548 - upgrade_credit_cents(1500, old.start_at, old, new) == 3016
    assert upgrade_credit_cents(1500, old.end_at, old, new) == 0


def test_traces_in_words() -> None:
    charge = FixedChargeTerms(
        id=uuid4(),
        parent_id=None,
        code="seat",
        add_on_id=uuid4(),
        model=ChargeModel.STANDARD,
        properties=STANDARD,
        pay_in_advance=True,
        prorated=True,
        taxes=(),
    )
    units, price = january(("2024-12-05", "10"), ("2025-01-16", "15"))
    amounts = fee_amounts(price.amount, price.unit_amount, "EUR")
    told = in_words(fixed_charge_trace(charge, units, price, amounts, JANUARY, 31, 100))
    assert told["sentences"] == [
        "15.0 units, weighed by their days; the period has 31 of 31 days",
        "12580.645 cents rounded half away from zero = 12581 cents",
        "less 100 cents that the old plan was paid for the same days",
    ]
    assert [step["sentence"] for step in told["steps"]] == ["12.580645 units at 10.0 = 125.80645"]
    raised = raise_of(Decimal(15), Decimal(10), JANUARY, 31, "UTC", at("2025-01-17"), prorated=True)
    price = price_of_raise(tariff("standard", STANDARD, prorated=False, currency="EUR"), raised)
    amounts = fee_amounts(price.amount, price.unit_amount, "EUR")
    trace = raise_trace(charge, Decimal(15), Decimal(10), raised, price, amounts, JANUARY, 31)
    assert in_words(trace)["sentences"][:2] == [
        "15.0 units, 10.0 of the period billed before: 5.0 more",
        "15 of 31 days",
    ]
