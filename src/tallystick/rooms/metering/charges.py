"""Filters and group keys of charges as the arrays that `queries/selected.sql` takes; each charge once."""

from __future__ import annotations

import uuid
from typing import Any

from tallystick.core.aggregate import group_keys, is_narrower
from tallystick.core.contract import ChargeTerms, PriceFilter


class ChargeTable:
    """Numbers charges and collects the rows that describe their buckets; filters are numbered from 1, by age."""

    def __init__(self) -> None:
        self._known: dict[uuid.UUID, list[tuple[ChargeTerms, int]]] = {}
        self._count = 0
        self._keys: list[tuple[int, int, str]] = []
        self._accepted: list[tuple[int, int, int, int, str]] = []
        self._narrower: list[tuple[int, int, int]] = []
        self._grouped: list[tuple[int, int, int, int]] = []

    def number(self, charge: ChargeTerms) -> int:
        """The number of a charge; equal terms share one."""
        same_id = self._known.setdefault(charge.id, [])
        for known, number in same_id:
            if known is charge or known == charge:
                return number
        self._count += 1
        same_id.append((charge, self._count))
        self._describe(self._count, charge)
        return self._count

    def arrays(self) -> list[list[Any]]:
        """The parameters $15 to $29."""
        tables: list[tuple[int, list[Any]]] = [
            (3, self._keys),
            (5, self._accepted),
            (3, self._narrower),
            (4, self._grouped),
        ]
        return [[row[column] for row in rows] for width, rows in tables for column in range(width)]

    def _describe(self, number: int, charge: ChargeTerms) -> None:
        buckets: list[tuple[int, PriceFilter | None]] = [(0, None), *enumerate(charge.filters, 1)]
        groups = {filter_no: group_keys(charge, bucket) for filter_no, bucket in buckets}
        names = [key for one in charge.filters for key in one.values] + [
            key for keys in groups.values() for key in keys
        ]
        places = {key: place for place, key in enumerate(dict.fromkeys(names), 1)}
        self._keys += [(number, place, key) for key, place in places.items()]
        self._grouped += [
            (number, filter_no, position, places[key])
            for filter_no, keys in groups.items()
            for position, key in enumerate(keys)
        ]
        self._accepted += [
            (number, filter_no, len(one.values), places[key], value)
            for filter_no, one in enumerate(charge.filters, 1)
            for key, values in one.values.items()
            for value in dict.fromkeys(values)
        ]
        self._narrower += _narrower_pairs(number, charge)


def _narrower_pairs(number: int, charge: ChargeTerms) -> list[tuple[int, int, int]]:
    """(charge, wide, narrow); a wider filter accepts whatever the narrower one accepts, so one value finds it."""
    holders: dict[tuple[str, str], list[tuple[int, PriceFilter]]] = {}
    for filter_no, one in enumerate(charge.filters, 1):
        for key, values in one.values.items():
            for value in dict.fromkeys(values):
                holders.setdefault((key, value), []).append((filter_no, one))
    return [
        (number, wide_no, narrow_no)
        for narrow_no, narrow in enumerate(charge.filters, 1)
        for wide_no, wide in _holders_of_first(holders, narrow)
        if is_narrower(narrow, wide)
    ]


def _holders_of_first(
    holders: dict[tuple[str, str], list[tuple[int, PriceFilter]]], narrow: PriceFilter
) -> list[tuple[int, PriceFilter]]:
    """The filters that accept the first value of a filter's first key."""
    key, values = next(iter(narrow.values.items()), ("", ()))
    return holders.get((key, values[0]), []) if values else []
