"""The pipeline from units to a price: terms of the charge, price of its model, negatives zeroed.

Rounding to money comes after it (`amounts.py`), metric rounding before it (`rounding.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tallystick.core.money import ZERO, exact
from tallystick.core.rating.custom import Custom
from tallystick.core.rating.dynamic import Dynamic
from tallystick.core.rating.graduated import Graduated
from tallystick.core.rating.graduated_percentage import GraduatedPercentage
from tallystick.core.rating.graduated_prorated import ProratedGraduated
from tallystick.core.rating.package import Package
from tallystick.core.rating.percentage import Percentage
from tallystick.core.rating.properties import DEFAULTS
from tallystick.core.rating.standard import Standard
from tallystick.core.rating.trace import Step, StepKind
from tallystick.core.rating.usage import ChargeModel, Price, Terms, Usage
from tallystick.core.rating.volume import Volume

_READERS: Mapping[ChargeModel, Callable[[Mapping[str, Any]], Terms]] = {
    ChargeModel.STANDARD: Standard.read,
    ChargeModel.GRADUATED: Graduated.read,
    ChargeModel.PACKAGE: Package.read,
    ChargeModel.PERCENTAGE: Percentage.read,
    ChargeModel.VOLUME: Volume.read,
    ChargeModel.GRADUATED_PERCENTAGE: GraduatedPercentage.read,
}


@dataclass(frozen=True, slots=True)
class Tariff:
    """One charge or filter with its properties parsed, to price many usages with."""

    model: ChargeModel
    terms: Terms

    def price(self, usage: Usage) -> Price:
        """Exact price of rating.md §3 steps 2 and 4: a negative amount or negative units make all 0 but the details."""
        raw = self.raw_price(usage)
        if raw.amount >= 0 and usage.units >= 0:
            return raw
        with exact():
            trace = (*raw.trace, Step(StepKind.FLOOR, -raw.amount))
        return replace(raw, amount=ZERO, unit_amount=ZERO, units=ZERO, trace=trace)

    def raw_price(self, usage: Usage) -> Price:
        """Exact price of the model, negatives kept: the operands of rating.md §12."""
        with exact():
            return self.terms.price(usage)


def tariff(model: ChargeModel | str, properties: Mapping[str, Any], *, prorated: bool, currency: str) -> Tariff:
    """Parse the properties of a charge once. Raises `InvalidProperties`, `UnknownCurrency`."""
    model = ChargeModel(model)
    terms: Terms
    if model is ChargeModel.DYNAMIC:
        terms = Dynamic(currency)
    elif model is ChargeModel.CUSTOM:
        terms = Custom()
    else:
        read = ProratedGraduated.read if prorated and model is ChargeModel.GRADUATED else _READERS[model]
        with exact():
            terms = read(properties or DEFAULTS[model])
    return Tariff(model, terms)


def price(
    model: ChargeModel | str, properties: Mapping[str, Any], usage: Usage, *, prorated: bool, currency: str
) -> Price:
    """Exact price of one usage (rating.md §3 steps 2 and 4). Raises `InvalidProperties`, `UnknownCurrency`."""
    return tariff(model, properties, prorated=prorated, currency=currency).price(usage)
