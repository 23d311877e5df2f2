"""Identifiers: UUID version 7, made in Python so that every supported PostgreSQL works (design decision 7).

Ids of one process are strictly increasing, so "created_at, then id" is the order of creation.
"""

from __future__ import annotations

import random
import secrets
import threading
import uuid

# the driver's own kind of uuid.UUID: made, hashed and sent several times as fast
from asyncpg.pgproto.pgproto import UUID as DriverUUID

from tallystick.ground.clock import machine_milliseconds

_lock = threading.Lock()
_last = 0
#: ids name things, they protect nothing: seeded from the system, then fast
_random = random.Random(secrets.randbits(256))


_LOW = (1 << 62) - 1


def new_id() -> uuid.UUID:
    """A new UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then a counter seeded with random bits."""
    return DriverUUID(_reserve(1).to_bytes(16))


def new_ids(count: int) -> list[uuid.UUID]:
    """So many new UUIDv7, consecutive and ascending: for rows that are made together."""
    start = _reserve(count)
    return [DriverUUID(value.to_bytes(16)) for value in range(start, start + count)]


def _reserve(count: int) -> int:
    """The first of so many new ids, as a number."""
    global _last
    with _lock:
        first = (machine_milliseconds() << 74) | _random.getrandbits(74)
        if first <= _last:
            # same millisecond or the clock stepped back: stay ahead by a small random step
            first = _last + 1 + _random.getrandbits(32)
        if (first & _LOW) + count > _LOW:
            first = (first | _LOW) + 1  # the run must not reach the bits of the variant
        _last = first + count - 1
    high, low = first >> 62, first & _LOW
    return ((high >> 12) << 80) | (0x7 << 76) | ((high & 0xFFF) << 64) | (0b10 << 62) | low


def parse_id(text: str) -> uuid.UUID | None:
    """The UUID that a caller wrote, or None: a malformed one simply names nothing (api.md §1.1)."""
    try:
        return uuid.UUID(text) if len(text) == 36 else None
    except ValueError:
        return None
