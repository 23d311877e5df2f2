"""Sub-tables of a charge: how its model came from units to the amount (rating.md §4-§9, `amount_details`).

Amounts are read from the details and never computed anew, save the flat part taken off a tier's total.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from tallystick.core.money import ceil_to
from tallystick.providers.pdf.model import Row
from tallystick.providers.pdf.setting import Setting, Wire, number

Part = tuple[str, Decimal, str, Decimal]
"""Name, units, unit price as text, amount in major units."""


def parts_of(fee: Wire, setting: Setting) -> tuple[Row, ...]:
    """Rows of the sub-table of a fee; empty where its model has none (standard, dynamic, custom, true-up)."""
    details = {"units": fee["units"], **(fee.get("amount_details") or {})}
    unit = (fee.get("pricing_unit_details") or {}).get("short_name")
    reader = next((read for key, read in _READERS if key in details), None)
    if reader is None or fee.get("lago_true_up_parent_fee_id"):
        return ()
    formats = setting.formats
    return tuple(
        Row("part", name, (formats.units(units), price, "", formats.amount(amount, unit)))
        for name, units, price, amount in reader(details, setting, unit)
    )


def _ranges(details: Wire, setting: Setting, unit: str | None) -> Iterator[Part]:
    for tier in details["graduated_ranges"]:
        price = setting.formats.price(number(tier["per_unit_amount"]), unit)
        yield from _tier(tier, price, setting, unit)


def _percent_ranges(details: Wire, setting: Setting, unit: str | None) -> Iterator[Part]:
    for tier in details["graduated_percentage_ranges"]:
        yield from _tier(tier, setting.formats.percent(number(tier["rate"])), setting, unit)


def _tier(tier: Wire, price: str, setting: Setting, unit: str | None) -> Iterator[Part]:
    say, units = setting.words.say, setting.formats.units
    start, end = units(number(tier["from_value"])), tier.get("to_value")
    span = say("tier_open", start=start) if end is None else say("tier", start=start, end=units(number(end)))
    flat = number(tier["flat_unit_amount"])
    yield span, number(tier["units"]), price, number(tier["total_with_flat_amount"]) - flat
    yield from _flat(flat, setting, unit)


def _flat(flat: Decimal, setting: Setting, unit: str | None) -> Iterator[Part]:
    if flat:
        yield setting.words.say("flat_fee"), Decimal(1), setting.formats.price(flat, unit), flat


def _volume(details: Wire, setting: Setting, unit: str | None) -> Iterator[Part]:
    price = setting.formats.price(number(details["per_unit_amount"]), unit)
    yield setting.words.say("volume"), number(details["units"]), price, number(details["per_unit_total_amount"])
    yield from _flat(number(details["flat_unit_amount"]), setting, unit)


def _package(details: Wire, setting: Setting, unit: str | None) -> Iterator[Part]:
    say, price = setting.words.say, number(details["per_package_unit_amount"])
    free, size = number(details["free_units"]), number(details["per_package_size"])
    if free:
        yield say("free_units"), free, setting.formats.price(Decimal(0), unit), Decimal(0)
    if size:
        packages = ceil_to(number(details["paid_units"]) / size)
        name = say("package", size=setting.formats.units(size))
        yield name, packages, setting.formats.price(price, unit), packages * price


def _percentage(details: Wire, setting: Setting, unit: str | None) -> Iterator[Part]:
    say, formats = setting.words.say, setting.formats
    free, events = number(details["free_units"]), number(details["free_events"])
    if free:
        name = say("free_events", count=formats.units(events)) if events else say("free_units")
        yield name, free, formats.percent(Decimal(0)), Decimal(0)
    rate = formats.percent(number(details["rate"]))
    yield say("percentage"), number(details["paid_units"]), rate, number(details["per_unit_total_amount"])
    if fixed := number(details["fixed_fee_total_amount"]):
        price = formats.price(number(details["fixed_fee_unit_amount"]), unit)
        yield say("fixed_fee"), number(details["paid_events"]), price, fixed
    if adjustment := number(details["min_max_adjustment_total_amount"]):
        yield say("adjustment"), Decimal(1), formats.price(adjustment, unit), adjustment


_Reader = Callable[[Wire, Setting, str | None], Iterator[Part]]

# The key by which the details of a model are known; volume's keys occur in no other top level.
_READERS: tuple[tuple[str, _Reader], ...] = (
    ("graduated_ranges", _ranges),
    ("graduated_percentage_ranges", _percent_ranges),
    ("per_package_size", _package),
    ("rate", _percentage),
    ("per_unit_total_amount", _volume),
)
