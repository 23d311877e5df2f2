"""What a progressive invoice billed of usage is taken off the next invoice of that usage (subscriptions.md §5.4).

Amounts are minor units. Which progressive invoice counts is found elsewhere: it is the newest of the window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

from tallystick.core.invoice import FeeDraft, FeeType, Purpose

#: (charge, filter, items of the group): what makes fees of two invoices the same line
Line: TypeAlias = tuple[UUID | None, UUID | None, tuple[tuple[str, str | None], ...]]


@dataclass(frozen=True, slots=True)
class ProgressiveInvoice:
    """An invoice of usage before its period ended. `credited_cents` were taken from it by invoices that count,
    `noted_cents` by credit notes; `lines` are its fees.
    """

    id: UUID
    fees_cents: int
    coupons_cents: int = 0
    credited_cents: int = 0
    noted_cents: int = 0
    lines: Mapping[Line, int] | None = None

    @property
    def left_cents(self) -> int:
        """What was paid for and not given back yet."""
        return max(self.fees_cents - self.coupons_cents - self.credited_cents - self.noted_cents, 0)


@dataclass(frozen=True, slots=True)
class Credited:
    """Fees with what is billed of them already as `precise_coupons_cents`, and the credit for it.

    `surplus_cents`: what was billed before and is not used any more; it is due back by a credit note, before taxes.
    """

    fees: tuple[FeeDraft, ...]
    amount_cents: int = 0
    surplus_cents: int = 0


def line_of(charge_id: UUID | None, filter_id: UUID | None, grouped_by: Mapping[str, str | None]) -> Line:
    """What names a usage fee within its subscription."""
    return charge_id, filter_id, tuple(sorted(grouped_by.items()))


def credit(invoice: ProgressiveInvoice, fees: Sequence[FeeDraft]) -> Credited:
    """Take off one subscription's fees what its progressive invoice billed (credits.md §1.7).

    Each fee is lowered by the gross amount billed of it, even when a coupon made the credit smaller.
    """
    lines = invoice.lines or {}
    charges = {charge_id for charge_id, _, _ in lines}
    base = sum(fee.amount_cents for fee in fees if fee.fee_type is FeeType.CHARGE and fee.charge_id in charges)
    amount = min(invoice.left_cents, base)
    surplus = invoice.left_cents - amount
    if not amount:
        return Credited(tuple(fees), 0, surplus)
    return Credited(tuple(_lowered(fee, lines) for fee in fees), amount, surplus)


def _lowered(fee: FeeDraft, lines: Mapping[Line, int]) -> FeeDraft:
    if fee.fee_type is not FeeType.CHARGE or fee.purpose not in (Purpose.PERIODIC, Purpose.PROGRESSIVE):
        return fee
    billed = lines.get(line_of(fee.charge_id, fee.filter_id, fee.grouped_by), 0)
    taken = min(fee.precise_coupons_cents + billed, Decimal(fee.amount_cents))
    return replace(fee, precise_coupons_cents=taken)
