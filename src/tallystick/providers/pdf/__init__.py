"""The PDF documents of the product: invoices drawn by typst from the objects of the REST contract.

Storing files and announcing them is not done here.
"""

from __future__ import annotations

from tallystick.providers.pdf.document import DrawingFailed, render_invoice
from tallystick.providers.pdf.formats import UnknownLocale

__all__ = ["DrawingFailed", "UnknownLocale", "render_invoice"]
