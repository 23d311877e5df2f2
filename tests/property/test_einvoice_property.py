"""Whatever the lines, the VAT groups of an e-invoice add up to its totals."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.core.einvoice import Category, Line, groups

lines = st.builds(
    lambda cents, rate, part: Line(
        "x",
        "",
        Decimal(1),
        Decimal(cents),
        cents,
        Category.STANDARD if rate else Category.ZERO_RATED,
        Decimal(rate),
        Decimal(cents) * part / 7,
        Decimal(cents) * rate / 100,
    ),
    st.integers(0, 10**9),
    st.sampled_from([0, 5, 10, 20]),
    st.integers(0, 7),
)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(lines, min_size=1, max_size=20), st.integers(0, 10**9), st.integers(0, 10**9))
def test_parts_add_up(made: list[Line], allowance: int, tax: int) -> None:
    found = groups(made, allowance, tax)
    assert sum(group.allowance_cents for group in found) == allowance
    assert sum(group.tax_cents for group in found) == tax
    assert sum(group.lines_cents for group in found) == sum(one.amount_cents for one in made)
    assert all(group.allowance_cents >= 0 and group.tax_cents >= 0 for group in found)
    assert len({(group.category, group.rate) for group in found}) == len(found)
