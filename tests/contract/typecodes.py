"""Whether a JSON value is what a shape of `shapes.py` says, key by key. Knows the type legend of the contract."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.contract.shapes import SHAPES


def _text(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


_DAY, _TIME = r"\d{4}-\d{2}-\d{2}", r"\d{2}:\d{2}:\d{2}"
#: the legend; a number with a fraction is none without one
LEGEND: dict[str, Callable[[Any], bool]] = {
    "uuid": _text("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "str": lambda value: isinstance(value, str),
    "int": lambda value: type(value) is int,
    "num": lambda value: isinstance(value, Decimal | float),
    "bool": lambda value: isinstance(value, bool),
    "dec": _text(r"-?\d+\.(\d|\d+[1-9])"),
    "date": _text(_DAY),
    "dt": _text(f"{_DAY}T{_TIME}Z"),
    "dt3": _text(rf"{_DAY}T{_TIME}\.\d{{3}}Z"),
    "dto": _text(rf"{_DAY}T{_TIME}\+00:00"),
    "map": lambda value: isinstance(value, dict),
    "json": lambda value: True,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a shape; `optional` ones are there only where the answer has them."""

    name: str
    code: str
    optional: bool


def fields_of(shape: str) -> list[Field]:
    """The members of a shape in order."""
    pairs = (word.split(":", 1) for word in SHAPES[shape].split())
    return [Field(name.lstrip("~"), code, name.startswith("~")) for name, code in pairs]


def problems(value: Any, code: str, *, ordered: bool = False, at: str = "") -> Iterator[str]:
    """What is wrong with a value; nothing when it conforms. `ordered`: the keys must come in the order of the shape."""
    if code.endswith("?"):
        if value is None:
            return
        code = code[:-1]
    if code.endswith("[]"):
        if not isinstance(value, list):
            yield f"{at} is no array: {value!r}"
            return
        for place, item in enumerate(value):
            yield from problems(item, code[:-2], ordered=ordered, at=f"{at}[{place}]")
        return
    name, *members = code.split("+")
    if name in SHAPES:
        yield from _object(value, name, members, ordered, at)
    elif not _scalar(value, code):
        yield f"{at} is no {code}: {value!r}"


def _scalar(value: Any, code: str) -> bool:
    if code in LEGEND:
        return LEGEND[code](value)
    if code.startswith("="):
        return type(value) is int and value == int(code[1:])
    return isinstance(value, str) and value in code.split("|")


def _object(value: Any, shape: str, members: list[str], ordered: bool, at: str) -> Iterator[str]:
    """`members` name the optional fields that must be there; with a star, those that may."""
    if not isinstance(value, dict):
        yield f"{at} is no object: {value!r}"
        return
    required, allowed = set(members), {member[:-1] for member in members if member.endswith("*")}
    fields = {field.name: field for field in fields_of(shape)}
    known = {name for name, field in fields.items() if not field.optional or name in required or name in allowed}
    yield from (f"{at}.{name} is missing" for name in known - allowed - set(value))
    yield from (f"{at}.{name} should not be there" for name in set(value) - known)
    order = [name for name in fields if name in value]
    if ordered and [name for name in value if name in fields] != order:
        yield f"{at} has its keys out of order: {list(value)}"
    for name in order:
        yield from problems(value[name], fields[name].code, ordered=ordered, at=f"{at}.{name}")


def assert_shape(value: Any, code: str, *, ordered: bool = False) -> None:
    """The value is exactly what the code says."""
    found = list(problems(value, code, ordered=ordered))
    assert not found, "\n".join(found)
