"""The tree of a parsed expression. It only holds: `parse` builds it, `evaluate` walks it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Number:
    """A literal; `text` as written."""

    value: Decimal
    text: str


@dataclass(frozen=True, slots=True)
class String:
    """A literal between quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Variable:
    """`event.code`, `event.timestamp`, or the property called `property_name`."""

    field: str
    property_name: str | None = None


@dataclass(frozen=True, slots=True)
class Negation:
    """Unary minus."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Chain:
    """Operations of one precedence from left to right: `first`, then each (symbol, operand)."""

    first: Expression
    rest: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call; `name` in lower case, at least one argument."""

    name: str
    arguments: tuple[Expression, ...]


Expression: TypeAlias = Number | String | Variable | Negation | Chain | FunctionCall
