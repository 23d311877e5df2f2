"""Electronic invoices (integrations.md §11): UBL 2.1 files, and Factur-X, which is CII inside the PDF.

What they say comes from the wire objects that the PDF is drawn from; sending them anywhere is not done.
"""

from __future__ import annotations

from tallystick.providers.einvoice.documents import credit_note_files, embed, invoice_files
from tallystick.providers.einvoice.schemas import InvalidXml

__all__ = ["InvalidXml", "credit_note_files", "embed", "invoice_files"]
