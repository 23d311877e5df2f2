"""Lexer of the expression language: text to tokens. It does not know which orders of tokens make sense."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class InvalidExpression(ValueError):
    """The text is no expression (metering.md §2.3); the API answers `invalid_expression`."""


class TokenKind(StrEnum):
    """What a piece of text is."""

    VARIABLE = "variable"
    NAME = "name"
    NUMBER = "number"
    STRING = "string"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the expression, as written."""

    kind: TokenKind
    text: str


FUNCTIONS = ("round", "ceil", "floor", "concat", "least", "greatest")

_NAMES = "|".join(spelling for name in FUNCTIONS for spelling in (name, name.upper(), name.capitalize()))
_TOKEN = re.compile(
    rf" *(?:(?P<variable>event\.(?:code|timestamp|properties\.[A-Za-z][A-Za-z0-9_]*))"
    rf"|(?P<name>{_NAMES})"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<string>'[^']*')"
    r"|(?P<symbol>[-+*/(),])) *"
)


def tokens(text: str) -> list[Token]:
    """The tokens of a text, ending with END. Blanks are U+0020 only. Raises `InvalidExpression`."""
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise InvalidExpression(f"unexpected text at {place}")
        found.append(Token(TokenKind(match.lastgroup), match.group(match.lastgroup)))
        place = match.end()
    return [*found, Token(TokenKind.END, "")]
