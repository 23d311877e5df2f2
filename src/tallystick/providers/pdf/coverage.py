"""Which characters the bundled fonts can show, and a stand-in for those they cannot.

PDF/A refuses a character without a glyph, so one emoji in a name would keep an invoice from being issued.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

STAND_IN = "□"
_RANGES = Path(__file__).with_name("fonts") / "coverage.txt"


def showable(content: Any) -> Any:
    """The same tree of dicts, sequences and texts, with `STAND_IN` for every character without a glyph."""
    if isinstance(content, str):
        return content if content.isascii() and content.isprintable() else "".join(map(_shown, content))
    if isinstance(content, dict):
        return {key: showable(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [showable(value) for value in content]
    return content


def _shown(character: str) -> str:
    if character == "\n" or ord(character) in _covered():
        return character
    # Control characters, joiners and variation selectors have no picture of their own.
    silent = unicodedata.category(character) in ("Cc", "Cf") or "\ufe00" <= character <= "\ufe0f"
    return "" if silent else STAND_IN


@lru_cache(maxsize=1)
def _covered() -> frozenset[int]:
    """Code points with a glyph in some bundled font: lines of `first-last`, hexadecimal, both included."""
    spans = (line.split("-") for line in _RANGES.read_text(encoding="ascii").split())
    return frozenset(point for first, last in spans for point in range(int(first, 16), int(last, 16) + 1))
