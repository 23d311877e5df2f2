"""Texts of filter values as people write them: strings, numbers and booleans. Nothing here is stored."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def texts_of(listed: Any) -> list[str] | None:
    """The distinct texts of a list, in its order; None when it is no list of scalars (metering.md §1.4)."""
    if not isinstance(listed, list):
        return None
    texts = [_text(item) for item in listed]
    return None if None in texts else [text for text in dict.fromkeys(texts) if text is not None]


def _text(item: Any) -> str | None:
    if isinstance(item, bool):
        return "true" if item else "false"
    return str(item) if isinstance(item, str | int | Decimal) else None
