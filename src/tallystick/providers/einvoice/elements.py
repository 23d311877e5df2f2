"""Writes XML elements by prefixed names, leaving out what is empty. Knows no document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lxml import etree

from tallystick.core.money import exponent, from_cents


@dataclass(frozen=True, slots=True)
class Writer:
    """Namespaces of a syntax and the currency of the document."""

    namespaces: Mapping[str | None, str]
    currency: str

    def root(self, name: str) -> Any:
        """The root element, which declares all namespaces."""
        return etree.Element(self._name(name), nsmap=dict(self.namespaces))

    def add(self, parent: Any, path: str, text: str | None = None, **attributes: str) -> Any:
        """Append the elements of a path like `cac:Country/cbc:ID`; the last has the text. Returns the last one."""
        for name in path.split("/"):
            parent = etree.SubElement(parent, self._name(name))
        parent.text = None if text is None else xml_text(text)
        for key, value in attributes.items():
            parent.set(key, value)
        return parent

    def maybe(self, parent: Any, path: str, text: str, **attributes: str) -> None:
        """`add` unless the text is empty."""
        if text:
            self.add(parent, path, text, **attributes)

    def group(self, parent: Any, name: str, parts: Mapping[str, str]) -> None:
        """An element with those of the parts that are not empty; none when all are."""
        if any(parts.values()):
            element = self.add(parent, name)
            for path, text in parts.items():
                self.maybe(element, path, text)

    def money(self, cents: int) -> str:
        """An amount with the decimals of the currency."""
        return plain(round(from_cents(cents, self.currency), exponent(self.currency)))

    def _name(self, name: str) -> str:
        prefix, _, local = name.rpartition(":")
        return f"{{{self.namespaces[prefix or None]}}}{local}"


def plain(value: Decimal) -> str:
    """A number without exponent and without padding beyond its own places."""
    return format(value, "f")


def trimmed(value: Decimal) -> str:
    """A number without exponent and without zeros at its end."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def xml_text(text: str) -> str:
    """The text without the characters that XML cannot carry."""
    return "".join(letter for letter in text if letter in "\t\n\r" or (letter >= " " and letter not in "\ufffe\uffff"))
