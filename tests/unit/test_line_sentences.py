"""The sentences of a trace annex."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tallystick.core.line_sentences import discount_sentence, sentences_of, tax_sentences

WINDOW = {"from": "2025-06-01T00:00:00Z", "to": "2025-07-01T00:00:00Z"}
PERIOD = "Period: 2025-06-01T00:00:00Z to 2025-07-01T00:00:00Z, end exclusive."
ROUNDING = {"rule": "half away from zero", "exact_cents": "650.0", "cents": 650}
ROUNDED = "650.0 cents rounded half away from zero = 650 cents."


def usage(events: int, **more: Any) -> dict[str, Any]:
    kind = {"metric": "storage", "type": "sum_agg", "field": "gb", "recurring": False, "events": events}
    return {"window": WINDOW, "aggregation": kind, "units": "12.0", "rounding": ROUNDING, **more}


TIER = {"kind": "tier", "units": "10.0", "price": "0.5", "amount": "5.0", "above": "0.0", "up_to": "10.0"}


@pytest.mark.parametrize(
    ("trace", "wanted"),
    [
        (usage(1), (PERIOD, "Sum of storage.gb over 1 event: 12.0 units.", ROUNDED)),
        (
            usage(3, model="graduated", steps=[TIER], group={"team": "a"}),
            (
                PERIOD,
                "Sum of storage.gb over 3 events: 12.0 units.",
                "Of team = a.",
                "Priced by the model graduated.",
                "10.0 units in the range 0.0-10.0 at 0.5 = 5.0.",
                ROUNDED,
            ),
        ),
        (
            usage(2, with_event={"amount": "7.0", "steps": [TIER]}, without_event={"amount": "0.5"}),
            (
                PERIOD,
                "Sum of storage.gb over 2 events: 12.0 units.",
                "10.0 units in the range 0.0-10.0 at 0.5 = 5.0.",
                "With the event 7.0, without it 0.5.",
                ROUNDED,
            ),
        ),
        (
            {"units": "1.5", "unit_amount_cents": 1999, "rounding": ROUNDING},
            ("1.5 units.", "1.5 units at 1999 cents.", ROUNDED),
        ),
        ({}, ()),
    ],
)
def test_a_trace_from_the_period_to_the_rounding(trace: dict[str, Any], wanted: tuple[str, ...]) -> None:
    assert sentences_of(trace) == wanted


def test_discounts_and_taxes() -> None:
    assert discount_sentence(Decimal(0)) == ()
    assert discount_sentence(Decimal("12.50")) == ("Less 12.5 cents of discounts and usage billed before.",)
    taxes = [("VAT", Decimal("20.000"), Decimal("123.5"))]
    assert tax_sentences(Decimal("617.5"), taxes) == ("VAT: 20.0 % of 617.5 cents = 123.5 cents.",)
