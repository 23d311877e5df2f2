"""An invoice from its fees: totals in the order and with the roundings of invoicing.md §3, proved to add up.

Fees come rated; who is billed and when is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from tallystick.core.contract import TaxTerms
from tallystick.core.coupons import Discount
from tallystick.core.credit_note import AvailableNote, consume
from tallystick.core.money import ZERO, cents_of
from tallystick.core.pricing_units import InUnits
from tallystick.core.taxes import FeeTaxes, InvoiceTaxes, TaxableFee, fee_taxes, invoice_taxes
from tallystick.core.wallets import FeeKind, Part, Payment, Purse, pay


class FeeType(StrEnum):
    """What a line is for (invoicing.md §1)."""

    SUBSCRIPTION = "subscription"
    CHARGE = "charge"
    FIXED_CHARGE = "fixed_charge"
    COMMITMENT = "commitment"
    ADD_ON = "add_on"
    CREDIT = "credit"


class Purpose(StrEnum):
    """Why a live fee may stand beside another one of the same thing and period."""

    PERIODIC = "periodic"
    TRUE_UP = "true_up"
    #: what one event of a charge paid in advance costs
    EVENT = "event"
    #: carried units of a recurring charge paid in advance, at the start of a period
    RENEWAL = "renewal"
    #: more units of a fixed charge paid in advance, within a period
    UNITS = "units"
    #: usage of a period that is not over, on a progressive invoice
    PROGRESSIVE = "progressive"


class CreditKind(StrEnum):
    """What takes an amount off an invoice and is listed on it: `item.type` of a credit (webhooks.md §4.5)."""

    COUPON = "coupon"
    CREDIT_NOTE = "credit_note"
    #: usage that a progressive invoice billed before
    INVOICE = "invoice"


class Unbalanced(ArithmeticError):
    """Parts that do not add up. A fault of ours, never answered and never caught."""


@dataclass(frozen=True, slots=True)
class FeeBreakdown:
    """Units of a part of a fee, by presentation keys; documents show only the `displayed` ones (metering.md §4.4)."""

    presentation_by: Mapping[str, str | None]
    units: Decimal
    displayed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeeDraft:
    """A rated line before it has an invoice. Amounts in minor units; `unit_amount` in currency units.

    `charge_id` and `filter_id`, `fixed_charge_id` and `add_on_id`, or `add_on_id` alone, name what was priced,
    `parent_id` the fee that a true-up belongs to, `original_id` the first one of a chain of voided and new fees.
    `taxes` is the set that won. `period_from_at` and `period_to_at` are the billed window, end exclusive. `in_units` is
    the price in the charge's pricing unit, if it has one.
    """

    id: UUID
    subscription_id: UUID | None
    fee_type: FeeType
    currency: str
    amount_cents: int
    precise_amount_cents: Decimal
    units: Decimal
    unit_amount: Decimal
    taxes: tuple[TaxTerms, ...]
    purpose: Purpose = Purpose.PERIODIC
    charge_id: UUID | None = None
    filter_id: UUID | None = None
    fixed_charge_id: UUID | None = None
    add_on_id: UUID | None = None
    parent_id: UUID | None = None
    original_id: UUID | None = None
    grouped_by: Mapping[str, str | None] = field(default_factory=dict)
    total_aggregated_units: Decimal | None = None
    events_count: int | None = None
    precise_coupons_cents: Decimal = ZERO
    precise_credit_notes_cents: Decimal = ZERO
    details: Mapping[str, Any] = field(default_factory=dict)
    pay_in_advance: bool = False
    invoice_display_name: str | None = None
    description: str | None = None
    period_from_at: datetime | None = None
    period_to_at: datetime | None = None
    event_transaction_id: str | None = None
    breakdowns: tuple[FeeBreakdown, ...] = ()
    in_units: InUnits | None = None
    trace: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaxedFee:
    """A fee with its taxes."""

    fee: FeeDraft
    taxes: FeeTaxes


@dataclass(frozen=True, slots=True)
class Credit:
    """An amount taken off an invoice. `source_id`: the applied coupon, the credit note or the progressive invoice."""

    kind: CreditKind
    source_id: UUID
    amount_cents: int
    before_taxes: bool


@dataclass(frozen=True, slots=True)
class Composition:
    """Every amount of an invoice (invoicing.md §3.1), in minor units."""

    fees: tuple[TaxedFee, ...]
    credits: tuple[Credit, ...]
    taxes: InvoiceTaxes
    fees_amount_cents: int
    progressive_billing_credit_amount_cents: int
    coupons_amount_cents: int
    sub_total_excluding_taxes_amount_cents: int
    taxes_amount_cents: int
    sub_total_including_taxes_amount_cents: int
    credit_notes_amount_cents: int
    prepaid_credit_amount_cents: int
    total_amount_cents: int
    #: what wallets paid, which is not among the credits
    prepaid: tuple[Payment, ...] = ()

    def prepaid_cents(self, *, granted: bool) -> int | None:
        """What granted, or purchased, credits paid; None when they paid nothing (wallets.md §5.3)."""
        return sum(payment.cents_of(granted=granted) for payment in self.prepaid) or None


NO_DISCOUNT = Discount()
NO_PURSE = Purse()
#: the group key that names the only wallet which may pay for a fee (wallets.md §5.5)
TARGET_WALLET = "target_wallet_code"


def compose(
    fees: Sequence[FeeDraft],
    discount: Discount = NO_DISCOUNT,
    billed_before: Sequence[Credit] = (),
    notes: Iterable[AvailableNote] = (),
    purse: Purse = NO_PURSE,
) -> Composition:
    """The totals of an invoice made of these fees; `conserve` has proved them.

    A discount (`coupons.discount` over the same fees) lowers the sub total and the base of every fee's taxes. So do the
    credits for what progressive invoices billed, which the fees bear already (`progressive.credit`). Credit notes pay
    of the total with taxes, as far as they reach, then the wallets of the purse.
    """
    fees = _discounted(fees, discount)
    fees_amount = sum(fee.amount_cents for fee in fees)
    progressive = sum(credit.amount_cents for credit in billed_before)
    sub_total = fees_amount - progressive - discount.amount_cents
    taxed = tuple(with_taxes(fee) for fee in fees)
    taxes = invoice_taxes(
        [TaxableFee(fee.amount_cents - fee.precise_coupons_cents, fee.taxes) for fee in fees], sub_total
    )
    including = sub_total + taxes.amount_cents
    paid = consume(including, [most_borne_cents(fee) for fee in taxed], notes)
    taxed = tuple(
        replace(each, fee=replace(each.fee, precise_credit_notes_cents=borne)) if borne else each
        for each, borne in zip(taxed, paid.borne_cents, strict=True)
    )
    left = including - paid.amount_cents
    prepaid = pay(left, [_prepayable(each, purse) for each in taxed], purse.wallets)
    prepaid_cents = sum(payment.worth.amount_cents for payment in prepaid)
    composition = Composition(
        fees=taxed,
        credits=(
            *billed_before,
            *(
                Credit(CreditKind.COUPON, credit.applied_coupon_id, credit.amount_cents, before_taxes=True)
                for credit in discount.credits
            ),
            *(Credit(CreditKind.CREDIT_NOTE, note_id, cents, before_taxes=False) for note_id, cents in paid.credits),
        ),
        taxes=taxes,
        fees_amount_cents=fees_amount,
        progressive_billing_credit_amount_cents=progressive,
        coupons_amount_cents=discount.amount_cents,
        sub_total_excluding_taxes_amount_cents=sub_total,
        taxes_amount_cents=taxes.amount_cents,
        sub_total_including_taxes_amount_cents=including,
        credit_notes_amount_cents=paid.amount_cents,
        prepaid_credit_amount_cents=prepaid_cents,
        total_amount_cents=left - prepaid_cents,
        prepaid=prepaid,
    )
    conserve(composition)
    return composition


def with_taxes(fee: FeeDraft) -> TaxedFee:
    """A fee with the taxes on what coupons left of it; one that stands on no invoice is taxed like this too."""
    return TaxedFee(fee, fee_taxes(fee.amount_cents, fee.precise_amount_cents, fee.precise_coupons_cents, fee.taxes))


def most_borne_cents(taxed: TaxedFee) -> Decimal:
    """What a fee amounts to after coupons and with taxes: the most that notes can pay of it (credits.md §3.9)."""
    return taxed.fee.amount_cents - taxed.fee.precise_coupons_cents + taxed.taxes.amount_cents


def _prepayable(taxed: TaxedFee, purse: Purse) -> Part:
    """What wallets may pay of a fee: after coupons and credit notes, with taxes before rounding (wallets.md §5.1)."""
    fee = taxed.fee
    metric_id = purse.metric_of.get(fee.charge_id) if fee.charge_id else None
    kind = FeeKind(fee.fee_type.value, metric_id, fee.grouped_by.get(TARGET_WALLET))
    net = fee.amount_cents - fee.precise_coupons_cents
    if net == 0:
        return Part(kind, ZERO)
    return Part(kind, net + taxed.taxes.precise_amount_cents - fee.precise_credit_notes_cents)


def _discounted(fees: Sequence[FeeDraft], discount: Discount) -> Sequence[FeeDraft]:
    if not discount.credits:
        return fees
    pairs = zip(fees, discount.taken_cents, strict=True)
    return [replace(fee, precise_coupons_cents=taken) for fee, taken in pairs]


def conserve(invoice: Composition) -> None:
    """Raise `Unbalanced` unless every total is the sum of its parts and nothing is negative."""
    fees = sum(taxed.fee.amount_cents for taxed in invoice.fees)
    _same("fees", invoice.fees_amount_cents, fees)
    discounts = invoice.progressive_billing_credit_amount_cents + invoice.coupons_amount_cents
    _same("sub total excluding taxes", invoice.sub_total_excluding_taxes_amount_cents, fees - discounts)
    taxed = invoice.sub_total_excluding_taxes_amount_cents + invoice.taxes_amount_cents
    _same("sub total including taxes", invoice.sub_total_including_taxes_amount_cents, taxed)
    settled = invoice.credit_notes_amount_cents + invoice.prepaid_credit_amount_cents
    _same("total", invoice.total_amount_cents, taxed - settled)
    _conserve_credits(invoice)
    # each row and each fee is rounded on its own: they stray from the total by half a cent each at most
    for name, parts in (
        ("taxes of the invoice", [row.amount_cents for row in invoice.taxes.rows]),
        ("taxes of the fees", [row.taxes.amount_cents for row in invoice.fees]),
    ):
        if 2 * abs(sum(parts) - invoice.taxes_amount_cents) > len(parts) + 1:
            raise Unbalanced(f"{name}: {sum(parts)} strays from {invoice.taxes_amount_cents}")
    if (
        invoice.total_amount_cents < 0
        or invoice.taxes_amount_cents < 0
        or any(taxed.fee.amount_cents < 0 for taxed in invoice.fees)
    ):
        raise Unbalanced("an amount is negative")


def _conserve_credits(invoice: Composition) -> None:
    """Credits of a kind add up to their total, and the fees bear what coupons took."""
    totals = {
        CreditKind.COUPON: invoice.coupons_amount_cents,
        CreditKind.CREDIT_NOTE: invoice.credit_notes_amount_cents,
        CreditKind.INVOICE: invoice.progressive_billing_credit_amount_cents,
    }
    for kind, total in totals.items():
        _same(f"credits of kind {kind}", sum(row.amount_cents for row in invoice.credits if row.kind is kind), total)
    prepaid = sum(payment.worth.amount_cents for payment in invoice.prepaid)
    _same("prepaid credits", prepaid, invoice.prepaid_credit_amount_cents)
    for taxed in invoice.fees:
        if not 0 <= taxed.fee.precise_coupons_cents <= taxed.fee.amount_cents:
            raise Unbalanced(f"coupons of a fee: {taxed.fee.precise_coupons_cents} of {taxed.fee.amount_cents}")
        if not 0 <= taxed.fee.precise_credit_notes_cents <= most_borne_cents(taxed):
            raise Unbalanced(f"credit notes of a fee: {taxed.fee.precise_credit_notes_cents}")
    if invoice.progressive_billing_credit_amount_cents:
        return  # fees then bear what was billed of them, which may be more than the credit (invoicing.md §25.4)
    # a credit is cut to whole cents, its weights are rounded to five decimals: less than a cent for each credit
    borne = sum((taxed.fee.precise_coupons_cents for taxed in invoice.fees), ZERO)
    if abs(borne - invoice.coupons_amount_cents) > len(invoice.credits):
        raise Unbalanced(f"coupons of the fees: {borne} strays from {invoice.coupons_amount_cents}")


def _same(name: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise Unbalanced(f"{name}: {found} is not {wanted}")


def net_of_coupons_cents(amount_cents: int, precise_coupons_cents: Decimal) -> int:
    """`sub_total_excluding_taxes_amount_cents` of a fee: R(amount − coupons) (invoicing.md §3.1)."""
    return cents_of(amount_cents - precise_coupons_cents)
