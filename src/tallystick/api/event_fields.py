"""What the fields of a sent event mean: texts, instants, amounts, and the errors of metering.md §1.3 to §1.6.

Existence of metric, subscription or customer is never checked: events are joined when usage is computed.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from tallystick.api.event_bodies import SentEvent
from tallystick.api.inputs import MAX_EXTERNAL_ID
from tallystick.core.expression import EvaluationError, ExpressionEvent, evaluate
from tallystick.core.money import ZERO, cut_to, precise
from tallystick.ground import json
from tallystick.ground.errors import Details
from tallystick.ground.ids import new_id, new_ids
from tallystick.rooms.metering.expressions import Computed
from tallystick.rooms.metering.store import EventRow

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
#: the driver takes the first and the last instant of a datetime for the infinities of PostgreSQL
_FIRST, _LAST = dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)
_FIRST_SECOND, _LAST_SECOND = int(_FIRST.timestamp()), int(_LAST.timestamp())
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,9})?")
#: digits before the point: of an epoch second that a date can have, and of an amount that a column can hold
_MOST_SECOND_DIGITS = 13
_MOST_AMOUNT_DIGITS = 25
_MANDATORY = ["value_is_mandatory"]


def rows_of(
    organization_id: uuid.UUID, sent: Sequence[SentEvent], at: dt.datetime, computed: Mapping[str, Computed]
) -> tuple[list[EventRow], dict[int, Details]]:
    """The rows of a batch, and the errors by place; presence wins over a failed expression (metering.md §1.6)."""
    rows: list[EventRow] = []
    errors: dict[int, Details] = {}
    for place, (event, event_id) in enumerate(zip(sent, new_ids(len(sent)), strict=True)):
        row = row_of(organization_id, event, at, computed, event_id)
        if isinstance(row, EventRow):
            rows.append(row)
        else:
            errors[place] = (isinstance(row, str) and _absent(event)) or row
    return rows, errors


def row_of(
    organization_id: uuid.UUID,
    sent: SentEvent,
    at: dt.datetime,
    computed: Mapping[str, Computed],
    event_id: uuid.UUID | None = None,
) -> EventRow | Details:
    """The row to store, or the first failed step of metering.md §1.5: timestamp, expression, presence."""
    timestamp = instant_of(sent.timestamp, at)
    if timestamp is None:
        return {"timestamp": ["invalid_format"]}
    code = text_of(sent.code)
    properties = bytes(sent.properties).decode()
    if properties[0] != "{":
        properties = "{}"
    if code in computed:
        try:
            properties = compute(computed[code], code, timestamp, properties)
        except EvaluationError as error:
            return f"expression_evaluation_failed: {error}"
    transaction_id, subscription = text_of(sent.transaction_id), text_of(sent.external_subscription_id)
    if not transaction_id.strip() or not code.strip():
        return _absent(sent)
    if len(transaction_id) > MAX_EXTERNAL_ID or len(subscription) > MAX_EXTERNAL_ID or len(code) > MAX_EXTERNAL_ID:
        return _too_long(transaction_id=transaction_id, external_subscription_id=subscription, code=code)
    amount = None if sent.precise_total_amount_cents is None else amount_of(sent.precise_total_amount_cents)
    if amount is not None and amount.adjusted() >= _MOST_AMOUNT_DIGITS:
        return {"precise_total_amount_cents": ["value_is_out_of_range"]}
    event_id = event_id or new_id()
    return EventRow(organization_id, event_id, transaction_id, subscription, code, timestamp, properties, amount, at)


def instant_of(value: Any, at: dt.datetime) -> dt.datetime | None:
    """The instant of a timestamp (metering.md §1.3): epoch seconds, `at` when there is none, None when unreadable."""
    if type(value) is int and _FIRST_SECOND < value < _LAST_SECOND:
        return dt.datetime.fromtimestamp(value, dt.UTC)
    if value is None or value is False or isinstance(value, list | dict):
        return at
    number = value if type(value) is int else _number(value)
    if number is None:
        return None
    if isinstance(number, Decimal):
        if number and number.adjusted() >= _MOST_SECOND_DIGITS:
            return None
        microseconds = int(cut_to(number, 6).scaleb(6))
    else:
        microseconds = number * 1_000_000
    try:
        instant = _EPOCH + dt.timedelta(microseconds=microseconds)
    except OverflowError:
        return None
    return instant if _FIRST < instant < _LAST else None


def amount_of(value: Any) -> Decimal | None:
    """`precise_total_amount_cents`: null and "" are null, what is no number is 0 (metering.md §1.2)."""
    if value is None or value == "" or isinstance(value, list | dict):
        return None
    number = _number(value) or ZERO
    return precise(number) if number.adjusted() < _MOST_AMOUNT_DIGITS else number


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return Decimal(value)
    text = value.strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def text_of(value: Any) -> str:
    """A scalar as text; "" for none, arrays and objects count as absent."""
    if type(value) is str:
        return value
    if value is None or isinstance(value, list | dict):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _absent(sent: SentEvent) -> dict[str, list[str]]:
    """The mandatory fields that are blank."""
    absent = {}
    if not text_of(sent.transaction_id).strip():
        absent["transaction_id"] = _MANDATORY
    if not text_of(sent.code).strip():
        absent["code"] = _MANDATORY
    return absent


def _too_long(**ids: str) -> dict[str, list[str]]:
    """The ids that do not fit an index."""
    return {name: ["value_is_too_long"] for name, text in ids.items() if len(text) > MAX_EXTERNAL_ID}


def compute(computed: Computed, code: str, timestamp: dt.datetime, properties: str) -> str:
    """The properties with the result of the metric's expression. Raises `EvaluationError`."""
    fields = json.loads(properties)
    seconds = Decimal((timestamp - _EPOCH) // dt.timedelta(microseconds=1)) / 1_000_000
    text = evaluate(computed.expression, ExpressionEvent(code, seconds, fields))
    raw = msgspec.json.decode(properties, type=dict[str, msgspec.Raw])
    raw[computed.field_name] = msgspec.Raw(json.dumps(text))
    return json.dump_text(raw)
