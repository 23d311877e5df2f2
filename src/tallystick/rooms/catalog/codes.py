"""Codes of the items of a plan: those asked for, and the ones derived from what is priced (rating.md §2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from tallystick.ground.errors import Problems


class Coded(Protocol):
    """A charge or a fixed charge; `code` is "" until it has one."""

    code: str


#: characters; longer codes do not fit an index
MOST_CODE = 255


def check_code(code: str | None, problems: Problems) -> None:
    """Add `value_is_too_long` for a code that cannot be looked up."""
    if code is not None and len(code) > MOST_CODE:
        problems.add("code", "value_is_too_long")


def free_code(base: str, taken: Iterable[str]) -> str:
    """`base`, or `<base>_2`, `<base>_3`, …: the highest number in use plus one."""
    used = set(taken)
    if base not in used:
        return base
    numbered = re.compile(rf"{re.escape(base)}_([0-9]{{1,9}})")
    found = (numbered.fullmatch(code) for code in used)
    return f"{base}_{max([1, *(int(match[1]) for match in found if match)]) + 1}"


def assign_codes(
    rows: Sequence[Coded], wanted: Sequence[str | None], bases: Sequence[str], taken: Iterable[str], problems: Problems
) -> None:
    """Give every row a code unique on its plan: the one wanted, else its own, else one derived from its base.

    `taken` are the codes of rows that are not written now. Adds `value_already_exist` for a wanted one in use.
    """
    used = set(taken)
    for row, code in zip(rows, wanted, strict=True):
        final = code or row.code
        if not final:
            continue
        check_code(final, problems)
        if final in used:
            problems.add("code", "value_already_exist")
        row.code = final
        used.add(final)
    for row, base in zip(rows, bases, strict=True):
        if not row.code:
            row.code = free_code(base, used)
            used.add(row.code)
