"""Pages of lists and their `meta` (api.md §6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select, func, select

from tallystick.ground.db import Tx

DEFAULT_PER_PAGE = 100
MAX_PER_PAGE = 1000
MAX_PAGE = 10**12

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page:
    """A page number from 1, and how many rows a page has."""

    number: int
    per_page: int

    @classmethod
    def asked(cls, page: Any, per_page: Any) -> Page:
        """From what the caller sent; bad values fall back to the defaults, never an error."""
        size = _positive(per_page)
        return cls(min(_positive(page) or 1, MAX_PAGE), min(size, MAX_PER_PAGE) if size else DEFAULT_PER_PAGE)

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.number - 1) * self.per_page

    def meta(self, total: int) -> dict[str, int | None]:
        """The `meta` object for a list of `total` rows."""
        pages = -(-total // self.per_page)
        return {
            "current_page": self.number if total else 0,
            "next_page": self.number + 1 if self.number < pages else None,
            "prev_page": self.number - 1 if total and self.number > 1 else None,
            "total_pages": pages,
            "total_count": total,
        }


def _positive(value: Any) -> int | None:
    text = str(value).strip() if value is not None and not isinstance(value, dict | list | bool) else ""
    return int(text) or None if re.fullmatch(r"\d{1,12}", text) else None


async def fetch_page(tx: Tx, statement: Select[Row], page: Page) -> tuple[list[Row], dict[str, int | None]]:
    """The rows of the page and its meta. The statement carries filters and order."""
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    total = await tx.scalar(counted) or 0
    rows = list(await tx.scalars(statement.limit(page.per_page).offset(page.offset)))
    return rows, page.meta(total)
