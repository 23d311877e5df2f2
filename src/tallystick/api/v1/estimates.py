"""`/api/v1/events/estimate_fees` and its instant siblings (metering.md §8): what events would cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from tallystick.api.call import Call
from tallystick.api.event_fields import amount_of, compute, instant_of, text_of
from tallystick.api.inputs import Input, Object, Shape, Text
from tallystick.api.routes import Routes
from tallystick.core.expression import EvaluationError
from tallystick.flows.usage.estimates import (
    Imagined,
    check_property,
    estimate,
    estimate_each_instantly,
    estimate_instantly,
    running_contract,
)
from tallystick.ground import json
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid
from tallystick.rooms.metering import expressions
from tallystick.rooms.metering.expressions import Computed

routes = Routes("event")


class EventInput(Input):
    """An event to estimate, as the document describes it; what is sent is read as events are."""

    transaction_id: Text = None
    external_subscription_id: Text = None
    code: Text = None
    timestamp: Annotated[Any, Shape.ANY] = None
    properties: Object = None
    precise_total_amount_cents: Annotated[Any, Shape.ANY] = None


class EventsInput(Input):
    """Several of them."""

    events: Annotated[list[EventInput] | None, Shape.ARRAY] = None


@routes.post("/events/estimate_fees", root="event", model=EventInput)
async def fees(call: Call, tx: Tx) -> Any:
    """Estimate the fees that an event would make now."""
    sent = call.root("event")
    contract = await running_contract(tx, call.organization_id, _subscription(sent))
    timestamp = sent.get("timestamp")
    if timestamp != "" and instant_of(timestamp, call.at) is None:
        raise Invalid.field("timestamp", "invalid_format")
    await check_property(tx, call.organization_id, text_of(sent.get("code")), _properties(sent))
    event = _imagined(call, sent, await expressions.load(tx, call.organization_id))
    return {"fees": await estimate(tx, contract, event, call.at)}


@routes.post("/events/estimate_instant_fees", root="event", model=EventInput)
async def instant_fees(call: Call, tx: Tx) -> Any:
    """Estimate the fees of an event for itself: without history, free allowances and taxes."""
    sent = call.root("event")
    contract = await running_contract(tx, call.organization_id, _subscription(sent))
    event = _imagined(call, sent, await expressions.load(tx, call.organization_id))
    return {"fees": estimate_instantly(contract, event)}


@routes.post("/events/batch_estimate_instant_fees", model=EventsInput)
async def batch_of_instant_fees(call: Call, tx: Tx) -> Any:
    """Estimate the fees of several events for themselves, subscription by subscription."""
    sent = call.params.get("events")
    if not isinstance(sent, list) or not sent:
        raise Invalid.field("events", "no_events")
    computed = await expressions.load(tx, call.organization_id)
    by_subscription: dict[str | None, list[Mapping[str, Any]]] = {}
    for item in sent:
        fields = item if isinstance(item, dict) else {}
        by_subscription.setdefault(_subscription(fields), []).append(fields)
    found = []
    for external_id, items in by_subscription.items():
        contract = await running_contract(tx, call.organization_id, external_id)
        found += estimate_each_instantly(contract, [_imagined(call, item, computed) for item in items])
    return {"fees": found}


def _subscription(sent: Mapping[str, Any]) -> str | None:
    return text_of(sent.get("external_subscription_id")) or None


def _properties(sent: Mapping[str, Any]) -> dict[str, Any]:
    properties = sent.get("properties")
    return properties if isinstance(properties, dict) else {}


def _imagined(call: Call, sent: Mapping[str, Any], computed: Mapping[str, Computed]) -> Imagined:
    """The event with what its metric's expression makes of it; 422 with the error text when it cannot be evaluated."""
    code, properties = text_of(sent.get("code")), _properties(sent)
    if code in computed:
        try:
            text = compute(computed[code], code, call.at, json.dump_text(properties))
        except EvaluationError as error:
            raise Invalid(f"expression_evaluation_failed: {error}") from error
        properties = json.loads(text)
    return Imagined(
        code=code,
        properties=properties,
        precise_total_amount_cents=amount_of(sent.get("precise_total_amount_cents")),
        transaction_id=text_of(sent.get("transaction_id")) or None,
    )
