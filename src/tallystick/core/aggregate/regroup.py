"""Charges as other questions group them: broken down for presentation, or without some of their groups.

Prices and buckets stay what they are; only the groups differ (metering.md §4.4, §7.1).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from tallystick.core.aggregate.buckets import group_keys, group_of
from tallystick.core.contract import ChargeTerms, PriceFilter
from tallystick.core.rating import ChargeModel

Keys = tuple[str, ...]


def presentation_keys(charge: ChargeTerms) -> Keys:
    """The keys by which usage of a charge is broken down."""
    return tuple(entry["value"] for entry in charge.properties.get("presentation_group_keys") or ())


def displayed_keys(charge: ChargeTerms) -> Keys:
    """The presentation keys that documents show: those that say so (metering.md §4.4)."""
    entries = charge.properties.get("presentation_group_keys") or ()
    return tuple(entry["value"] for entry in entries if entry.get("options", {}).get("display_in_invoice"))


def broken_down(charge: ChargeTerms, keys: Keys) -> ChargeTerms:
    """The charge with these keys among its groups and with raw units: only they are of interest (metering.md §3.7)."""
    finer = _regrouped(charge, lambda own: tuple(dict.fromkeys((*own, *keys))))
    metric = replace(charge.metric, rounding_function=None, rounding_precision=None)
    return replace(finer, metric=metric, model=ChargeModel.STANDARD, prorated=False)


def without_groups(charge: ChargeTerms, dropped: Collection[str] | None = None) -> ChargeTerms:
    """The charge without these pricing group keys, without any when None (metering.md §7.1)."""
    if dropped is None:
        return _regrouped(charge, lambda own: ())
    return _regrouped(charge, lambda own: tuple(key for key in own if key not in dropped))


def presented_values(charge: ChargeTerms, bucket: PriceFilter | None, properties: Mapping[str, Any]) -> dict[str, Any]:
    """What one event is broken down by: its values of the presentation keys that are no pricing keys."""
    keys = tuple(key for key in presentation_keys(charge) if key not in group_keys(charge, bucket))
    return dict(zip(keys, group_of(keys, properties), strict=True))


def _regrouped(charge: ChargeTerms, of: Callable[[Keys], Keys]) -> ChargeTerms:
    def regrouped(bucket: PriceFilter | None) -> dict[str, Any]:
        properties = charge.properties if bucket is None else bucket.properties
        kept = {key: value for key, value in properties.items() if key not in ("pricing_group_keys", "grouped_by")}
        return {**kept, "pricing_group_keys": list(of(group_keys(charge, bucket)))}

    filters = tuple(replace(one, properties=regrouped(one)) for one in charge.filters)
    # the target wallet is a group key like any other here
    return replace(charge, properties=regrouped(None), filters=filters, accepts_target_wallet=False)
