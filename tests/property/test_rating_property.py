"""Laws of rating that hold for any price list and any usage."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tallystick.core import money
from tallystick.core.money import ceil_to, dec_text, exact, total
from tallystick.core.rating import ChargeModel, Usage, normalize, price, validate

UNITS = st.decimals(min_value=0, max_value=10**9, places=5)
ANY_UNITS = st.decimals(min_value=-(10**6), max_value=10**9, places=5)
PRICES = st.decimals(min_value=0, max_value=10**4, places=7).map(lambda number: format(number, "f"))
AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=9)
CURRENCIES = st.sampled_from(sorted(money.CURRENCIES))


@st.composite
def ranges(draw: st.DrawFn, price_key: str = "per_unit_amount") -> list[dict[str, Any]]:
    gaps = draw(st.lists(st.integers(2, 10**5), max_size=5))
    ends: list[int | None] = [*accumulate(gaps), None]
    starts = [0, *(end + 1 for end in ends if end is not None)]
    return [
        {"from_value": start, "to_value": end, price_key: draw(PRICES), "flat_amount": draw(PRICES)}
        for start, end in zip(starts, ends, strict=True)
    ]


@st.composite
def charges(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    model = draw(st.sampled_from(list(ChargeModel)))
    properties: dict[ChargeModel, dict[str, Any]] = {
        ChargeModel.STANDARD: {"amount": draw(PRICES)},
        ChargeModel.GRADUATED: {"graduated_ranges": draw(ranges())},
        ChargeModel.PACKAGE: {
            "amount": draw(PRICES),
            "package_size": draw(st.integers(1, 10**4)),
            "free_units": draw(st.integers(0, 10**4)),
        },
        ChargeModel.PERCENTAGE: {"rate": draw(PRICES), "fixed_amount": draw(PRICES)},
        ChargeModel.VOLUME: {"volume_ranges": draw(ranges())},
        ChargeModel.GRADUATED_PERCENTAGE: {"graduated_percentage_ranges": draw(ranges("rate"))},
        ChargeModel.DYNAMIC: {},
        ChargeModel.CUSTOM: {},
    }
    return model, properties[model]


def amount(model: str, properties: dict[str, Any], units: Decimal) -> Decimal:
    return price(model, properties, Usage(units, units), prorated=False, currency="USD").amount


@given(ranges(), UNITS, UNITS)
def test_graduated_never_falls(rows: list[dict[str, Any]], a: Decimal, b: Decimal) -> None:
    low, high = sorted((a, b))
    properties = {"graduated_ranges": rows}
    assert amount("graduated", properties, low) <= amount("graduated", properties, high)


@given(ranges(), UNITS)
def test_graduated_is_the_sum_of_its_ranges(rows: list[dict[str, Any]], units: Decimal) -> None:
    """The units of a price split at the ends of the ranges, each part at the standard price of its range."""
    parts, low = [], Decimal(0)
    for row in rows:
        high = units if row["to_value"] is None else min(units, Decimal(row["to_value"]))
        if row["from_value"] and units <= low:
            break
        parts.append(amount("standard", {"amount": row["per_unit_amount"]}, high - low))
        parts.append(Decimal(row["flat_amount"]))
        low = high
    assert amount("graduated", {"graduated_ranges": rows}, units) == total(parts)


@given(ranges(), UNITS)
def test_volume_uses_exactly_one_range(rows: list[dict[str, Any]], units: Decimal) -> None:
    chosen = next(row for row in rows if row["to_value"] is None or units <= row["to_value"])
    alone = [{**chosen, "from_value": 0, "to_value": None}]
    assert amount("volume", {"volume_ranges": rows}, units) == amount("volume", {"volume_ranges": alone}, units)


@given(UNITS, st.integers(1, 10**6), st.integers(0, 10**6))
def test_packages_cover_the_paid_units_and_no_more(units: Decimal, size: int, free: int) -> None:
    packages = amount("package", {"amount": "1", "package_size": size, "free_units": free}, units)
    paid = max(units - free, Decimal(0))
    assert packages == ceil_to(packages)
    assert packages * size >= paid
    assert packages == 0 or (packages - 1) * size < paid


@given(charges(), ANY_UNITS, AMOUNTS, st.integers(0, 1000))
def test_amounts_are_never_negative_and_explained(
    charge: tuple[str, dict[str, Any]], units: Decimal, given_amount: Decimal, events: int
) -> None:
    model, properties = charge
    usage = Usage(units, units, events, precise_total_amount_cents=given_amount, custom_amount=given_amount)
    result = price(model, properties, usage, prorated=False, currency="USD")
    assert result.amount >= 0
    assert result.unit_amount >= 0
    assert result.units == (units if units >= 0 and result.trace[-1].kind != "floor" else 0)
    assert total(step.amount for step in result.trace) == result.amount


@given(ranges(), st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 30)), max_size=8))
def test_prorated_graduated_is_never_negative(rows: list[dict[str, Any]], values: list[tuple[int, int]]) -> None:
    items = tuple((Decimal(f), money.divide(f * days, 30)) for f, days in values)
    usage = Usage(total(p for _, p in items), total(f for f, _ in items), items=items)
    result = price("graduated", {"graduated_ranges": rows}, usage, prorated=True, currency="USD")
    assert result.amount >= 0
    assert total(step.amount for step in result.trace) == result.amount


@given(ranges(), st.lists(st.integers(1, 1000), min_size=1, max_size=8))
def test_prorated_graduated_over_the_full_period_is_graduated(rows: list[dict[str, Any]], values: list[int]) -> None:
    units = Decimal(sum(values))
    items = tuple((Decimal(value), Decimal(value)) for value in values)
    properties = {"graduated_ranges": rows}
    whole = price("graduated", properties, Usage(units, units, items=items), prorated=True, currency="USD")
    assert abs(whole.amount - amount("graduated", properties, units)) < Decimal("1e-20")


@given(AMOUNTS, CURRENCIES)
def test_to_cents_is_idempotent_and_close(number: Decimal, currency: str) -> None:
    cents = money.to_cents(number, currency)
    assert money.to_cents(money.from_cents(cents, currency), currency) == cents
    assert money.to_cents(-number, currency) == -cents
    with exact():
        assert abs(number * money.subunit(currency) - cents) <= Decimal("0.5")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_dec_text_reads_back_as_the_same_number(number: Decimal) -> None:
    text = dec_text(number)
    assert Decimal(text) == number
    assert "E" not in text
    assert "." in text


@given(charges())
def test_valid_properties_stay_valid_when_stored(charge: tuple[str, dict[str, Any]]) -> None:
    model, properties = charge
    assert validate(model, properties, aggregation_type="sum_agg") == []
    stored = normalize(model, properties)
    assert validate(model, stored, aggregation_type="sum_agg") == []
    assert normalize(model, stored) == stored
