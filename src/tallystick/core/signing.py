"""Signatures of outgoing webhooks that need only a shared secret: Lago's HMAC and the Standard Webhooks headers.

Not for the RS256 token (ground/keys.py holds the installation's key) and not for sending (ground/egress.py).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

SECRET_PREFIX = "whsec_"


def hmac_signature(hmac_key: str, body: bytes) -> str:
    """Return the value of `X-Lago-Signature` for the algorithm `hmac` (webhooks.md §1.4).

    The characters of the key are the key as they are; the text is padded standard base64 in one line.
    """
    return _mac(hmac_key.encode(), body)


def standard_headers(message_id: str, sent_at: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Return the three Standard Webhooks headers of one attempt (webhooks.md §1.3).

    `sent_at` is in epoch seconds. `secrets` holds the endpoint's `whsec_` secrets, the newest first: one as a rule,
    two while a rotation overlaps. Raises ValueError without a secret or with a malformed one.
    """
    if not secrets:
        raise ValueError("a Standard Webhooks signature needs a secret")
    signed = b".".join((message_id.encode(), str(sent_at).encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(sent_at),
        "webhook-signature": " ".join("v1," + _mac(secret_bytes(secret), signed) for secret in secrets),
    }


def secret_text(key: bytes) -> str:
    """Write a random key (Standard Webhooks asks for 24 to 64 bytes) as a `whsec_` secret; ValueError otherwise."""
    if not 24 <= len(key) <= 64:
        raise ValueError("a webhook secret has 24 to 64 bytes")
    return SECRET_PREFIX + base64.b64encode(key).decode()


def secret_bytes(secret: str) -> bytes:
    """Decode a `whsec_` secret to the key it stands for; ValueError when it is not one."""
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError(f"a webhook secret starts with {SECRET_PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        # The cause would quote nothing useful and the secret must not reach a log.
        raise ValueError("a webhook secret is base64 after its prefix") from None
    if not key:
        raise ValueError("a webhook secret is not empty")
    return key


def _mac(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
