"""Addresses of invoices: the page in the console and the unguessable address of the PDF (api.md §11).

A file's address needs no API key: its token is the invoice's id signed with the organization's key, and never changes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import uuid

#: statuses under which an invoice has no page (webhooks.md §4.2)
PAGELESS = frozenset({"generating", "open", "closed", "deleted"})
FILE_PATH = "/files/{token}"
_PURPOSE = b"invoice pdf\x00"


def file_token(invoice_id: uuid.UUID, hmac_key: str) -> str:
    """The token of an invoice's PDF: base64url of its id and a SHA-256 HMAC over it."""
    return base64.urlsafe_b64encode(invoice_id.bytes + _signature(invoice_id, hmac_key)).decode().rstrip("=")


def invoice_of_token(token: str) -> uuid.UUID | None:
    """The invoice that a token names, signed or not; None for what is no token."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    return uuid.UUID(bytes=raw[:16]) if len(raw) == 16 + hashlib.sha256().digest_size else None


def is_genuine(token: str, invoice_id: uuid.UUID, hmac_key: str) -> bool:
    """Whether the token is the one of this invoice."""
    return hmac.compare_digest(token.encode(), file_token(invoice_id, hmac_key).encode())


def file_url(invoice_id: uuid.UUID, hmac_key: str, public_api_url: str) -> str:
    """Where the PDF is served."""
    return public_api_url + FILE_PATH.format(token=file_token(invoice_id, hmac_key))


def web_url(invoice_id: uuid.UUID, status: str, public_api_url: str) -> str | None:
    """The invoice's page in the console."""
    return None if status in PAGELESS else f"{public_api_url}/console/invoices/{invoice_id}"


def _signature(invoice_id: uuid.UUID, hmac_key: str) -> bytes:
    return hmac.digest(hmac_key.encode(), _PURPOSE + invoice_id.bytes, "sha256")
