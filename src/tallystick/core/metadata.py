"""Metadata maps of plans, wallets and credit notes: what may be in them (api.md §9).

Not for the metadata lists of customers and invoices, whose rules differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_KEYS = 50
LONGEST_KEY = 100
LONGEST_VALUE = 255


def metadata_errors(entries: Mapping[str, Any]) -> list[str]:
    """Sentences for the error field `value`, [] when the map may be stored: key -> text or null (api.md §9)."""
    errors = [f"cannot have more than {MOST_KEYS} keys"] if len(entries) > MOST_KEYS else []
    for key, value in entries.items():
        if len(key) > LONGEST_KEY:
            errors.append(f"key '{key}' must be a String up to {LONGEST_KEY} characters")
        if value is not None and not (isinstance(value, str) and len(value) <= LONGEST_VALUE):
            errors.append(f"value for key '{key}' must be empty or a String up to {LONGEST_VALUE} characters")
    return errors
