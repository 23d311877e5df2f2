"""Retry schedules and `Retry-After` (webhooks.md §1.6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.backoff import LONGEST_RETRY_AFTER, Schedule, attempts, next_delay, retry_after

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
STANDARD = ["0:00:05", "0:05:00", "0:30:00", "2:00:00", "5:00:00", "10:00:00", "14:00:00", "20:00:00", "1 day, 0:00:00"]


def test_standard_waits() -> None:
    assert attempts("standard") == 10
    assert [str(next_delay("standard", failed, 0.5)) for failed in range(1, 10)] == STANDARD


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 240), (0.25, 270), (0.5, 300), (0.75, 330)])
def test_standard_jitter_is_a_fifth_either_way(jitter: float, seconds: int) -> None:
    assert next_delay("standard", 2, jitter) == timedelta(seconds=seconds)


@given(failed=st.integers(1, 9), jitter=st.floats(0, 1, exclude_max=True))
def test_standard_waits_stay_within_a_fifth(failed: int, jitter: float) -> None:
    middle, wait = next_delay("standard", failed, 0.5), next_delay("standard", failed, jitter)
    assert middle is not None
    assert wait is not None
    assert middle * 0.8 <= wait <= middle * 1.2


@pytest.mark.parametrize(
    ("failed", "jitter", "seconds"), [(1, 0.0, 3.0), (1, 0.5, 3.075), (2, 0.0, 18.0), (2, 0.5, 19.2), (2, 0.75, 19.8)]
)
def test_lago_waits(failed: int, jitter: float, seconds: float) -> None:
    assert attempts("lago") == 3
    assert next_delay("lago", failed, jitter) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("schedule", "failed"), [("standard", 10), ("standard", 11), ("lago", 3), ("lago", 12)])
def test_a_used_up_schedule_has_no_next_attempt(schedule: Schedule, failed: int) -> None:
    assert next_delay(schedule, failed, 0.5) is None


@pytest.mark.parametrize(("failed", "jitter"), [(0, 0.5), (-1, 0.5), (1, 1.0), (1, -0.1)])
def test_impossible_input_is_refused(failed: int, jitter: float) -> None:
    with pytest.raises(ValueError):
        next_delay("standard", failed, jitter)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", timedelta(0)),
        ("120", timedelta(minutes=2)),
        (" 7 ", timedelta(seconds=7)),
        ("86400", LONGEST_RETRY_AFTER),
        ("86401", LONGEST_RETRY_AFTER),
        ("9" * 5000, LONGEST_RETRY_AFTER),
        ("Sun, 01 Mar 2026 09:31:30 GMT", timedelta(seconds=90)),
        ("Sunday, 01-Mar-26 09:31:30 GMT", timedelta(seconds=90)),
        ("Sun Mar  1 09:31:30 2026", timedelta(seconds=90)),
        ("Sun, 01 Mar 2026 09:29:00 GMT", timedelta(0)),
        ("Sun, 01 Mar 2099 09:29:00 GMT", LONGEST_RETRY_AFTER),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("Sun, 99 Mar 2026 09:31:30 GMT", None),
    ],
)
def test_retry_after(header: str, wait: timedelta | None) -> None:
    assert retry_after(header, NOW) == wait


@given(st.text() | st.text(alphabet="SunMar 0123456789:,+-GMT()\t."))
def test_retry_after_survives_any_header(header: str) -> None:
    wait = retry_after(header, NOW)
    assert wait is None or timedelta(0) <= wait <= LONGEST_RETRY_AFTER
