"""Parser of the expression language: text to a tree, by recursive descent. It computes nothing."""

from __future__ import annotations

from decimal import Decimal

from tallystick.core.expression.tokens import InvalidExpression, Token, TokenKind, tokens
from tallystick.core.expression.tree import Chain, Expression, FunctionCall, Negation, Number, String, Variable

__all__ = ["InvalidExpression", "parse"]

MOST_NESTED = 100
"""Parentheses and calls inside each other; deeper expressions are refused, so that walking a tree is always safe."""

_MOST_DIGITS = 60
_ROUNDING = ("round", "ceil", "floor")


def parse(text: str) -> Expression:
    """The tree of an expression (grammar of metering.md §2.3). Raises `InvalidExpression`."""
    parser = _Parser(tokens(text))
    expression = parser.sum(0)
    if parser.next.kind is not TokenKind.END:
        raise InvalidExpression("text after the end of the expression")
    return expression


class _Parser:
    """Walks the tokens once; each method reads what its name says."""

    def __init__(self, found: list[Token]) -> None:
        self.found = found
        self.place = 0

    @property
    def next(self) -> Token:
        """The token not yet read."""
        return self.found[self.place]

    def take(self) -> Token:
        """Read one token."""
        token = self.next
        self.place += token.kind is not TokenKind.END
        return token

    def takes(self, *symbols: str) -> str | None:
        """Read one of these symbols if it is next."""
        if self.next.kind is TokenKind.SYMBOL and self.next.text in symbols:
            return self.take().text
        return None

    def expect(self, symbol: str) -> None:
        """Read this symbol."""
        if self.takes(symbol) is None:
            raise InvalidExpression(f"{symbol} expected")

    def sum(self, depth: int) -> Expression:
        """Operands of `+ -`."""
        if depth > MOST_NESTED:
            raise InvalidExpression("nested too deeply")
        first = self.product(depth)
        rest: list[tuple[str, Expression]] = []
        while symbol := self.takes("+", "-"):
            rest.append((symbol, self.product(depth)))
        return Chain(first, tuple(rest)) if rest else first

    def product(self, depth: int) -> Expression:
        """Operands of `* /`."""
        first = self.atom(depth)
        rest: list[tuple[str, Expression]] = []
        while symbol := self.takes("*", "/"):
            rest.append((symbol, self.atom(depth)))
        return Chain(first, tuple(rest)) if rest else first

    def atom(self, depth: int) -> Expression:
        """A primary with at most one minus before it."""
        if self.takes("-"):
            return Negation(self.primary(depth))
        return self.primary(depth)

    def primary(self, depth: int) -> Expression:
        """A call, variable, literal or parenthesis."""
        token = self.take()
        if token.kind is TokenKind.NUMBER:
            if len(token.text) > _MOST_DIGITS:
                raise InvalidExpression("number too long")
            return Number(Decimal(token.text), token.text)
        if token.kind is TokenKind.STRING:
            return String(token.text[1:-1])
        if token.kind is TokenKind.VARIABLE:
            _, field, *names = token.text.split(".")
            return Variable(field, names[0] if names else None)
        if token.kind is TokenKind.NAME:
            return self.call(token.text.lower(), depth)
        if token == Token(TokenKind.SYMBOL, "("):
            inner = self.sum(depth + 1)
            self.expect(")")
            return inner
        raise InvalidExpression("operand expected")

    def call(self, name: str, depth: int) -> Expression:
        """The arguments of a call; the round family takes one or two."""
        self.expect("(")
        arguments = [self.sum(depth + 1)]
        while self.takes(","):
            arguments.append(self.sum(depth + 1))
        self.expect(")")
        if name in _ROUNDING and len(arguments) > 2:
            raise InvalidExpression(f"{name} takes one or two arguments")
        return FunctionCall(name, tuple(arguments))
