"""What became of an event in a charge: a stable code, the units it adds, and a sentence. Words and no arithmetic.

The facts come from the same selection that is billed (`rooms/metering/judged.py`); nothing is decided twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from tallystick.core.contract import ChargeTerms, PriceFilter
from tallystick.core.money import ONE, ZERO


class Code(StrEnum):
    """Machine-readable outcomes; they are part of the API and never change their meaning."""

    # it counts
    COUNTED = "counted"
    CARRIED = "carried"
    COUNTED_LATER = "counted_later"
    BELOW_MAXIMUM = "below_maximum"
    SUPERSEDED = "superseded"
    # the charge does not count it
    DUPLICATE_OPERATION = "duplicate_operation"
    PROPERTY_MISSING = "property_missing"
    PROPERTY_NOT_NUMERIC = "property_not_numeric"
    OPERATION_UNKNOWN = "operation_unknown"
    NOT_EVALUATED = "not_evaluated"
    PERIOD_INVOICED = "period_invoiced"
    # no charge could count it
    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_SUBSCRIPTION = "unknown_subscription"
    SUBSCRIPTION_NOT_STARTED = "subscription_not_started"
    BEFORE_START = "before_start"
    AFTER_END = "after_end"
    NOT_ON_PLAN = "not_on_plan"


COUNTING = frozenset({Code.COUNTED, Code.CARRIED, Code.COUNTED_LATER, Code.BELOW_MAXIMUM, Code.SUPERSEDED})

_SENTENCES: Mapping[Code, str] = {
    Code.COUNTED: "The event counts: it adds {units} units.",
    Code.CARRIED: "The event is older than the period and counts as part of the carried value: {units} units.",
    Code.COUNTED_LATER: "The invoice of its period was final when the event was received; being recurring, its value of"
    " {units} units counts from the next invoice on.",
    Code.BELOW_MAXIMUM: "The event takes part, but {value} is not the highest value of the period.",
    Code.SUPERSEDED: "The event takes part, but a later one has replaced its value {value}.",
    Code.DUPLICATE_OPERATION: "The event changes nothing: {value} was in that state already.",
    Code.PROPERTY_MISSING: "The property {field}, which the metric reads, is absent or empty.",
    Code.PROPERTY_NOT_NUMERIC: "The property {field} is {value}, which is not a plain decimal number.",
    Code.OPERATION_UNKNOWN: "The property operation_type is neither add nor remove.",
    Code.NOT_EVALUATED: "Custom aggregations are not evaluated.",
    Code.PERIOD_INVOICED: "The invoice of its period was final when the event was received, so it is never billed.",
    Code.UNKNOWN_CODE: "No billable metric has the code {code}. The event counts as soon as one has.",
    Code.UNKNOWN_SUBSCRIPTION: "No subscription has the external id {subscription}. The event counts as soon as one"
    " with a period around its timestamp has.",
    Code.SUBSCRIPTION_NOT_STARTED: "The subscription {subscription} has not started.",
    Code.BEFORE_START: "The event is older than the start of the subscription {subscription}.",
    Code.AFTER_END: "The event is younger than the end of the subscription {subscription}.",
    Code.NOT_ON_PLAN: "The plan of the subscription has no charge for the billable metric {code}.",
}


class BucketCode(StrEnum):
    """Why an event is in its bucket (metering.md §4.1)."""

    NO_FILTERS = "no_filters"
    FILTER_MATCHES = "filter_matches"
    VALUES_UNDECLARED = "values_undeclared"
    NO_FILTER_MATCHES = "no_filter_matches"


_BUCKET_SENTENCES: Mapping[BucketCode, str] = {
    BucketCode.NO_FILTERS: "The charge has no filters: all its events have one price.",
    BucketCode.FILTER_MATCHES: "The filter is the closest of those that the event matches.",
    BucketCode.VALUES_UNDECLARED: "The event has the charge's own price: the metric does not declare {undeclared}.",
    BucketCode.NO_FILTER_MATCHES: "The event has the charge's own price: it matches no filter.",
}


@dataclass(frozen=True, slots=True)
class JudgedEvent:
    """An event of a window as metering selected it. `days` is 0 before the window; `refusal` names what is wrong.

    `repeats`: an operation that leaves its text as it was; `is_last`, `is_highest`: among its bucket and group.
    """

    key: int
    event_id: UUID
    timestamp: datetime
    filter_id: UUID | None
    grouped_by: Mapping[str, str | None]
    value: str | None
    amount: Decimal | None
    operation: str | None
    days: int
    refusal: str | None
    repeats: bool
    is_last: bool
    is_highest: bool


def judge(aggregation_type: str, event: JudgedEvent) -> tuple[Code, Decimal]:
    """The outcome in a charge and the units it adds to its bucket and group, before proration and rounding."""
    if aggregation_type == "custom_agg":
        return Code.NOT_EVALUATED, ZERO
    if event.refusal is not None:
        return Code(event.refusal), ZERO
    amount = ZERO if event.amount is None else event.amount
    match aggregation_type:
        case "max_agg" if not event.is_highest:
            return Code.BELOW_MAXIMUM, ZERO
        case "latest_agg" if not event.is_last:
            return Code.SUPERSEDED, ZERO
        case "unique_count_agg" if event.repeats:
            return Code.DUPLICATE_OPERATION, ZERO
        case "unique_count_agg":
            amount = ONE if event.operation == "add" else -ONE
        case "count_agg":
            amount = ONE
    return (Code.COUNTED if event.days else Code.CARRIED), amount


def bucket_code(
    charge: ChargeTerms, bucket: PriceFilter | None, texts: Mapping[str, str]
) -> tuple[BucketCode, dict[str, str]]:
    """Why the event is in `bucket`, and its values that the metric does not declare. `texts`: property -> text."""
    if not charge.filters:
        return BucketCode.NO_FILTERS, {}
    if bucket is not None:
        return BucketCode.FILTER_MATCHES, {}
    keys = dict.fromkeys(key for one in charge.filters for key in one.values)
    undeclared = {
        key: texts[key] for key in keys if key in texts and texts[key] not in charge.metric.filters.get(key, ())
    }
    return (BucketCode.VALUES_UNDECLARED if undeclared else BucketCode.NO_FILTER_MATCHES), undeclared


def sentence(code: Code, words: Mapping[str, str | None]) -> str:
    """The outcome in words; `words` are what the code's sentence names."""
    return _SENTENCES[code].format_map({name: _quoted(name, word) for name, word in words.items()})


def bucket_sentence(code: BucketCode, undeclared: Mapping[str, str]) -> str:
    """The bucket in words."""
    return _BUCKET_SENTENCES[code].format(undeclared=", ".join(f"{key} “{text}”" for key, text in undeclared.items()))


def _quoted(name: str, word: str | None) -> str:
    return str(word) if name == "units" else f"“{word or ''}”"
