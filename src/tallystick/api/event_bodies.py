"""Decoding of event bodies, the hot path of ingestion: bytes to what was sent. Nothing is checked here.

Properties stay raw JSON, so that numbers keep the digits they were written with.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec

from tallystick.ground.errors import BadRequest, Invalid, MissingRoot

#: one escape: a surrogate pair, a NUL, half a pair, or any other one
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u0000)|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_REPLACEMENT = rb"\ufffd"


class SentEvent(msgspec.Struct, gc=False):
    """The fields of an event that are read; each may hold anything (metering.md §1.2)."""

    transaction_id: Any = None
    external_subscription_id: Any = None
    code: Any = None
    timestamp: Any = None
    properties: msgspec.Raw = msgspec.Raw(b"{}")
    precise_total_amount_cents: Any = None


class _One(msgspec.Struct):
    event: SentEvent | None = None


class _Many(msgspec.Struct):
    events: list[SentEvent] | None = None


_one = msgspec.json.Decoder(_One, float_hook=Decimal)
_many = msgspec.json.Decoder(_Many, float_hook=Decimal)
_event = msgspec.json.Decoder(SentEvent, float_hook=Decimal)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])


def read_event(body: bytes) -> SentEvent:
    """The event of `{"event": {…}}`. Raises `BadRequest` for what is no JSON, `MissingRoot` without an event."""
    try:
        body = _clean(body)
        sent = _one.decode(body).event
        if sent is None or (sent == SentEvent() and not _object.decode(_object.decode(body)["event"])):
            raise MissingRoot("event")
    except msgspec.ValidationError:
        raise MissingRoot("event") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise (BadRequest() if body.strip() else MissingRoot("event")) from error
    return sent


def read_events(body: bytes, limit: int) -> list[SentEvent]:
    """The events of `{"events": […]}` (metering.md §1.6); what is no object stands for an event without fields.

    Raises `BadRequest` for what is no JSON, `Invalid` without events or with more than `limit`.
    """
    try:
        body = _clean(body)
        try:
            sent = _many.decode(body).events or []
        except msgspec.ValidationError:
            sent = _each(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise (BadRequest() if body.strip() else Invalid.field("events", "no_events")) from error
    if not sent:
        raise Invalid.field("events", "no_events")
    if len(sent) > limit:
        raise Invalid.field("events", "too_many_events")
    return sent


def _each(body: bytes) -> list[SentEvent]:
    """The events of a body of which some part has an unexpected shape."""
    try:
        items = _array.decode(_object.decode(body)["events"])
    except msgspec.ValidationError:
        return []
    return [_event.decode(item) if bytes(item).startswith(b"{") else SentEvent() for item in items]


def _clean(body: bytes) -> bytes:
    """The body without what PostgreSQL's text cannot hold: NUL is dropped, half a surrogate pair replaced."""
    body.decode()  # raw values are not looked into again: invalid UTF-8 must be refused here
    return _ESCAPE.sub(_storable, body) if b"\\u" in body else body


def _storable(escape: re.Match[bytes]) -> bytes:
    nul, half = escape.groups()
    return b"" if nul else _REPLACEMENT if half else escape[0]
