"""The syntax of EU VAT numbers (integrations.md §7): what is worth asking the registry about. Nothing else is checked.

Check digits are the registry's business: it knows numbers that break the published rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# the registry's prefixes: EL is Greece, XI Northern Ireland
_SYNTAX = {
    prefix: re.compile(pattern, re.ASCII)
    for prefix, pattern in {
        "AT": r"U\d{8}",
        "BE": r"[01]\d{9}",
        "BG": r"\d{9,10}",
        "CY": r"\d{8}[A-Z]",
        "CZ": r"\d{8,10}",
        "DE": r"\d{9}",
        "DK": r"\d{8}",
        "EE": r"\d{9}",
        "EL": r"\d{9}",
        "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
        "FI": r"\d{8}",
        "FR": r"[A-Z0-9]{2}\d{9}",
        "HR": r"\d{11}",
        "HU": r"\d{8}",
        "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}",
        "IT": r"\d{11}",
        "LT": r"(\d{9}|\d{12})",
        "LU": r"\d{8}",
        "LV": r"\d{11}",
        "MT": r"\d{8}",
        "NL": r"\d{9}B\d{2}",
        "PL": r"\d{10}",
        "PT": r"\d{9}",
        "RO": r"\d{2,10}",
        "SE": r"\d{12}",
        "SI": r"\d{8}",
        "SK": r"\d{10}",
        "XI": r"(\d{9}|\d{12}|(GD|HA)\d{3})",
    }.items()
}
_IGNORED = re.compile(r"[\s.\-]")


@dataclass(frozen=True, slots=True)
class VatNumber:
    """A well-formed number: the registry's prefix of two letters, and the rest without separators."""

    country: str
    digits: str


def parse(text: str) -> VatNumber | None:
    """The number in a text as people write it, None when its syntax is not that of its prefix."""
    bare = _IGNORED.sub("", text).upper()
    country, digits = bare[:2], bare[2:]
    syntax = _SYNTAX.get(country)
    return VatNumber(country, digits) if syntax is not None and syntax.fullmatch(digits) else None
