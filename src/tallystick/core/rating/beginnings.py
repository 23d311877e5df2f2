"""Beginnings of one list of values: what was used up to one event, up to the next, and so on.

Whoever prices many events one after the other adds up their list once, instead of every beginning from scratch. No
rule of pricing lives here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar, overload

Result = TypeVar("Result")


class Beginning(Sequence[Decimal]):
    """The first `count` of some values; beginnings of one list share what was found about it."""

    __slots__ = ("_count", "_kept", "_values")

    def __init__(self, values: Sequence[Decimal], count: int | None = None) -> None:
        self._values = values
        self._count = len(values) if count is None else count
        self._kept: dict[Hashable, Any] = {}

    def first(self, count: int) -> Beginning:
        """Another beginning of the same list, at most all of it."""
        found = Beginning(self._values, max(min(count, len(self._values)), 0))
        found._kept = self._kept
        return found

    def result(self, key: Hashable, of_all: Callable[[Sequence[Decimal]], Iterable[Result]]) -> Result:
        """What holds for this beginning; `of_all` gives it for every beginning, the empty one first."""
        if key not in self._kept:
            self._kept[key] = list(of_all(self._values))
        found: Result = self._kept[key][self._count]
        return found

    def derived(self, key: Hashable, of_list: Callable[[Sequence[Decimal]], Sequence[Decimal]]) -> Beginning:
        """All of a list made of the whole list, once."""
        if key not in self._kept:
            self._kept[key] = Beginning(of_list(self._values))
        found: Beginning = self._kept[key]
        return found

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Decimal: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Decimal]: ...
    def __getitem__(self, place: int | slice) -> Decimal | Sequence[Decimal]:
        if isinstance(place, slice):
            return self._values[: self._count][place]
        if not -self._count <= place < self._count:
            raise IndexError(place)
        return self._values[place % self._count]


NOTHING = Beginning(())
