"""Builders of contract terms with defaults; give what the test is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

from tallystick.core.contract import CustomerTerms

_CUSTOMER = CustomerTerms(
    id=uuid4(),
    external_id="cust",
    slug="ACM-1234-001",
    sequential_id=1,
    timezone="UTC",
    net_payment_term=0,
    grace_days=0,
    issuing_anchor="next_period_start",
    issuing_adjustment="align_with_finalization_date",
    finalize_zero_amount=True,
    self_billed=False,
    taxes=(),
)


def customer_terms(**given: Any) -> CustomerTerms:
    """A customer in UTC without grace, term or taxes."""
    return replace(_CUSTOMER, **given)
