"""The figures of an electronic invoice after EN 16931: lines, VAT groups and totals that add up to the cent.

Which syntax carries them (UBL, CII) is a provider's work; nothing here knows XML. integrations.md §11.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from tallystick.core.money import EXACT, ZERO, floor_to, total


class Category(StrEnum):
    """VAT categories of UNTDID 5305 that occur."""

    STANDARD = "S"
    ZERO_RATED = "Z"
    OUT_OF_SCOPE = "O"
    REVERSE_CHARGE = "AE"


#: why a category bears no VAT: code of the VATEX list and its text (integrations.md §11.1)
EXEMPTIONS = {
    Category.OUT_OF_SCOPE: ("VATEX-EU-O", "Not subject to VAT"),
    Category.REVERSE_CHARGE: ("VATEX-EU-AE", "Reverse charge"),
}


class TypeCode(StrEnum):
    """Document types of UNTDID 1001 that occur."""

    INVOICE = "380"
    CREDIT_NOTE = "381"
    PREPAYMENT = "386"
    SELF_BILLED = "389"


class Means(StrEnum):
    """Payment means of UNTDID 4461 that occur."""

    STANDARD = "1"
    PREPAID_CREDITS = "57"
    CREDIT_NOTES = "97"


@dataclass(frozen=True, slots=True)
class Party:
    """Seller or buyer; empty texts are left out. `tax_number` is the VAT identifier."""

    name: str
    code: str = ""
    legal_name: str = ""
    tax_number: str = ""
    street: str = ""
    more_street: str = ""
    city: str = ""
    zipcode: str = ""
    state: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line before discounts. `discount` and `tax` are weights: what of the document's sums falls to the line."""

    name: str
    description: str
    units: Decimal
    unit_price: Decimal
    amount_cents: int
    category: Category
    rate: Decimal
    discount: Decimal = ZERO
    tax: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Group:
    """All lines of one category and rate: base = lines − allowance."""

    category: Category
    rate: Decimal
    lines_cents: int
    allowance_cents: int
    tax_cents: int

    @property
    def base_cents(self) -> int:
        """What the tax is on."""
        return self.lines_cents - self.allowance_cents


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of the document, in cents: exclusive = lines − allowance, payable = exclusive + tax − prepaid + rounding.

    `due_cents` is what the document says is left, when rounding may have moved it.
    """

    allowance_cents: int
    tax_cents: int
    prepaid_cents: int
    lines_cents: int
    due_cents: int | None = None

    @property
    def exclusive_cents(self) -> int:
        """Without tax."""
        return self.lines_cents - self.allowance_cents

    @property
    def inclusive_cents(self) -> int:
        """With tax."""
        return self.exclusive_cents + self.tax_cents

    @property
    def payable_cents(self) -> int:
        """What is left to pay."""
        return self.inclusive_cents - self.prepaid_cents + self.rounding_cents

    @property
    def rounding_cents(self) -> int:
        """What the document's own rounding moved."""
        return 0 if self.due_cents is None else self.due_cents - self.inclusive_cents + self.prepaid_cents


@dataclass(frozen=True, slots=True)
class Payment:
    """The way in which the document is settled; `text` says it to people."""

    means: Means
    text: str


@dataclass(frozen=True, slots=True)
class EInvoice:
    """A whole document. `refers_to`: number and day of the invoice that a credit note corrects."""

    type_code: TypeCode
    number: str
    currency: str
    issued_on: dt.date
    due_on: dt.date | None
    delivered_on: dt.date
    seller: Party
    buyer: Party
    lines: tuple[Line, ...]
    groups: tuple[Group, ...]
    totals: Totals
    payment: Payment | None
    terms: str
    notes: tuple[str, ...] = ()
    buyer_reference: str = ""
    purchase_order: str = ""
    refers_to: tuple[str, dt.date] | None = None


def groups(lines: Sequence[Line], allowance_cents: int, tax_cents: int) -> tuple[Group, ...]:
    """The VAT groups of these lines, highest rate first; allowances and taxes add up to the document's (§11.2)."""
    keys = sorted({(line.category, line.rate) for line in lines}, key=lambda key: (-key[1], key[0]))
    own = [[line for line in lines if (line.category, line.rate) == key] for key in keys]
    amounts = [sum(line.amount_cents for line in part) for part in own]
    discounts = [total(line.discount for line in part) for part in own]
    # without a discount of its own each line bears its share of the document's
    allowances = share(allowance_cents, discounts if any(discounts) else [Decimal(cents) for cents in amounts])
    taxes = share(tax_cents, [total(line.tax for line in part) for part in own])
    figures = zip(keys, amounts, allowances, taxes, strict=True)
    return tuple(Group(category, rate, cents, taken, tax) for (category, rate), cents, taken, tax in figures)


def share(cents: int, weights: Sequence[Decimal]) -> list[int]:
    """Cents split by weights into whole ones that add up; left-over cents go to the greatest fractions, in order."""
    whole = total(weights)
    if not weights or not whole:
        return [cents, *[0] * (len(weights) - 1)] if weights else []
    exact = [EXACT.divide(EXACT.multiply(Decimal(cents), weight), whole) for weight in weights]
    shares = [int(floor_to(part)) for part in exact]
    rest = cents - sum(shares)
    by_fraction = sorted(range(len(shares)), key=lambda place: shares[place] - exact[place])
    for place in by_fraction[:rest]:
        shares[place] += 1
    return shares
