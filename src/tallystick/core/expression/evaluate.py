"""Evaluation of a parsed expression for one event, with exact decimals. It changes nothing and stores nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation, Overflow, localcontext
from functools import reduce
from typing import Any

from tallystick.core.expression.tree import Chain, Expression, FunctionCall, Negation, Number, String, Variable
from tallystick.core.money import EXACT, ceil_to, dec_text, floor_to, round_half_away

Value = Decimal | str


class EvaluationError(ValueError):
    """The expression has no value for this event; the text is what the API tells (metering.md §2.3)."""


@dataclass(frozen=True, slots=True)
class ExpressionEvent:
    """What an expression can read: `timestamp` in epoch seconds, properties as decoded from JSON."""

    code: str
    timestamp: int | Decimal
    properties: Mapping[str, Any] = field(default_factory=dict)


_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_MOST_DIGITS = 200  # above every number in use; keeps a hostile exponent from filling the memory


def evaluate(expression: Expression, event: ExpressionEvent) -> str:
    """The text to store as the property: a decimal string ("3.0") or the string itself.

    Raises `EvaluationError`: absent property, operand that is no number, division by zero (metering.md §2.3).
    """
    try:
        with localcontext(EXACT):
            value = _value(expression, event)
    except (InvalidOperation, Overflow) as error:
        raise EvaluationError("Number out of range") from error
    return value if isinstance(value, str) else dec_text(value)


def _value(expression: Expression, event: ExpressionEvent) -> Value:
    match expression:
        case Number(value, _):
            return value
        case String(text):
            return text
        case Variable():
            return _variable(expression, event)
        case Negation(operand):
            return -_number(operand, event)
        case Chain(first, rest):
            result = _number(first, event)
            for symbol, operand in rest:
                result = _bounded(_OPERATIONS[symbol](result, _number(operand, event)))
            return result
        case FunctionCall(name, arguments):
            if name == "concat":
                return "".join(_text(argument, event) for argument in arguments)
            return _FUNCTIONS[name]([_number(argument, event) for argument in arguments])


def _variable(variable: Variable, event: ExpressionEvent) -> Value:
    if variable.field == "timestamp":
        return Decimal(int(event.timestamp))  # whole seconds, the fraction is cut
    text = _text(variable, event)
    if variable.field == "code" or not _DECIMAL.fullmatch(text):
        return text
    number = Decimal(text)
    return number if _in_bounds(number) else text


def _number(expression: Expression, event: ExpressionEvent) -> Decimal:
    value = _value(expression, event)
    if isinstance(value, str):
        raise EvaluationError("Expected a decimal")
    return value


def _text(expression: Expression, event: ExpressionEvent) -> str:
    """What `concat` joins: properties and literals as written, other numbers in plain digits."""
    match expression:
        case Variable("code"):
            return event.code
        case Variable("properties", str(name)):
            if name not in event.properties:
                raise EvaluationError(f"Variable: {name} not found")
            return _spelling(event.properties[name])
        case Number(_, text):
            return text
    value = _value(expression, event)
    return value if isinstance(value, str) else format(value, "f")


def _spelling(value: Any) -> str:
    """The text value of a property (metering.md §1.4); null is ""."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, default=str, separators=(",", ":"), ensure_ascii=False)
    return value if isinstance(value, str) else str(value)


def _in_bounds(number: Decimal) -> bool:
    return not number or abs(number.adjusted()) < _MOST_DIGITS


def _bounded(number: Decimal) -> Decimal:
    if not _in_bounds(number):
        raise EvaluationError("Number out of range")
    return number


def _rounding(rounded: Callable[[Decimal, int], Decimal]) -> Callable[[list[Decimal]], Decimal]:
    """A function of the round family: (x) or (x, decimals), the fraction of `decimals` cut."""

    def call(arguments: list[Decimal]) -> Decimal:
        x = arguments[0]
        decimals = int(arguments[1]) if len(arguments) == 2 else 0
        places = max(-_MOST_DIGITS, min(decimals, _MOST_DIGITS))
        exponent = x.as_tuple().exponent
        assert isinstance(exponent, int)  # every value is finite
        return x if -exponent <= places else rounded(x, places)

    return call


def _divide(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise EvaluationError("Division by zero")
    return a / b


_OPERATIONS: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divide,
}
_FUNCTIONS: Mapping[str, Callable[[list[Decimal]], Decimal]] = {
    "round": _rounding(round_half_away),
    "ceil": _rounding(ceil_to),
    "floor": _rounding(floor_to),
    "least": lambda numbers: reduce(min, numbers),
    "greatest": lambda numbers: reduce(max, numbers),
}
