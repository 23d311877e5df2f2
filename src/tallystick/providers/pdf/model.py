"""What a document says, as texts in reading order: the only thing the template sees.

No figures and no decisions here: every amount is formatted, every hidden line is already gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RowKind = Literal["line", "group", "part", "subtotal", "total"]
"""line: one fee; group: heading of a sub-table, part: its rows, subtotal: its sum; total: sum of a section."""


@dataclass(frozen=True, slots=True)
class Party:
    """Seller or buyer: a heading, the name, and the lines under it."""

    heading: str
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the item with its notes, then one text per further column (empty where a column does not apply)."""

    kind: RowKind
    name: str
    cells: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """Rows under one title, such as the fees of one period."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A titled table of blocks; `columns` are the headings of the item and of each cell."""

    title: str
    columns: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """One row of the totals; the last one is `strong`. Without an amount it is a mention."""

    label: str
    amount: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A text with an optional title: custom section, exemption mention, footer."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice from top to bottom (invoicing.md §21.1); `annexes` start a page each, after the totals."""

    language: str
    region: str
    title: str
    number: str
    facts: tuple[tuple[str, str], ...]
    metadata: tuple[tuple[str, str], ...]
    parties: tuple[Party, Party]
    headline: str
    headline_note: str
    sections: tuple[Section, ...]
    totals: tuple[Total, ...]
    mentions: tuple[str, ...]
    passages: tuple[Passage, ...]
    footer: str
    powered: str
    page: str
    annexes: tuple[Section, ...] = ()
