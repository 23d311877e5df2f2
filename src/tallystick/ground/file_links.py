"""Unguessable addresses of files (api.md §11): no API key is needed, and an address never changes.

Its token is the id of the subject signed with the organization's key, for one kind of file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import uuid
from enum import Enum

FILE_PATH = "/files/{token}"


class FileKind(Enum):
    """What a file is; the value is the purpose that its address is signed for."""

    INVOICE_PDF = b"invoice pdf\x00"
    INVOICE_XML = b"invoice xml\x00"
    CREDIT_NOTE_PDF = b"credit note pdf\x00"
    CREDIT_NOTE_XML = b"credit note xml\x00"
    INVOICE_ANNEX = b"invoice annex\x00"


def file_token(subject_id: uuid.UUID, hmac_key: str, kind: FileKind = FileKind.INVOICE_PDF) -> str:
    """The token of a file: base64url of the subject's id and a SHA-256 HMAC over purpose and id."""
    return base64.urlsafe_b64encode(subject_id.bytes + _signature(subject_id, hmac_key, kind)).decode().rstrip("=")


def subject_of_token(token: str) -> uuid.UUID | None:
    """The subject that a token names, signed or not; None for what is no token."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    return uuid.UUID(bytes=raw[:16]) if len(raw) == 16 + hashlib.sha256().digest_size else None


def kind_of_token(token: str, subject_id: uuid.UUID, hmac_key: str) -> FileKind | None:
    """Which file of the subject the token was signed for; None when it is not genuine."""
    found = [
        kind
        for kind in FileKind
        if hmac.compare_digest(token.encode(), file_token(subject_id, hmac_key, kind).encode())
    ]
    return found[0] if found else None


def file_url(subject_id: uuid.UUID, hmac_key: str, public_api_url: str, kind: FileKind = FileKind.INVOICE_PDF) -> str:
    """Where the file is served."""
    return public_api_url + FILE_PATH.format(token=file_token(subject_id, hmac_key, kind))


def _signature(subject_id: uuid.UUID, hmac_key: str, kind: FileKind) -> bytes:
    return hmac.digest(hmac_key.encode(), kind.value + subject_id.bytes, "sha256")
