"""An event as aggregation reads it, and the text and number of its properties (metering.md §1.4)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

#: longer texts are no numbers: their sums would leave what PostgreSQL's numeric can hold
MOST_DIGITS = 500


@dataclass(frozen=True, slots=True)
class Event:
    """One stored event; `id` decides the order of equal instants of reception. Properties are decoded JSON."""

    timestamp: datetime
    created_at: datetime
    id: int
    properties: Mapping[str, Any] = field(default_factory=dict)
    precise_total_amount_cents: Decimal | None = None

    @property
    def position(self) -> tuple[datetime, datetime, int]:
        """Events are ordered by timestamp, then by reception (metering.md §3.1)."""
        return self.timestamp, self.created_at, self.id


def text_value(properties: Mapping[str, Any], name: str | None) -> str | None:
    """The text of a property, None when it is absent or null (metering.md §1.4)."""
    value = properties.get(name) if name is not None else None
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return format(Decimal(value) or abs(Decimal(value)), "f")
    return json.dumps(value, ensure_ascii=False)


def numeric_value(properties: Mapping[str, Any], name: str | None) -> Decimal | None:
    """The number of a property, None when its text is no plain decimal number (metering.md §1.4)."""
    text = text_value(properties, name)
    return Decimal(text) if text is not None and len(text) <= MOST_DIGITS and _NUMBER.fullmatch(text) else None
