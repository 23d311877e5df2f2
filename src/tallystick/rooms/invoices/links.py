"""The invoice's page in the console. Addresses of its files are ground/file_links.py's."""

from __future__ import annotations

import uuid

#: statuses under which an invoice has no page (webhooks.md §4.2)
PAGELESS = frozenset({"generating", "open", "closed", "deleted"})


def web_url(invoice_id: uuid.UUID, status: str, public_api_url: str) -> str | None:
    """The invoice's page in the console."""
    return None if status in PAGELESS else f"{public_api_url}/console/invoices/{invoice_id}"
