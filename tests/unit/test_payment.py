"""What is due of an invoice, and which payments by hand it takes (payments.md §3.11, §3.18)."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.core.payment import due_cents, refusals


@pytest.mark.parametrize(
    ("status", "paid", "offset", "due"),
    [
        ("finalized", 0, 0, 10000),
        # the steps of §3.18
        ("finalized", 3000, 0, 7000),
        ("finalized", 5000, 0, 5000),
        ("finalized", 10000, 0, 0),
        ("finalized", 3000, 2000, 5000),
        ("finalized", 12000, 0, -2000),
        ("voided", 3000, 0, 0),
    ],
)
def test_due(status: str, paid: int, offset: int, due: int) -> None:
    assert due_cents(status=status, total_cents=10000, paid_cents=paid, offset_cents=offset) == due


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({}, []),
        ({"amount_cents": 7000}, []),
        ({"amount_cents": 7001}, [("amount_cents", "value_is_out_of_range")]),
        ({"reference": " "}, [("reference", "value_is_mandatory")]),
        ({"reference": "x" * 40}, []),
        ({"reference": "x" * 41}, [("reference", "value_is_too_long")]),
        ({"invoice_type": "credit"}, [("amount_cents", "invalid_amount")]),
        ({"invoice_type": "credit", "due_cents": 10000, "amount_cents": 10000}, []),
        (
            {"invoice_type": "credit", "amount_cents": 8000, "reference": ""},
            [
                ("amount_cents", "value_is_out_of_range"),
                ("amount_cents", "invalid_amount"),
                ("reference", "value_is_mandatory"),
            ],
        ),
    ],
)
def test_refusals_are_collected(given: dict[str, Any], codes: list[tuple[str, str]]) -> None:
    asked = {
        "invoice_type": "subscription",
        "total_cents": 10000,
        "due_cents": 7000,
        "amount_cents": 1,
        "reference": "wire",
    }
    assert list(refusals(**{**asked, **given})) == codes
