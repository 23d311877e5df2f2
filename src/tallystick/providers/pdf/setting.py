"""What every part of a layout needs at hand: the labels and the formats of one document.

It decides nothing; it only spares long parameter lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.providers.pdf.formats import Formats
from tallystick.providers.pdf.words import Words, words_of

Wire = Mapping[str, Any]
"""A JSON object of the REST contract (api.md §15)."""

DOT = " • "


@dataclass(frozen=True, slots=True)
class Setting:
    """Labels and formats of one document."""

    words: Words
    formats: Formats

    def period(self, start: str, end: str) -> str:
        """`Fees from … to …` of two ISO instants, both days included."""
        days = self.formats.day_at(start), self.formats.day_at(end)
        return self.words.say("period", start=self.formats.day(days[0]), end=self.formats.day(days[1]))


def setting_of(invoice: Wire, locale: str) -> Setting:
    """Setting of an invoice; days are those of the customer's applicable time zone. Raises `UnknownLocale`."""
    timezone = (invoice.get("customer") or {}).get("applicable_timezone") or "UTC"
    formats = Formats(locale, invoice["currency"], timezone)
    return Setting(words_of(locale), formats)


def number(value: Any) -> Decimal:
    """A wire number (decimal string, int, float or null) as an exact Decimal; null is zero."""
    return Decimal(str(value)) if value not in (None, "") else Decimal(0)
