"""How numbers and instants are spelled on the wire (api.md type legend). Knows no resource."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from tallystick.core.money import dec_text

_iso = msgspec.json.Encoder()  # several times as fast as datetime.isoformat
_SECONDS = slice(1, len('"2026-01-01T00:00:00'))


def dec(value: Decimal | int) -> str:
    """`dec`: plain decimal text with at least one digit after the point: "12.5", "0.0"."""
    return dec_text(Decimal(value))


def dec_or_none(value: Decimal | None) -> str | None:
    """`dec?`."""
    return None if value is None else dec(value)


def num(value: Decimal) -> Decimal:
    """`num`: a JSON number with at least one digit after the point: 20.0."""
    return Decimal(dec(value))


def dt_(value: dt.datetime) -> str:
    """`dt`: UTC, seconds, Z."""
    return f"{_seconds(value.astimezone(dt.UTC))}Z"


def dt_or_none(value: dt.datetime | None) -> str | None:
    """`dt?`."""
    return None if value is None else dt_(value)


def dt3(value: dt.datetime) -> str:
    """`dt3`: UTC, milliseconds cut (not rounded), Z."""
    utc = value.astimezone(dt.UTC)
    return f"{_seconds(utc)}.{utc.microsecond // 1000:03d}Z"


def dt3_or_none(value: dt.datetime | None) -> str | None:
    """`dt3?`."""
    return None if value is None else dt3(value)


def _seconds(value: dt.datetime) -> str:
    """`2026-01-01T00:00:00`, whatever follows cut."""
    return _iso.encode(value)[_SECONDS].decode()


def dto(value: dt.datetime) -> str:
    """`dto`: UTC, seconds, numeric offset."""
    return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def last_second(end_at: dt.datetime) -> dt.datetime:
    """The inclusive end that the wire shows for an exclusive one: 23:59:59 of the day before a midnight."""
    shown = end_at - dt.timedelta(microseconds=1)
    return shown.replace(microsecond=0)
