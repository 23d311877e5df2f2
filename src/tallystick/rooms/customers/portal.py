"""Links to the customer portal: a token that names one customer and ends by itself (dunning.md §8.1).

Serving the portal is a door's work; nothing is stored about a link.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import struct
import uuid

VALID_FOR = dt.timedelta(hours=12)
#: signed with every token, so that no other signature made with the same key passes for one
_PURPOSE = b"tallystick customer portal 1\n"
_CLAIMS = struct.Struct(">16sQ")


def token(customer_id: uuid.UUID, hmac_key: str, at: dt.datetime) -> str:
    """A token for the customer, valid for 12 hours from `at`; `hmac_key` is the organization's."""
    claims = _CLAIMS.pack(customer_id.bytes, int((at + VALID_FOR).timestamp()))
    return base64.urlsafe_b64encode(claims + _signature(claims, hmac_key)).decode().rstrip("=")


def customer_of(token: str) -> uuid.UUID | None:
    """Which customer a token names, not yet checked; None when it is no token at all."""
    raw = _decoded(token)
    return uuid.UUID(bytes=_CLAIMS.unpack_from(raw)[0]) if raw else None


def is_valid(token: str, hmac_key: str, at: dt.datetime) -> bool:
    """Whether the token was signed with this key and has not ended."""
    raw = _decoded(token)
    if raw is None:
        return False
    claims, signature = raw[: _CLAIMS.size], raw[_CLAIMS.size :]
    ends_at: int = _CLAIMS.unpack(claims)[1]
    return hmac.compare_digest(signature, _signature(claims, hmac_key)) and at.timestamp() < ends_at


def _signature(claims: bytes, hmac_key: str) -> bytes:
    return hmac.digest(hmac_key.encode(), _PURPOSE + claims, hashlib.sha256)


def _decoded(token: str) -> bytes | None:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == _CLAIMS.size + hashlib.sha256().digest_size else None
