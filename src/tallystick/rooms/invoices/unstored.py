"""Invoices that nobody stores, as the rows that would be: rendered by the same views, never in a session."""

from __future__ import annotations

from tallystick.ground import json
from tallystick.ground.tables import Fee, Invoice, InvoiceCredit, InvoiceTax
from tallystick.rooms.invoices import ledger
from tallystick.rooms.invoices.ledger import Document


def header(document: Document) -> Invoice:
    """The invoice without its lines."""
    return Invoice(**ledger.invoice_row(document))


#: columns that the ledger copies as JSON text
_JSON = ("grouped_by", "amount_details", "pricing_unit_details", "presentation_breakdowns", "trace")


def fees(document: Document) -> list[Fee]:
    """Its fees, in the order in which they were made."""
    made = []
    for taxed in document.composition.fees:
        row = ledger.fee_row(document, taxed, document.customer.id, None, document.payment_status)
        parts = {name: json.loads(row[name]) for name in _JSON if row[name] is not None}
        made.append(Fee(**{**row, **parts}))
    return made


def taxes(document: Document) -> list[InvoiceTax]:
    """Its taxes."""
    return [InvoiceTax(**row) for row in ledger.tax_rows(document)]


def credits(document: Document) -> list[InvoiceCredit]:
    """What was taken off."""
    return [InvoiceCredit(**row) for row in ledger.credit_rows(document)]
