"""How a line came to its amount, as sentences for people: what the trace annex of an invoice prints.

The single steps are worded by explain.py; this puts them in order, with window, usage, discounts and taxes around them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from tallystick.core.explain import Trace, in_words
from tallystick.core.money import EXACT, dec_text


def sentences_of(trace: Trace) -> tuple[str, ...]:
    """The sentences of a stored trace, from the period to the rounding; none for a line without trace."""
    return tuple(sentence[0].upper() + sentence[1:] for sentence in _sentences(in_words(trace)))


def _sentences(told: dict[str, Any]) -> Iterator[str]:
    if window := told.get("window"):
        yield f"Period: {window['from']} to {window['to']}, end exclusive."
    if aggregation := told.get("aggregation"):
        yield _usage(aggregation, told)
    elif "units" in told:
        yield f"{told['units']} units."
    if group := told.get("group"):
        yield "Of " + ", ".join(f"{key} = {value}" for key, value in group.items()) + "."
    if model := told.get("model"):
        yield f"Priced by the model {model}."
    for part in (told, told.get("with_event") or {}):
        yield from (f"{step['sentence']}." for step in part.get("steps") or ())
    if "with_event" in told:
        yield f"With the event {told['with_event']['amount']}, without it {told['without_event']['amount']}."
    if "unit_amount_cents" in told:
        yield f"{told['units']} units at {told['unit_amount_cents']} cents."
    yield from (f"{sentence}." for sentence in told["sentences"])


def _usage(aggregation: dict[str, Any], told: dict[str, Any]) -> str:
    kind = aggregation["type"].removesuffix("_agg").replace("_", " ")
    field = f".{aggregation['field']}" if aggregation.get("field") else ""
    events = "1 event" if aggregation["events"] == 1 else f"{aggregation['events']} events"
    return f"{kind} of {aggregation['metric']}{field} over {events}: {told['units']} units."


def discount_sentence(coupons_cents: Decimal) -> tuple[str, ...]:
    """What coupons and usage billed before took off a line; nothing when they took nothing."""
    return (f"Less {dec_text(coupons_cents)} cents of discounts and usage billed before.",) if coupons_cents else ()


def tax_sentences(base_cents: Decimal, taxes: Sequence[tuple[str, Decimal, Decimal]]) -> tuple[str, ...]:
    """One for each tax of a line: name, rate in percent, exact amount in cents; rounded over the invoice."""
    return tuple(
        f"{name}: {dec_text(rate.normalize(EXACT))} % of {dec_text(base_cents)} cents = {dec_text(exact)} cents."
        for name, rate, exact in taxes
    )
