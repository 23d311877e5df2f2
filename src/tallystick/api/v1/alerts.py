"""`/api/v1/subscriptions/{external_id}/alerts` (metering.md §10, api.md §15.25)."""

from __future__ import annotations

from typing import Annotated, Any

from starlette.responses import Response

from tallystick.api.call import Call
from tallystick.api.inputs import Code, Flag, Input, Label, Shape, Text, read
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.api.v1.plan_inputs import contents
from tallystick.flows.usage.marks import mark
from tallystick.flows.wire.alerts import alerts
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound
from tallystick.ground.tables import Alert, Subscription
from tallystick.rooms.alerts import store, verbs
from tallystick.rooms.subscriptions import verbs as subscriptions

routes = Routes("alert")

PATH = "/subscriptions/{external_id}/alerts"
QUERY = ("subscription_status",)


class AlertThresholdInput(Input):
    """A value of an alert; anything that may be one is looked at later."""

    value: Annotated[Any, Shape.SCALAR] = None
    code: Text = None
    recurring: Flag = None


class AlertInput(Input):
    """An alert (metering.md §10)."""

    alert_type: Label = None
    code: Code = None
    name: Text = None
    billable_metric_code: Label = None
    thresholds: Annotated[list[AlertThresholdInput] | None, Shape.ARRAY] = None


@routes.get(PATH, query=(*LIST_QUERY, *QUERY))
async def listing(call: Call, tx: Tx) -> Any:
    """List the alerts of a subscription, newest first."""
    row = await _subscription(call, tx)
    rows, meta = await fetch_page(tx, store.listing(row.organization_id, row.external_id), call.page)
    return {"alerts": await alerts(tx, rows), "meta": meta}


@routes.post(PATH, root="alert", model=AlertInput)
async def create(call: Call, tx: Tx) -> Any:
    """Create an alert on a subscription, or with `alerts` several, all or none."""
    row = await _subscription(call, tx)
    if "alerts" in call.params and "alert" not in call.params:
        return {"alerts": await alerts(tx, await _create_all(call, tx, row))}
    fields = contents(call.read("alert", AlertInput, drop_nulls=True))
    made = await verbs.create(tx, row.organization_id, row.external_id, call.at, fields)
    await _look(tx, row, call)
    return {"alert": (await alerts(tx, [made]))[0]}


@routes.delete(PATH)
async def destroy_all(call: Call, tx: Tx) -> Any:
    """Delete all alerts of a subscription."""
    row = await _subscription(call, tx)
    await verbs.delete_all(tx, row.organization_id, row.external_id, call.at)
    return Response(status_code=200)


@routes.get(PATH + "/{code}", query=QUERY)
async def show(call: Call, tx: Tx) -> Any:
    """Find an alert by its code."""
    _, alert = await _alert(call, tx)
    return {"alert": (await alerts(tx, [alert]))[0]}


@routes.put(PATH + "/{code}", root="alert", model=AlertInput)
async def update(call: Call, tx: Tx) -> Any:
    """Change an alert; its type stays."""
    row, alert = await _alert(call, tx, lock=True)
    await verbs.edit(tx, alert, call.at, contents(call.read("alert", AlertInput)))
    await _look(tx, row, call)
    return {"alert": (await alerts(tx, [alert]))[0]}


@routes.delete(PATH + "/{code}")
async def destroy(call: Call, tx: Tx) -> Any:
    """Delete an alert."""
    _, alert = await _alert(call, tx, lock=True)
    body = (await alerts(tx, [alert]))[0]
    await verbs.delete(tx, alert, call.at)
    return {"alert": body}


async def _create_all(call: Call, tx: Tx, row: Subscription) -> list[Alert]:
    """422 names the refused ones by their places, with what was sent."""
    sent = call.params["alerts"]
    if not isinstance(sent, list) or not sent:
        raise Invalid.field("alerts", "no_alerts")
    made, errors = [], {}
    for place, params in enumerate(sent):
        try:
            given = params if isinstance(params, dict) else {}
            fields = contents(read(AlertInput, given, drop_nulls=True))
            made.append(await verbs.create(tx, row.organization_id, row.external_id, call.at, fields))
        except Invalid as error:
            errors[str(place)] = {"params": params, "errors": error.details}
        except NotFound as error:
            errors[str(place)] = {"params": params, "errors": error.code}
    if errors:
        raise Invalid(errors)
    await _look(tx, row, call)
    return made


async def _subscription(call: Call, tx: Tx) -> Subscription:
    """The row that children of a subscription belong to (api.md §7)."""
    status = call.text("subscription_status") or call.text("status") or "active"
    return await subscriptions.find(tx, call.organization_id, call.path("external_id"), status)


async def _alert(call: Call, tx: Tx, *, lock: bool = False) -> tuple[Subscription, Alert]:
    row = await _subscription(call, tx)
    return row, await verbs.find(tx, row.organization_id, row.external_id, call.path("code"), lock=lock)


async def _look(tx: Tx, row: Subscription, call: Call) -> None:
    """A new or changed alert is compared with the usage there is."""
    await mark(tx, {row.id: call.at}, alerts=True)
