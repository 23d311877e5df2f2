"""What the invoices room needs from outside: something that draws documents. Where files are kept is a ground port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Documents(Protocol):
    """Draws documents; called from several threads at once, without I/O of its own."""

    def render_invoice(
        self, invoice: Mapping[str, Any], billing_entity: Mapping[str, Any], locale: str, *, logo: bytes | None = None
    ) -> bytes:
        """The PDF of an invoice: its REST object (api.md §15.18), its issuer's (§15.5), a document locale."""
