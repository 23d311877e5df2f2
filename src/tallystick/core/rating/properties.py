"""Charge properties as people write them: which are wrong, and what is stored of the right ones.

Reading them for pricing is each charge model's `read`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tallystick.core.rating.group_keys import (
    drop_empty,
    presentation_group_key_errors,
    pricing_group_key_errors,
)
from tallystick.core.rating.range_rules import range_errors
from tallystick.core.rating.usage import JSON, ChargeModel
from tallystick.core.rating.values import bound_of, plain_number, price_of, whole_of

_FIRST_RANGE: dict[str, JSON] = {"from_value": 0, "to_value": None}
_UNIT_RANGE = {**_FIRST_RANGE, "per_unit_amount": "0", "flat_amount": "0"}

DEFAULTS: Mapping[ChargeModel, Mapping[str, Any]] = {
    ChargeModel.STANDARD: {"amount": "0"},
    ChargeModel.GRADUATED: {"graduated_ranges": [_UNIT_RANGE]},
    ChargeModel.PACKAGE: {"package_size": 1, "amount": "0", "free_units": 0},
    ChargeModel.PERCENTAGE: {"rate": "0"},
    ChargeModel.VOLUME: {"volume_ranges": [_UNIT_RANGE]},
    ChargeModel.GRADUATED_PERCENTAGE: {
        "graduated_percentage_ranges": [{**_FIRST_RANGE, "rate": "0", "flat_amount": "0"}]
    },
    ChargeModel.DYNAMIC: {},
    ChargeModel.CUSTOM: {},
}
"""Properties of a charge that sent none (rating.md §4-§11)."""

_RANGE_KEYS = {
    ChargeModel.GRADUATED: "graduated_ranges",
    ChargeModel.VOLUME: "volume_ranges",
    ChargeModel.GRADUATED_PERCENTAGE: "graduated_percentage_ranges",
}
_OPTIONAL_KEYS = {
    ChargeModel.PERCENTAGE: (
        "fixed_amount",
        "free_units_per_events",
        "free_units_per_total_aggregation",
        "per_transaction_min_amount",
        "per_transaction_max_amount",
    ),
    ChargeModel.CUSTOM: ("custom_properties",),
}


def validate(model: ChargeModel | str, properties: Mapping[str, Any], *, aggregation_type: str) -> list[str]:
    """Error codes for the field `properties`, one per failing property or range, [] when right (rating.md §2).

    Blank properties are right: they mean the default of the model.
    """
    if not properties:
        return []
    model = ChargeModel(model)
    errors: list[str] = []
    if aggregation_type == "latest_agg" and model in (ChargeModel.PERCENTAGE, ChargeModel.GRADUATED_PERCENTAGE):
        errors.append("invalid_value")
    if model in _RANGE_KEYS:
        errors += range_errors(_RANGE_KEYS[model], properties.get(_RANGE_KEYS[model]))
    else:
        errors += _RULES.get(model, _no_errors)(properties)
    for key in ("pricing_group_keys", "grouped_by"):
        errors += pricing_group_key_errors(properties.get(key))
    return errors + presentation_group_key_errors(properties.get("presentation_group_keys"))


def normalize(model: ChargeModel | str, properties: Mapping[str, Any], *, of_filter: bool = False) -> dict[str, JSON]:
    """Valid properties as stored: unknown keys dropped, the default when blank, bounds as numbers (rating.md §2).

    `pricing_group_keys` and its old name `grouped_by` mirror each other (metering.md §4.3); the properties of a
    filter have no `presentation_group_keys` (metering.md §4.2).
    """
    model = ChargeModel(model)
    source = properties or DEFAULTS[model]
    known = (*DEFAULTS[model], *_OPTIONAL_KEYS.get(model, ()))
    stored: dict[str, JSON] = {key: source[key] for key in known if source.get(key) is not None}
    if model in _RANGE_KEYS:
        key = _RANGE_KEYS[model]
        stored[key] = [_range(row, DEFAULTS[model][key][0]) for row in source.get(key) or ()]
    if "custom_properties" in stored:
        stored["custom_properties"] = _object(stored["custom_properties"])
    names = {key: drop_empty(properties[key]) for key in ("pricing_group_keys", "grouped_by") if properties.get(key)}
    for key, other in (("pricing_group_keys", "grouped_by"), ("grouped_by", "pricing_group_keys")):
        if group_keys := names.get(key) or names.get(other):
            stored[key] = group_keys
    if properties.get("presentation_group_keys") and not of_filter:
        stored["presentation_group_keys"] = properties["presentation_group_keys"]
    return stored


def _standard_errors(properties: Mapping[str, Any]) -> list[str]:
    return [] if price_of(properties.get("amount")) is not None else ["invalid_amount"]


def _package_errors(properties: Mapping[str, Any]) -> list[str]:
    rules = (
        (price_of(properties.get("amount")) is not None, "invalid_amount"),
        (whole_of(properties.get("package_size"), 1) is not None, "invalid_package_size"),
        (whole_of(properties.get("free_units"), 0) is not None, "invalid_free_units"),
    )
    return [code for right, code in rules if not right]


def _percentage_errors(properties: Mapping[str, Any]) -> list[str]:
    def optional(key: str, read: Callable[[object], object]) -> bool:
        return properties.get(key) is None or read(properties[key]) is not None

    least, most = (price_of(properties.get(f"per_transaction_{end}_amount")) for end in ("min", "max"))
    rules = (
        (price_of(properties.get("rate")) is not None, "invalid_rate"),
        (optional("fixed_amount", price_of), "invalid_fixed_amount"),
        (optional("free_units_per_events", lambda value: whole_of(value, 1)), "invalid_free_units_per_events"),
        (optional("free_units_per_total_aggregation", price_of), "invalid_free_units_per_total_aggregation"),
        (optional("per_transaction_min_amount", price_of), "invalid_amount"),
        (optional("per_transaction_max_amount", price_of), "invalid_amount"),
        (least is None or most is None or least <= most, "per_transaction_max_lower_than_per_transaction_min"),
    )
    return [code for right, code in rules if not right]


def _no_errors(properties: Mapping[str, Any]) -> list[str]:
    return []


_RULES = {
    ChargeModel.STANDARD: _standard_errors,
    ChargeModel.PACKAGE: _package_errors,
    ChargeModel.PERCENTAGE: _percentage_errors,
}


def _range(row: Mapping[str, Any], shape: Mapping[str, Any]) -> dict[str, JSON]:
    """One range with the keys of `shape` only, its bounds as numbers."""
    bounds = {key: bound_of(row.get(key)) for key in _FIRST_RANGE}
    numbers = {key: None if bound is None else plain_number(bound) for key, bound in bounds.items()}
    return {key: numbers[key] if key in numbers else row.get(key) for key in shape}


def _object(value: object) -> JSON:
    """`custom_properties`: an object, or JSON text of one; anything else is {} (rating.md §11)."""
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_float=Decimal)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}
