"""Whatever fees and taxes an invoice has, its parts add up, and a part changed afterwards is noticed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.contract import TaxTerms
from tallystick.core.invoice import Composition, FeeDraft, FeeType, Unbalanced, compose, conserve

TAXES = [
    TaxTerms(UUID(int=place), f"t{place}", f"T{place}", Decimal(rate), None)
    for place, rate in enumerate(("0", "2.5", "5.5", "8.875", "19.6", "20", "33.333333"))
]


@st.composite
def fees(draw: st.DrawFn) -> FeeDraft:
    precise = draw(st.decimals(min_value=0, max_value=10**9, places=6))
    cents = int(precise.to_integral_value(rounding="ROUND_HALF_UP"))
    return FeeDraft(
        id=uuid4(),
        subscription_id=uuid4(),
        fee_type=FeeType.CHARGE,
        currency="EUR",
        amount_cents=cents,
        precise_amount_cents=precise,
        units=Decimal(1),
        unit_amount=precise / 100,
        taxes=tuple(draw(st.lists(st.sampled_from(TAXES), max_size=3, unique=True))),
    )


@given(st.lists(fees(), max_size=12))
def test_parts_add_up(drafts: list[FeeDraft]) -> None:
    invoice = compose(drafts)
    assert invoice.fees_amount_cents == sum(draft.amount_cents for draft in drafts)
    assert invoice.total_amount_cents == invoice.fees_amount_cents + invoice.taxes_amount_cents
    assert invoice.taxes_amount_cents >= 0
    if not any(draft.taxes for draft in drafts):
        assert invoice.taxes_amount_cents == 0


@given(st.lists(fees(), min_size=1, max_size=4), st.sampled_from(
    [
        "fees_amount_cents",
        "sub_total_excluding_taxes_amount_cents",
        "sub_total_including_taxes_amount_cents",
        "total_amount_cents",
        "coupons_amount_cents",
        "prepaid_credit_amount_cents",
    ]
))  # fmt: skip
def test_a_changed_part_is_noticed(drafts: list[FeeDraft], name: str) -> None:
    invoice = compose(drafts)
    broken: Composition = replace(invoice, **{name: getattr(invoice, name) + 1})
    with pytest.raises(Unbalanced):
        conserve(broken)
