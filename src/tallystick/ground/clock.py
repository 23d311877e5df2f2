"""The machine's time, for leases, time-outs and retries; the only module that reads it.

It is not for domain time: money and dates follow the organization's clock and arrive as `at`.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime


def machine_now() -> datetime:
    """The present instant of this machine, aware, in UTC."""
    return datetime.now(UTC)


def machine_milliseconds() -> int:
    """Milliseconds since 1970 of this machine: the time part of new ids."""
    return time.time_ns() // 1_000_000


def machine_monotonic() -> float:
    """Seconds from an arbitrary origin that never go backwards; only differences mean anything."""
    return time.monotonic()
