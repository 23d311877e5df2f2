"""The expression language of billable metrics: every row of metering.md §2.3, and hostile input."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.expression import EvaluationError, ExpressionEvent, InvalidExpression, evaluate, parse


def result(expression: str, *, code: str = "seats", timestamp: int | Decimal = 0, **properties: Any) -> str:
    return evaluate(parse(expression), ExpressionEvent(code, timestamp, properties))


@pytest.mark.parametrize(
    ("expression", "properties", "expected"),
    [
        ("event.properties.a + event.properties.b", {"a": "1", "b": 2}, "3.0"),
        ("round(event.properties.v * event.properties.u)", {"v": Decimal("10.4"), "u": 2}, "21.0"),
        ("round(12.34, -1)", {}, "10.0"),
        ("ROUND(-2.5)", {}, "-3.0"),
        ("ceil(12.341, 2)", {}, "12.35"),
        ("floor(-1.5)", {}, "-2.0"),
        ("(123 - event.properties.p) / 10", {"p": "1.23"}, "12.177"),
        ("2 - -3 * 2", {}, "8.0"),
        ("concat(event.properties.user, '-', event.code)", {"user": "u7"}, "u7-seats"),
        ("least(event.properties.p, 5.0)", {"p": Decimal("12.34")}, "5.0"),
    ],
)
def test_rows_of_the_specification(expression: str, properties: dict[str, Any], expected: str) -> None:
    assert result(expression, **properties) == expected


def test_timestamp_is_whole_seconds() -> None:
    assert result("event.timestamp", timestamp=Decimal("1651240791.9")) == "1651240791.0"


@pytest.mark.parametrize(
    "expression",
    [
        *("1+", "1.1.1", "--1", "round()", "min(1,2)", "event.properties._x", '"a"'),
        *("", " ", "()", "round(1,2,3)", "concat()", "rOund(1)", "round 1", "1 2", "event.properties", "event.id"),
        *("event.properties.a b", "event.codes", ".5", "5.", "1e3", "+1", "1\t+ 1", "'a", "(1", "1)", "٣", "- -1"),
        *("(" * 5000 + "1" + ")" * 5000, "1" * 100_000),
    ],
)
def test_invalid_expressions(expression: str) -> None:
    with pytest.raises(InvalidExpression):
        parse(expression)


@pytest.mark.parametrize(
    ("expression", "properties", "message"),
    [
        ("event.properties.s + 1", {"s": "abc"}, "Expected a decimal"),
        ("event.properties.b * 2", {"a": 1}, "Variable: b not found"),
        ("concat(event.properties.b, 'x')", {}, "Variable: b not found"),
        ("event.properties.t + 1", {"t": True}, "Expected a decimal"),
        ("event.properties.n + 1", {"n": None}, "Expected a decimal"),
        ("-event.properties.s", {"s": "x"}, "Expected a decimal"),
        ("least('a')", {}, "Expected a decimal"),
        ("event.code + 1", {}, "Expected a decimal"),
        ("1 / 0", {}, "Division by zero"),
        ("1 / (event.properties.a - event.properties.a)", {"a": 3}, "Division by zero"),
        ("event.properties.a + 1", {"a": "1e9999"}, "Expected a decimal"),
        ("event.properties.a * event.properties.a", {"a": "1e150"}, "Number out of range"),
    ],
)
def test_evaluation_errors(expression: str, properties: dict[str, Any], message: str) -> None:
    with pytest.raises(EvaluationError, match=f"^{message}$"):
        result(expression, **properties)


@pytest.mark.parametrize(
    ("expression", "properties", "expected"),
    [
        ("1 + 2 * 3 - 4 / 2", {}, "5.0"),
        ("8 / 2 / 2", {}, "2.0"),
        ("10 - 3 - 2", {}, "5.0"),
        ("-(1 + 2)", {}, "-3.0"),
        (" 1  +1 ", {}, "2.0"),
        ("event.properties.a", {"a": "1e2"}, "100.0"),
        ("event.properties.a", {"a": "+7"}, "7.0"),
        ("event.properties.a", {"a": Decimal("1E+3")}, "1000.0"),
        ("event.properties.a", {"a": True}, "true"),
        ("event.properties.a", {"a": None}, ""),
        ("event.properties.a", {"a": {"b": [1]}}, '{"b":[1]}'),
        ("event.properties.a1_B", {"a1_B": "x y"}, "x y"),
        ("concat(event.properties.a, 1.50, '')", {"a": "007"}, "0071.50"),
        ("concat(1 + 1, event.timestamp)", {}, "20"),
        ("Greatest(1, 3, 2)", {}, "3.0"),
        ("LEAST(-1)", {}, "-1.0"),
        ("round(2.345, 2.9)", {}, "2.35"),
        ("round(1.5, 100000)", {}, "1.5"),
        ("round(1234, 0 - 100000)", {}, "0.0"),
        ("ceil(-1.5)", {}, "-1.0"),
        ("round(0 - 0.4)", {}, "0.0"),
        ("''", {}, ""),
        ("0.1 + 0.2", {}, "0.3"),
    ],
)
def test_semantics(expression: str, properties: dict[str, Any], expected: str) -> None:
    assert result(expression, **properties) == expected


def test_division_keeps_sixty_digits() -> None:
    assert result("1 / 3").startswith("0." + "3" * 60)


def test_long_chains_need_no_recursion() -> None:
    assert result("+".join(["1"] * 20_000)) == "20000.0"
