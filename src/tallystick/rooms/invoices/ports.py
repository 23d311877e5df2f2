"""What the invoices room needs from outside: something that draws documents, and something that writes e-invoices.

Where files are kept is a ground port.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Wire = Mapping[str, Any]


class Documents(Protocol):
    """Draws documents; called from several threads at once, without I/O of its own."""

    def render_invoice(
        self,
        invoice: Wire,
        billing_entity: Wire,
        locale: str,
        *,
        logo: bytes | None = None,
        marked: bool = True,
        archival: bool = False,
    ) -> bytes:
        """The PDF of an invoice: its REST object (api.md §15.18), its issuer's (§15.5), a document locale.

        `marked` keeps the product's name on it; `archival` makes it PDF/A-3, which can carry an e-invoice.
        """

    def render_credit_note(
        self,
        note: Wire,
        billing_entity: Wire,
        locale: str,
        *,
        logo: bytes | None = None,
        marked: bool = True,
        archival: bool = False,
    ) -> bytes:
        """The PDF of a credit note: its REST object (api.md §15.21) with items."""

    def render_annex(
        self,
        invoice: Wire,
        sentences: Mapping[uuid.UUID, Sequence[str]],
        billing_entity: Wire,
        locale: str,
        *,
        marked: bool = True,
    ) -> bytes:
        """The PDF that explains the lines of an invoice; `sentences` by the id of a fee."""


class Einvoices(Protocol):
    """Writes e-invoices (integrations.md §11); called from several threads at once, without I/O of its own."""

    def invoice_files(self, invoice: Wire, billing_entity: Wire, locale: str) -> tuple[bytes, bytes]:
        """The file that stands alone and the one for the PDF; ValueError when the official schemas refuse them."""

    def credit_note_files(self, note: Wire, billing_entity: Wire, locale: str) -> tuple[bytes, bytes]:
        """The same of a credit note, which also has the `invoice_issuing_date` of its invoice."""

    def embed(self, pdf: bytes, content: bytes, number: str, billing_entity: Wire, locale: str) -> bytes:
        """The archival PDF of a document with the second file inside."""
