"""What progressive invoices take off the next invoice: subscriptions.md §5.4, invoicing.md §3.3, credits.md §1.7."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from tallystick.core.contract import TaxTerms
from tallystick.core.coupons import CouponLine, CouponTerms, Frequency, discount
from tallystick.core.invoice import Credit, CreditKind, FeeDraft, FeeType, Purpose, compose
from tallystick.core.progressive import ProgressiveInvoice, credit, line_of
from tests.support.metering import at

CHARGE, OTHER = UUID(int=1), UUID(int=2)
VAT = TaxTerms(UUID(int=9), "vat", "VAT", Decimal(20), None)


def fee(cents: int, charge_id: UUID | None = CHARGE, **more: object) -> FeeDraft:
    kind = FeeType.CHARGE if charge_id else FeeType.SUBSCRIPTION
    return FeeDraft(
        id=uuid4(),
        subscription_id=UUID(int=3),
        fee_type=kind,
        currency="EUR",
        amount_cents=cents,
        precise_amount_cents=Decimal(cents),
        units=Decimal(1),
        unit_amount=Decimal(cents) / 100,
        taxes=(VAT,),
        charge_id=charge_id,
        **more,  # type: ignore[arg-type]
    )


def billed(cents: int, **more: int) -> ProgressiveInvoice:
    return ProgressiveInvoice(UUID(int=7), cents, lines={line_of(CHARGE, None, {}): cents}, **more)


@pytest.mark.parametrize(
    ("before", "fees", "amount", "surplus", "taken"),
    [
        (billed(220), [fee(660)], 220, 0, [220]),
        (billed(5280), [fee(3100, None), fee(5280)], 5280, 0, [0, 5280]),
        # a coupon made the invoice cheaper: the fee is lowered all the same
        (billed(1000, coupons_cents=100), [fee(1500)], 900, 0, [1000]),
        # what was credited before is not credited again
        (billed(1000, credited_cents=400, noted_cents=100), [fee(1500)], 500, 0, [1000]),
        (billed(1000, credited_cents=1000), [fee(1500)], 0, 0, [0]),
        # usage fell: the rest is due back
        (billed(1000), [fee(700)], 700, 300, [700]),
        # other charges give no base, another charge's fee stays whole
        (billed(1000), [fee(400, OTHER)], 0, 1000, [0]),
        (billed(1000), [fee(1200), fee(50, OTHER)], 1000, 0, [1000, 0]),
        # a true-up counts for the base, its own line was never billed
        (billed(1000), [fee(800), fee(400, purpose=Purpose.TRUE_UP)], 1000, 0, [800, 0]),
    ],
)
def test_credit(before: ProgressiveInvoice, fees: list[FeeDraft], amount: int, surplus: int, taken: list[int]) -> None:
    made = credit(before, fees)
    assert (made.amount_cents, made.surplus_cents) == (amount, surplus)
    assert [one.precise_coupons_cents for one in made.fees] == taken


def test_lines_match_by_filter_and_group() -> None:
    filter_id = UUID(int=5)
    before = ProgressiveInvoice(
        UUID(int=7),
        300,
        lines={line_of(CHARGE, filter_id, {"b": "2", "a": "1"}): 200, line_of(CHARGE, None, {"a": None}): 100},
    )
    fees = [
        fee(250, filter_id=filter_id, grouped_by={"a": "1", "b": "2"}),
        fee(250, filter_id=filter_id, grouped_by={"a": "1", "b": "3"}),
        fee(250, grouped_by={"a": None}),
    ]
    assert [one.precise_coupons_cents for one in credit(before, fees).fees] == [200, 0, 100]


def test_the_invoice_of_the_specification() -> None:
    """Plan 3100 and usage 40000, 20000 of it billed before, a coupon of 10 %, tax of 20 % (invoicing.md §3.3)."""
    made = credit(billed(20000), [fee(3100, None), fee(40000)])
    before = [Credit(CreditKind.INVOICE, UUID(int=7), made.amount_cents, before_taxes=True)]
    coupon = CouponTerms(UUID(int=8), Frequency.FOREVER, at("2025-01-01"), percentage_rate=Decimal(10))
    lines = [CouponLine(one.amount_cents, one.precise_coupons_cents) for one in made.fees]
    invoice = compose(made.fees, discount(lines, [coupon], 43100 - made.amount_cents, "EUR"), before)
    assert invoice.progressive_billing_credit_amount_cents == 20000
    assert invoice.coupons_amount_cents == 2310
    assert [row.fee.precise_coupons_cents for row in invoice.fees] == [310, 22000]
    assert invoice.sub_total_excluding_taxes_amount_cents == 20790
    assert (invoice.taxes_amount_cents, invoice.total_amount_cents) == (4158, 24948)
    assert [row.kind for row in invoice.credits] == [CreditKind.INVOICE, CreditKind.COUPON]
