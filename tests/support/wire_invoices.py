"""Invoices as the REST contract shows them (webhooks.md §4.2-4.3), built by hand for tests of documents."""

from __future__ import annotations

from itertools import count
from typing import Any

Wire = dict[str, Any]
_ids = count(1)

ENTITY: Wire = {
    "name": "Northwind",
    "legal_name": "Northwind Analytics SAS",
    "legal_number": "RCS 812 345 678",
    "address_line1": "12 rue des Tanneurs",
    "address_line2": None,
    "zipcode": "69002",
    "city": "Lyon",
    "state": None,
    "country": "FR",
    "email": "billing@northwind.example",
    "tax_identification_number": "FR40812345678",
    "invoice_footer": "Capital 120 000 EUR",
    "eu_tax_management": True,
    "logo_url": None,
}

CUSTOMER: Wire = {
    "name": "Acme",
    "legal_name": "Acme Robotics GmbH",
    "firstname": "Lena",
    "lastname": "Vogel",
    "legal_number": None,
    "address_line1": "Lindenstraße 8",
    "address_line2": None,
    "zipcode": "10969",
    "city": "Berlin",
    "state": None,
    "country": "DE",
    "email": "ap@acme.example",
    "tax_identification_number": "DE811223344",
    "applicable_timezone": "Europe/Berlin",
    "metadata": [
        {"key": "Cost center", "value": "R&D-204", "display_in_invoice": True},
        {"key": "Internal", "value": "hidden", "display_in_invoice": False},
    ],
}


def wire_fee(kind: str, name: str, units: str, price: str, cents: int, **own: Any) -> Wire:
    """A fee of subscription `s1` for January 2024; `own` replaces fields, `filter` and `groups` the item's."""
    item = {
        "type": kind,
        "name": name,
        "invoice_display_name": name,
        "filter_invoice_display_name": own.pop("filter", None),
        "grouped_by": own.pop("groups", {}),
    }
    fee: Wire = {
        "lago_id": f"fee-{next(_ids)}",
        "lago_charge_id": None,
        "lago_fixed_charge_id": None,
        "lago_true_up_fee_id": None,
        "lago_true_up_parent_fee_id": None,
        "lago_subscription_id": "s1",
        "item": item,
        "pay_in_advance": False,
        "invoiceable": True,
        "amount_cents": cents,
        "units": units,
        "precise_unit_amount": price,
        "taxes_rate": 20.0,
        "events_count": None,
        "amount_details": {},
        "pricing_unit_details": None,
        "presentation_breakdowns": [],
        "description": None,
        "created_at": "2024-02-01T00:00:00Z",
        "succeeded_at": None,
    }
    if kind not in ("commitment", "credit"):
        fee |= {"from_date": "2023-12-31T23:00:00+00:00", "to_date": "2024-01-31T22:59:59+00:00"}
    return fee | own


def wire_invoice(fees: list[Wire], **own: Any) -> Wire:
    """A finalized invoice over `fees` with 20 % tax; `own` replaces fields."""
    net = sum(fee["amount_cents"] for fee in fees)
    tax = net // 5
    invoice: Wire = {
        "number": "NOR-001-042",
        "purchase_order_number": None,
        "issuing_date": "2024-02-14",
        "payment_due_date": "2024-03-15",
        "net_payment_term": 30,
        "invoice_type": "subscription",
        "currency": "EUR",
        "self_billed": False,
        "progressive_billing_credit_amount_cents": 0,
        "credit_notes_amount_cents": 0,
        "sub_total_excluding_taxes_amount_cents": net,
        "sub_total_including_taxes_amount_cents": net + tax,
        "total_amount_cents": net + tax,
        "prepaid_credit_amount_cents": 0,
        "prepaid_granted_credit_amount_cents": None,
        "prepaid_purchased_credit_amount_cents": None,
        "customer": CUSTOMER,
        "subscriptions": [{"lago_id": "s1", "name": "Production", "plan_code": "scale"}],
        "fees": fees,
        "credits": [],
        "applied_taxes": [wire_tax("VAT", "vat", 20.0, tax, net)],
    }
    return invoice | own


def wire_tax(name: str, code: str, rate: float, cents: int, base: int) -> Wire:
    """An applied tax row of an invoice."""
    return {"tax_name": name, "tax_code": code, "tax_rate": rate, "amount_cents": cents, "fees_amount_cents": base}
