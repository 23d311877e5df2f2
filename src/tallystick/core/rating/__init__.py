"""Rating: from the units of one bucket and group of a charge to an exact, explained price.

Not metering (how units come about) and not invoicing (what happens to fees); one charge model is one file.
"""

from __future__ import annotations

from tallystick.core.rating.allowance import Allowance, running_totals
from tallystick.core.rating.amounts import FeeAmounts, PricingUnitAmounts, fee_amounts, pricing_unit
from tallystick.core.rating.beginnings import NOTHING, Beginning
from tallystick.core.rating.event import EventPrice, price_of_event
from tallystick.core.rating.instant import INSTANT_MODELS, InstantPrice, instant_price
from tallystick.core.rating.percentage import read_allowance
from tallystick.core.rating.properties import DEFAULTS, normalize, validate
from tallystick.core.rating.rounding import RoundingFunction, round_units
from tallystick.core.rating.tariff import Tariff, price, tariff
from tallystick.core.rating.trace import Step, StepKind
from tallystick.core.rating.transaction_limits import event_values
from tallystick.core.rating.true_up import TrueUp, true_up
from tallystick.core.rating.usage import JSON, ChargeModel, InvalidProperties, Price, Usage

__all__ = [
    "DEFAULTS",
    "INSTANT_MODELS",
    "JSON",
    "NOTHING",
    "Allowance",
    "Beginning",
    "ChargeModel",
    "EventPrice",
    "FeeAmounts",
    "InstantPrice",
    "InvalidProperties",
    "Price",
    "PricingUnitAmounts",
    "RoundingFunction",
    "Step",
    "StepKind",
    "Tariff",
    "TrueUp",
    "Usage",
    "event_values",
    "fee_amounts",
    "instant_price",
    "normalize",
    "price",
    "price_of_event",
    "pricing_unit",
    "read_allowance",
    "round_units",
    "running_totals",
    "tariff",
    "true_up",
    "validate",
]
