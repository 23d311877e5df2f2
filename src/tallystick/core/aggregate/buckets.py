"""Which bucket and which pricing group of a charge an event falls into (metering.md §4.1, §4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.core.aggregate.event import text_value
from tallystick.core.contract import ChargeTerms, PriceFilter

_TARGET_WALLET = "target_wallet_code"


def bucket_of(charge: ChargeTerms, properties: Mapping[str, Any]) -> PriceFilter | None:
    """The filter whose bucket the event is in, None for the default bucket (metering.md §4.1).

    Of the matching filters: most keys, then no strictly wider one of the same keys, then the oldest. No fixed order of
    the filters gives that: which ones are dropped as wider depends on which others match.
    """
    matching = [one for one in charge.filters if _matches(one, properties)]
    most = max((len(one.values) for one in matching), default=0)
    closest = [one for one in matching if len(one.values) == most]
    left = [one for one in closest if not any(is_narrower(other, one) for other in closest)]
    return left[0] if left else None


def is_narrower(one: PriceFilter, other: PriceFilter) -> bool:
    """Whether `one` has the keys of `other` and its lists are subsets of the other's, not all equal."""
    if one.values.keys() != other.values.keys():
        return False
    lists = [(set(values), set(other.values[key])) for key, values in one.values.items()]
    return all(mine <= theirs for mine, theirs in lists) and any(mine < theirs for mine, theirs in lists)


def _matches(one: PriceFilter, properties: Mapping[str, Any]) -> bool:
    return bool(one.values) and all(text_value(properties, key) in values for key, values in one.values.items())


def group_keys(charge: ChargeTerms, bucket: PriceFilter | None) -> tuple[str, ...]:
    """The pricing group keys of a bucket: the filter's own, or the charge's for the default one (metering.md §4.3)."""
    properties = charge.properties if bucket is None else bucket.properties
    keys = properties.get("pricing_group_keys") or properties.get("grouped_by") or ()
    wallet = (_TARGET_WALLET,) if charge.accepts_target_wallet else ()
    return tuple(dict.fromkeys((*(key for key in keys if key), *wallet)))


def group_of(keys: tuple[str, ...], properties: Mapping[str, Any]) -> tuple[str | None, ...]:
    """Text values of the keys; absent, null and "" are all None."""
    return tuple(text_value(properties, key) or None for key in keys)
