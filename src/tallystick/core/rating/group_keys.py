"""Pricing and presentation group keys among the charge properties.

They have no part in a price; grouping itself is metering's.
"""

from __future__ import annotations

from typing import Any

_MOST_PRESENTATION_KEYS = 2


def drop_empty(keys: list[Any]) -> list[Any]:
    """Group keys without the empty strings among them (metering.md §4.3)."""
    return [key for key in keys if key != ""]


def pricing_group_key_errors(keys: object) -> list[str]:
    """Codes for `pricing_group_keys`: a list of non-blank strings; null and [] mean none (metering.md §4.3)."""
    if keys is None:
        return []
    right = isinstance(keys, list) and all(isinstance(key, str) and key.strip() for key in drop_empty(keys))
    return [] if right else ["invalid_type"]


def presentation_group_key_errors(keys: object) -> list[str]:
    """Codes for `presentation_group_keys`: at most two different `{value, options?}` objects (metering.md §4.4)."""
    if keys is None:
        return []
    if not isinstance(keys, list) or not all(_is_presentation_key(key) for key in keys):
        return ["invalid_type"]
    errors = ["too_many_keys"] if len(keys) > _MOST_PRESENTATION_KEYS else []
    names = [key["value"] for key in keys]
    return errors + (["value_is_duplicated"] if len(set(names)) < len(names) else [])


def _is_presentation_key(key: object) -> bool:
    """Whether a value is `{"value": text}`, with or without `"options": {"display_in_invoice": bool}`."""
    if not isinstance(key, dict) or not set(key) <= {"value", "options"}:
        return False
    name = key.get("value")
    if not isinstance(name, str) or not name.strip():
        return False
    if "options" not in key:
        return True
    options = key["options"]
    return (
        isinstance(options, dict)
        and set(options) == {"display_in_invoice"}
        and isinstance(options["display_in_invoice"], bool)
    )
