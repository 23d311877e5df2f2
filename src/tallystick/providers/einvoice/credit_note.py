"""Reads a credit note's wire objects into the figures and texts of an e-invoice (integrations.md §11.4).

Amounts are positive: the type says that they are given back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from tallystick.core.einvoice import Category, EInvoice, Line, Means, Payment, Totals, TypeCode, groups
from tallystick.core.money import from_cents, ratio
from tallystick.providers.einvoice.invoice import buyer_of, category_of, seller_of
from tallystick.providers.pdf.credit_note import notice_of
from tallystick.providers.pdf.fees import line_name, name_of
from tallystick.providers.pdf.setting import Setting, Wire, number, setting_of

TERMS = "Credit note - immediate settlement"


def of_credit_note(note: Wire, entity: Wire, locale: str) -> EInvoice:
    """The e-invoice of an issued credit note; the note's own total, which rounding may move by a cent, is paid."""
    setting = setting_of(note, locale)
    customer = note["customer"]
    lines = tuple(sorted(_lines(note, setting), key=lambda line: line.amount_cents))
    lines_cents = sum(line.amount_cents for line in lines)
    taxed = all(line.category is not Category.OUT_OF_SCOPE for line in lines)
    totals = Totals(
        lines_cents=lines_cents,
        allowance_cents=max(0, lines_cents - note["sub_total_excluding_taxes_amount_cents"]),
        tax_cents=note["taxes_amount_cents"],
        prepaid_cents=0,
        due_cents=note["total_amount_cents"],
    )
    own, other = seller_of(entity, taxed=taxed), buyer_of(customer, taxed=taxed)
    return EInvoice(
        type_code=TypeCode.CREDIT_NOTE,
        number=note["number"],
        currency=note["currency"],
        issued_on=dt.date.fromisoformat(note["issuing_date"]),
        due_on=None,
        delivered_on=dt.date.fromisoformat(note["issuing_date"]),
        seller=other if note["self_billed"] else own,
        buyer=own if note["self_billed"] else other,
        lines=lines,
        groups=groups(lines, totals.allowance_cents, totals.tax_cents),
        totals=totals,
        payment=Payment(Means.STANDARD, notice_of(note, setting)),
        terms=TERMS,
        notes=(
            f"Credit Note ID: {note['lago_id']}",
            f"Original Invoice: {note['invoice_number']}",
            f"Reason: {note['reason']}",
        ),
        buyer_reference=customer["external_id"] if entity.get("country") == "DE" else "",
        purchase_order=note.get("purchase_order_number") or "",
        refers_to=(note["invoice_number"], dt.date.fromisoformat(note["invoice_issuing_date"])),
    )


def _lines(note: Wire, setting: Setting) -> Iterator[Line]:
    """A fee that is given back whole keeps its units and price; a part of one is one piece."""
    for item in note["items"]:
        fee, cents = item["fee"], item["amount_cents"]
        whole = cents == fee["amount_cents"]
        category, rate = category_of(fee), number(fee["taxes_rate"])
        share = ratio(Decimal(cents), Decimal(fee["amount_cents"]))
        discount = number(fee["precise_coupons_amount_cents"]) * share
        yield Line(
            name=name_of(fee),
            description=fee.get("description") or line_name(fee, {}, setting),
            units=number(fee["units"]) if whole else Decimal(1),
            unit_price=number(fee["precise_unit_amount"]) if whole else from_cents(cents, note["currency"]),
            amount_cents=cents,
            category=category,
            rate=rate if category is Category.STANDARD else Decimal(0),
            discount=discount,
            tax=(cents - discount) * rate,
        )
