"""`/api/v1/billable_metrics` (metering.md §2)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from tallystick.api.call import Call
from tallystick.api.inputs import Flag, Input, Label, Object, Shape, SmallWhole, Text
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.api.v1.plan_inputs import contents
from tallystick.core.expression import EvaluationError, ExpressionEvent, InvalidExpression, evaluate, parse
from tallystick.flows.lifecycle import metrics as lifecycle
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid
from tallystick.rooms.catalog import metrics, store, views

routes = Routes("billable_metric")


class MetricFilterInput(Input):
    """A filter that a metric declares."""

    key: Label = None
    values: Annotated[list[Any] | None, Shape.ARRAY] = None


class MetricInput(Input):
    """Body of create and update."""

    name: Label = None
    code: Label = None
    description: Text = None
    aggregation_type: Label = None
    field_name: Label = None
    recurring: Flag = None
    weighted_interval: Label = None
    rounding_function: Label = None
    rounding_precision: SmallWhole = None
    expression: Label = None
    filters: Annotated[list[MetricFilterInput] | None, Shape.ARRAY] = None


@routes.post("/billable_metrics", root="billable_metric", model=MetricInput)
async def create(call: Call, tx: Tx) -> Any:
    """Create a billable metric."""
    fields = contents(call.read("billable_metric", MetricInput, drop_nulls=True))
    metric = await metrics.create(tx, call.organization_id, call.at, fields)
    return {"billable_metric": views.metric(metric, counters=True)}


class ExpressionInput(Input):
    """Body of an evaluation: the event is `{code, timestamp, properties}`."""

    expression: Label = None
    event: Object = None


@routes.post("/billable_metrics/evaluate_expression", model=ExpressionInput)
async def evaluate_expression(call: Call, tx: Tx) -> Any:
    """Evaluate an expression for an event that is not stored."""
    text = call.text("expression")
    if text is None:
        raise Invalid.field("expression", "value_is_mandatory")
    try:
        expression = parse(text)
    except InvalidExpression as error:
        raise Invalid.field("expression", "invalid_expression") from error
    try:
        return {"expression_result": {"value": evaluate(expression, _event(call))}}
    except EvaluationError as error:
        raise Invalid.field("event", "invalid_event") from error


@routes.get("/billable_metrics", query=LIST_QUERY)
async def listing(call: Call, tx: Tx) -> Any:
    """List billable metrics, newest first."""
    rows, meta = await fetch_page(tx, store.metrics_listing(call.organization_id), call.page)
    return {"billable_metrics": [views.metric(row, counters=True) for row in rows], "meta": meta}


@routes.get("/billable_metrics/{code}")
async def show(call: Call, tx: Tx) -> Any:
    """Find a billable metric by its code."""
    metric = await metrics.find(tx, call.organization_id, call.path("code"))
    return {"billable_metric": views.metric(metric)}


@routes.put("/billable_metrics/{code}", root="billable_metric", model=MetricInput)
async def update(call: Call, tx: Tx) -> Any:
    """Change a billable metric; one that a plan prices keeps how it counts."""
    metric = await metrics.find(tx, call.organization_id, call.path("code"), lock=True)
    await lifecycle.update(tx, metric, call.at, contents(call.read("billable_metric", MetricInput)))
    return {"billable_metric": views.metric(metric, counters=True)}


@routes.delete("/billable_metrics/{code}")
async def destroy(call: Call, tx: Tx) -> Any:
    """Delete a billable metric and the charges that price it."""
    metric = await metrics.find(tx, call.organization_id, call.path("code"), lock=True)
    await lifecycle.delete(tx, metric, call.at)
    return {"billable_metric": views.metric(metric, counters=True)}


#: seconds; far outside every date, and what keeps a hostile exponent small
_MOST_SECONDS = Decimal(10) ** 15


def _event(call: Call) -> ExpressionEvent:
    """The event of an evaluation; a missing one or an unreadable timestamp is 422 `invalid_event`."""
    event = call.params.get("event")
    if not isinstance(event, dict):
        raise Invalid.field("event", "invalid_event")
    code, properties, timestamp = event.get("code"), event.get("properties"), event.get("timestamp")
    try:
        seconds = Decimal(int(call.at.timestamp())) if timestamp is None else Decimal(str(timestamp).strip())
    except InvalidOperation as error:
        raise Invalid.field("event", "invalid_event") from error
    if not seconds.is_finite() or abs(seconds) > _MOST_SECONDS:
        raise Invalid.field("event", "invalid_event")
    text = "" if code is None or isinstance(code, dict | list) else str(code)
    return ExpressionEvent(text, seconds, properties if isinstance(properties, dict) else {})
