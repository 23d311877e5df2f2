"""The files of an e-invoice: the UBL that stands alone, and the CII that a PDF carries. Both are checked when made."""

from __future__ import annotations

from typing import cast

from tallystick.providers.einvoice import cii, ubl
from tallystick.providers.einvoice.credit_note import of_credit_note
from tallystick.providers.einvoice.invoice import of_invoice
from tallystick.providers.einvoice.schemas import Schema, checked
from tallystick.providers.pdf.setting import Wire


def invoice_files(invoice: Wire, billing_entity: Wire, locale: str) -> tuple[bytes, bytes]:
    """UBL 2.1 and CII of an invoice: its REST object with the `applied_taxes` of fees, its billing entity, a locale.

    Raises `InvalidXml` when an official schema refuses them.
    """
    content = of_invoice(invoice, billing_entity, locale)
    return checked(ubl.document(content), Schema.UBL_INVOICE), checked(cii.document(content), Schema.CII)


def credit_note_files(note: Wire, billing_entity: Wire, locale: str) -> tuple[bytes, bytes]:
    """The same of a credit note, which also has the `invoice_issuing_date` of the invoice that it corrects."""
    content = of_credit_note(note, billing_entity, locale)
    return checked(ubl.document(content), Schema.UBL_CREDIT_NOTE), checked(cii.document(content), Schema.CII)


def embed(pdf: bytes, content: bytes, number: str, billing_entity: Wire, locale: str) -> bytes:
    """The PDF/A-3 of a document as Factur-X (profile EN 16931): with its CII inside."""
    from facturx import generate_from_binary  # it brings much that only this function needs

    seller = billing_entity["legal_name"] or billing_entity["name"]
    made = generate_from_binary(
        pdf,
        content,
        flavor="factur-x",
        level="en16931",
        check_xsd=False,  # it was when the file was made
        check_schematron=False,  # asks a server on the network
        pdf_metadata={"author": seller, "title": f"{seller} {number}", "subject": number, "keywords": "Factur-X"},
        lang=locale,
        afrelationship="alternative" if billing_entity["country"] == "DE" else "data",
    )
    return cast(bytes, made)
