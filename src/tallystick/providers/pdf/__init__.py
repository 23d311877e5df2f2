"""The PDF documents of the product: invoices and credit notes drawn by typst from the objects of the REST contract.

Storing files and announcing them is not done here.
"""

from __future__ import annotations

from tallystick.providers.pdf.document import DrawingFailed, render_annex, render_credit_note, render_invoice
from tallystick.providers.pdf.formats import UnknownLocale

__all__ = ["DrawingFailed", "UnknownLocale", "render_annex", "render_credit_note", "render_invoice"]
