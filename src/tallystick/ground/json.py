"""JSON in and out with exact numbers: fractions are read as Decimal and written as plain JSON numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number", uuid_format="canonical")


def loads(text: str | bytes) -> Any:
    """Decode; raises msgspec.DecodeError for text that is not JSON."""
    return _decoder.decode(text)


def dumps(value: Any) -> bytes:
    """Encode compactly; Decimals become numbers, UUIDs canonical text, datetimes ISO 8601."""
    return _encoder.encode(value)


def dump_text(value: Any) -> str:
    """`dumps` as text, for jsonb parameters."""
    return _encoder.encode(value).decode()
