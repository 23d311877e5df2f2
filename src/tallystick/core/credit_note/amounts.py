"""What a credit note is worth: items, coupons' share, taxes, and the cent that rounding moves (credits.md §3.4).

Whether a note may be made is decided in limits.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from tallystick.core.contract import TaxTerms
from tallystick.core.money import ZERO, cents_of, cut_to, divide, exact, ratio, round_half_away

PLACES = 5  # precision of items, coupon shares, taxes and rates of notes: R5 and T5 of credits.md §0


@dataclass(frozen=True, slots=True)
class NoteFee:
    """A fee of an invoice. `credited_cents`: items of its notes, of drafts and voided notes too (§3.7)."""

    id: UUID
    amount_cents: int
    precise_coupons_cents: Decimal = ZERO
    taxes_cents: int = 0
    taxes: tuple[TaxTerms, ...] = ()
    credited_cents: int = 0

    @property
    def creditable_cents(self) -> int:
        """What notes have left of it, before coupons and taxes."""
        return max(self.amount_cents - self.credited_cents, 0)


@dataclass(frozen=True, slots=True)
class NoteItem:
    """A part of a fee, before coupons and taxes; `precise_cents` has five decimals at most."""

    fee: NoteFee
    precise_cents: Decimal

    @property
    def amount_cents(self) -> int:
        """The item in whole minor units."""
        return cents_of(self.precise_cents)

    @property
    def coupon_cents(self) -> Decimal:
        """Its share of what coupons took of the fee, exact."""
        with exact():
            return ratio(self.fee.precise_coupons_cents * self.precise_cents, self.fee.amount_cents)


@dataclass(frozen=True, slots=True)
class NoteTax:
    """One tax over the items whose fees bear it."""

    tax: TaxTerms
    base_cents: int
    amount_cents: int


@dataclass(frozen=True, slots=True)
class NoteAmounts:
    """Amounts that follow from items; `worth_cents` is what credit, refund and offset should add up to."""

    items: tuple[NoteItem, ...]
    taxes: tuple[NoteTax, ...]
    coupons_cents: int
    precise_coupons_cents: Decimal
    sub_total_cents: int
    taxes_cents: int
    precise_taxes_cents: Decimal
    taxes_rate: Decimal
    precise_total_cents: Decimal

    @property
    def items_cents(self) -> int:
        """The items in whole minor units."""
        return sum(item.amount_cents for item in self.items)

    @property
    def worth_cents(self) -> int:
        """What the note gives back, with taxes: R(items − coupons + taxes)."""
        return cents_of(self.precise_total_cents)


@dataclass(frozen=True, slots=True)
class Parts:
    """What becomes of a note: kept for later invoices, paid back, or taken off what is due of its own invoice."""

    credit_cents: int = 0
    refund_cents: int = 0
    offset_cents: int = 0

    @property
    def total_cents(self) -> int:
        """All of it."""
        return self.credit_cents + self.refund_cents + self.offset_cents


@dataclass(frozen=True, slots=True)
class NotedInvoice:
    """An invoice as credit notes see it.

    `credits_cents`, `refunds_cents`, `offsets_cents` are those of its final notes; `gap_cents` is by how much the
    taxes of all its notes exceed what they would be without rounding; `notes_count` counts its notes.
    """

    id: UUID
    fees: tuple[NoteFee, ...]
    total_cents: int
    sub_total_including_cents: int
    paid_cents: int = 0
    invoice_type: str = "subscription"
    status: str = "finalized"
    payment_status: str = "pending"
    credits_cents: int = 0
    refunds_cents: int = 0
    offsets_cents: int = 0
    gap_cents: Decimal = ZERO
    notes_count: int = 0

    @property
    def remaining(self) -> tuple[NoteItem, ...]:
        """Everything that notes have left of its fees."""
        return tuple(NoteItem(fee, Decimal(fee.creditable_cents)) for fee in self.fees if fee.creditable_cents)

    def fee(self, fee_id: UUID) -> NoteFee | None:
        """A fee of the invoice."""
        return next((fee for fee in self.fees if fee.id == fee_id), None)

    def after(self, amounts: NoteAmounts, parts: Parts) -> NotedInvoice:
        """The invoice once it has this note; the parts of notes of drafts do not count yet (§3.3)."""
        taken: dict[UUID, int] = {}
        for item in amounts.items:
            taken[item.fee.id] = taken.get(item.fee.id, 0) + item.amount_cents
        fees = (replace(fee, credited_cents=fee.credited_cents + taken.get(fee.id, 0)) for fee in self.fees)
        final = self.status != "draft"
        return replace(
            self,
            fees=tuple(fees),
            credits_cents=self.credits_cents + parts.credit_cents * final,
            refunds_cents=self.refunds_cents + parts.refund_cents * final,
            offsets_cents=self.offsets_cents + parts.offset_cents * final,
            gap_cents=self.gap_cents + amounts.taxes_cents - amounts.precise_taxes_cents,
            notes_count=self.notes_count + 1,
        )


def amounts_of(invoice: NotedInvoice, items: Sequence[NoteItem]) -> NoteAmounts:
    """The amounts of a note with these items (§3.4); the last note of an invoice gives back earlier roundings."""
    with exact():
        coupons = sum((item.coupon_cents for item in items), ZERO)
        precise = sum((item.precise_cents for item in items), ZERO)
        bases = _bases(items)
        precise_coupons = round_half_away(coupons, PLACES)
        taxes = round_half_away(sum((base * tax.rate / 100 for tax, base in bases), ZERO), PLACES)
        if _leaves_nothing(invoice, items):
            taxes -= invoice.gap_cents
        rate = sum((ratio(base * tax.rate, precise - coupons) for tax, base in bases), ZERO)
        return NoteAmounts(
            items=tuple(items),
            taxes=tuple(NoteTax(tax, cents_of(base), cents_of(base * tax.rate / 100)) for tax, base in bases),
            coupons_cents=cents_of(coupons),
            precise_coupons_cents=precise_coupons,
            sub_total_cents=cents_of(precise - precise_coupons),
            taxes_cents=cents_of(taxes),
            precise_taxes_cents=taxes,
            taxes_rate=round_half_away(rate, PLACES),
            precise_total_cents=precise - precise_coupons + taxes,
        )


def _bases(items: Iterable[NoteItem]) -> list[tuple[TaxTerms, Decimal]]:
    """Each tax of the items' fees with the exact base it has in the note."""
    found: dict[tuple[str, Decimal], tuple[TaxTerms, Decimal]] = {}
    for item in items:
        for tax in item.fee.taxes:
            _, base = found.get((tax.code, tax.rate), (tax, ZERO))
            found[tax.code, tax.rate] = (tax, base + item.precise_cents - item.coupon_cents)
    return list(found.values())


def _leaves_nothing(invoice: NotedInvoice, items: Sequence[NoteItem]) -> bool:
    left = sum(fee.creditable_cents for fee in invoice.fees)
    return left > 0 and sum(item.amount_cents for item in items) == left


def adjusted(parts: Parts, amounts: NoteAmounts) -> Parts:
    """The parts after the final adjustment of §3.4: at most one cent moves, so that total − taxes is the sub total.

    It goes to the credit if there is one, else to the refund, else to the offset.
    """
    gap = parts.total_cents - amounts.taxes_cents - amounts.sub_total_cents
    if not gap:
        return parts
    move = -1 if gap > 0 else 1
    if parts.credit_cents > 0:
        return replace(parts, credit_cents=parts.credit_cents + move)
    if parts.refund_cents > 0:
        return replace(parts, refund_cents=parts.refund_cents + move)
    return replace(parts, offset_cents=parts.offset_cents + move)


def spread(invoice: NotedInvoice, wanted_cents: Decimal | int, whole_cents: Decimal | int) -> tuple[NoteItem, ...]:
    """`wanted / whole` of everything that notes have left of the fees, at most all of it (§3.8, void)."""
    share = min(divide(wanted_cents, whole_cents), Decimal(1))
    with exact():
        items = (NoteItem(item.fee, round_half_away(item.precise_cents * share, PLACES)) for item in invoice.remaining)
        return tuple(item for item in items if item.precise_cents > 0)


def cut(cents: Decimal) -> Decimal:
    """T5: an automatic item never exceeds what it was made of (§3.8)."""
    return cut_to(cents, PLACES)
