"""Shared by the rating tables: price a usage and write the result the way the tables of rating.md do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.money import dec_text, total
from tallystick.core.rating import Usage, fee_amounts, price

Row = tuple[str, str, str, int, str]
Bill = Callable[..., Row]
Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def bill() -> Bill:
    """(fee units, amount, precise_amount_cents, amount_cents, precise_unit_amount) of one usage."""

    def row(
        model: str,
        properties: Mapping[str, Any],
        units: str,
        *,
        full: str | None = None,
        currency: str = "USD",
        prorated: bool = False,
        **more: Any,
    ) -> Row:
        usage = Usage(Decimal(units), Decimal(full or units), **more)
        result = price(model, properties, usage, prorated=prorated, currency=currency)
        fee = fee_amounts(result.amount, result.unit_amount, currency)
        assert total(step.amount for step in result.trace) == result.amount
        assert all(step.sentence() for step in result.trace)
        return (
            dec_text(result.units),
            dec_text(result.amount),
            dec_text(fee.precise_amount_cents),
            fee.amount_cents,
            dec_text(fee.precise_unit_amount),
        )

    return row


@pytest.fixture
def ranges() -> Rows:
    """Ranges as sent, from (from, to, price, flat) tuples."""

    def rows(table: Sequence[tuple[Any, Any, str, str]], price_key: str = "per_unit_amount") -> list[dict[str, Any]]:
        return [
            {"from_value": start, "to_value": end, price_key: price, "flat_amount": flat}
            for start, end, price, flat in table
        ]

    return rows
