"""Reads an invoice's wire objects into the figures and texts of an e-invoice (integrations.md §11.2, §11.3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from tallystick.core.einvoice import (
    Category,
    EInvoice,
    Line,
    Means,
    Party,
    Payment,
    Totals,
    TypeCode,
    groups,
)
from tallystick.providers.pdf.fees import line_name, name_of
from tallystick.providers.pdf.setting import Setting, Wire, number, setting_of
from tallystick.providers.pdf.totals import REVERSE_CHARGE


def of_invoice(invoice: Wire, entity: Wire, locale: str) -> EInvoice:
    """The e-invoice of an issued invoice; its amounts are the invoice's own."""
    setting = setting_of(invoice, locale)
    customer = invoice["customer"]
    lines = tuple(sorted(_lines(invoice, setting), key=lambda line: line.amount_cents))
    totals = Totals(
        lines_cents=invoice["fees_amount_cents"],
        allowance_cents=invoice["coupons_amount_cents"] + invoice["progressive_billing_credit_amount_cents"],
        tax_cents=invoice["taxes_amount_cents"],
        prepaid_cents=invoice["prepaid_credit_amount_cents"] + invoice["credit_notes_amount_cents"],
    )
    credit = invoice["invoice_type"] == "credit"
    own, other = seller_of(entity, taxed=not credit), buyer_of(customer, taxed=not credit)
    parts = tuple(_payments(invoice, setting))
    return EInvoice(
        type_code=_type_code(invoice),
        number=invoice["number"],
        currency=invoice["currency"],
        issued_on=dt.date.fromisoformat(invoice["issuing_date"]),
        due_on=dt.date.fromisoformat(invoice["payment_due_date"]),
        delivered_on=_delivered_on(invoice, setting),
        seller=other if invoice.get("self_billed") else own,
        buyer=own if invoice.get("self_billed") else other,
        lines=lines,
        groups=groups(lines, totals.allowance_cents, totals.tax_cents),
        totals=totals,
        # all means of a document have one code (rule CII-SR-467): that of the part that is left to pay, if any
        payment=Payment(parts[0].means, "; ".join(part.text for part in parts)) if parts else None,
        terms="; ".join((_term(invoice, setting), *(one.text for one in parts if one.means != Means.STANDARD))),
        notes=(f"Invoice ID: {invoice['lago_id']}",),
        buyer_reference=customer["external_id"] if entity.get("country") == "DE" else "",
        purchase_order=invoice.get("purchase_order_number") or "",
    )


def seller_of(entity: Wire, *, taxed: bool = True) -> Party:
    """The billing entity; what is outside the scope of VAT names no VAT number (rule BR-O-02)."""
    return _party(entity, entity["name"], entity["code"], taxed)


def buyer_of(customer: Wire, *, taxed: bool = True) -> Party:
    """The customer."""
    return _party(customer, customer.get("legal_name") or customer.get("name") or customer["external_id"], "", taxed)


def _party(party: Wire, name: str, code: str, taxed: bool) -> Party:
    def text(key: str) -> str:
        return party.get(key) or ""

    return Party(
        name=name,
        code=code,
        legal_name=text("legal_name") or name,
        tax_number=text("tax_identification_number") if taxed else "",
        street=text("address_line1"),
        more_street=text("address_line2"),
        city=text("city"),
        zipcode=text("zipcode"),
        state=text("state"),
        country=text("country"),
        email=text("email").split(",")[0].strip(),
        phone=text("phone"),
    )


def _type_code(invoice: Wire) -> TypeCode:
    if invoice.get("self_billed"):
        return TypeCode.SELF_BILLED
    return TypeCode.PREPAYMENT if invoice["invoice_type"] == "credit" else TypeCode.INVOICE


def _lines(invoice: Wire, setting: Setting) -> Iterator[Line]:
    plans = {row["lago_id"]: row.get("plan") or {} for row in invoice.get("subscriptions") or ()}
    for fee in invoice["fees"]:
        plan = plans.get(fee.get("lago_subscription_id"), {})
        category = category_of(fee)
        yield Line(
            name=name_of(fee),
            description=fee.get("description") or line_name(fee, plan, setting),
            units=number(fee["units"]),
            unit_price=number(fee["precise_unit_amount"]),
            amount_cents=fee["amount_cents"],
            category=category,
            rate=number(fee["taxes_rate"]) if category is Category.STANDARD else Decimal(0),
            discount=number(fee["precise_coupons_amount_cents"]),
            tax=number(fee["taxes_precise_amount"]),
        )


def category_of(fee: Wire) -> Category:
    """VAT category of a fee: credits are outside of VAT, reverse charge is known by its code."""
    if fee["item"]["type"] == "credit":
        return Category.OUT_OF_SCOPE
    if any(tax["tax_code"] == REVERSE_CHARGE for tax in fee.get("applied_taxes") or ()):
        return Category.REVERSE_CHARGE
    return Category.STANDARD if number(fee["taxes_rate"]) else Category.ZERO_RATED


def _delivered_on(invoice: Wire, setting: Setting) -> dt.date:
    """Start of the usage billed; the day of making for what has no period; else the issuing date."""
    kind = invoice["invoice_type"]
    starts = [period["charges_from_datetime"] for period in invoice.get("billing_periods") or ()]
    if kind in ("subscription", "progressive_billing") and starts:
        return min(setting.formats.day_at(start) for start in starts if start)
    if kind in ("one_off", "credit"):
        return setting.formats.day_at(invoice["created_at"])
    return dt.date.fromisoformat(invoice["issuing_date"])


def _payments(invoice: Wire, setting: Setting) -> Iterator[Payment]:
    """One for each positive part: what is due, prepaid credits, credit notes."""
    parts = (
        (Means.STANDARD, "total", invoice["total_amount_cents"]),
        (Means.PREPAID_CREDITS, "prepaid_credits", invoice["prepaid_credit_amount_cents"]),
        (Means.CREDIT_NOTES, "credit_notes", invoice["credit_notes_amount_cents"]),
    )
    for means, label, cents in parts:
        if cents:
            yield Payment(means, f"{setting.words.say(label)}: {setting.formats.money(cents)}")


def _term(invoice: Wire, setting: Setting) -> str:
    say, days = setting.words.say, invoice["net_payment_term"]
    return f"{say('term')}: {say('term_day') if days == 1 else say('term_days', count=days)}"
