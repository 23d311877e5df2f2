"""When a failed webhook is tried again: the two retry schedules and the receiver's own `Retry-After`.

Not for counting attempts or storing them; randomness comes from the caller, so every answer can be checked.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal, assert_never

Schedule = Literal["standard", "lago"]

LONGEST_RETRY_AFTER = timedelta(hours=24)

# The wait after the first, second, … failed attempt, counted from the end of that attempt.
_STANDARD_WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
_LAGO_ATTEMPTS = 3


def attempts(schedule: Schedule) -> int:
    """Return how many attempts a delivery has in all, the first included (webhooks.md §1.6)."""
    match schedule:
        case "standard":
            return 1 + len(_STANDARD_WAITS)
        case "lago":
            return _LAGO_ATTEMPTS
    assert_never(schedule)


def next_delay(schedule: Schedule, failed_attempts: int, jitter: float) -> timedelta | None:
    """Return the wait between the end of the last failed attempt and the next one (webhooks.md §1.6).

    `failed_attempts` counts the failed ones so far, from 1; `jitter` is a random number in [0, 1). `standard` spreads
    its table by ±20 %; `lago` waits n⁴ + jitter·0.15·n⁴ + 2 seconds. None: the schedule is used up. ValueError for
    impossible input.
    """
    if failed_attempts < 1:
        raise ValueError("a retry follows at least one failed attempt")
    if not 0 <= jitter < 1:
        raise ValueError("jitter is in [0, 1)")
    if failed_attempts >= attempts(schedule):
        return None
    match schedule:
        case "standard":
            return _STANDARD_WAITS[failed_attempts - 1] * (0.8 + 0.4 * jitter)
        case "lago":
            return timedelta(seconds=failed_attempts**4 * (1 + 0.15 * jitter) + 2)
    assert_never(schedule)


def retry_after(header: str, now: datetime) -> timedelta | None:
    """Read a `Retry-After` header, seconds or an HTTP date, as a wait from `now` (webhooks.md §1.6).

    The wait is between zero (a date gone by) and 24 hours; None when the header says neither.
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        # Ten digits are three centuries: longer numbers are not worth reading.
        return min(timedelta(seconds=int(text)), LONGEST_RETRY_AFTER) if len(text) <= 10 else LONGEST_RETRY_AFTER
    try:
        at = parsedate_to_datetime(text)
        # HTTP dates are in GMT even where, as in the asctime form, the text does not say so (RFC 9110 §5.6.7).
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return None
    return min(max(wait, timedelta(0)), LONGEST_RETRY_AFTER)
