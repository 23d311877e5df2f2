"""Labels of documents in nine languages, one JSON file each under `locales/`.

Figures are not words: amounts and dates are formatted by `formats.py` and placed into labels as texts.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

_LOCALES = Path(__file__).with_name("locales")


class Words:
    """The labels of one locale; `say` fills the named places of a label."""

    def __init__(self, labels: dict[str, str]) -> None:
        self._labels = labels

    def say(self, label: str, **places: object) -> str:
        """Text of a label. Raises `KeyError` for a label or a place that does not exist."""
        return self._labels[label].format(**places)

    def knows(self, label: str) -> bool:
        return label in self._labels


@lru_cache(maxsize=16)
def words_of(locale: str) -> Words:
    """Labels of a locale of `formats.STYLES`."""
    return Words(json.loads((_LOCALES / f"{locale}.json").read_text(encoding="utf-8")))
