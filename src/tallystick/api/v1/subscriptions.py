"""`/api/v1/subscriptions` and a customer's subscriptions (subscriptions.md §2, api.md §7, §15.16)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from tallystick.api.call import Call
from tallystick.api.inputs import ExternalId, Flag, Input, Label, Moment, Object, Shape, Text, one_of, refuse
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.api.v1.invoice_custom_sections import SelectionInput
from tallystick.api.v1.plan_inputs import PlanOverridesInput, ThresholdInput, contents
from tallystick.flows.lifecycle.subscriptions import create as creation
from tallystick.flows.lifecycle.subscriptions import terminate as termination
from tallystick.flows.lifecycle.subscriptions import update as edition
from tallystick.flows.wire.subscriptions import SHOWN, TERMINATED, UPDATED, subscriptions
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound
from tallystick.rooms.catalog import plans
from tallystick.rooms.customers import verbs as customers
from tallystick.rooms.organizations import store as organizations
from tallystick.rooms.subscriptions import store, verbs
from tallystick.rooms.subscriptions.store import Filters

routes = Routes("subscription")

LONGEST_ORDER_NUMBER = 255
QUERY = ("external_id", "plan_code", "currency", "status[]", "overridden", "billing_entity_codes[]")
_END_OPTIONS = {"on_termination_credit_note": verbs.CREDIT_NOTE_MODES, "on_termination_invoice": verbs.INVOICE_MODES}


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _order_number(value: Any) -> Any:
    text = str(value).strip() if value is not None else ""
    if len(text) > LONGEST_ORDER_NUMBER:
        raise refuse("value_is_too_long")
    return text or None


OrderNumber = Annotated[str | None, BeforeValidator(_order_number), Shape.SCALAR]


class References(Input):
    """Who subscribes to what: looked at before anything else (subscriptions.md §2.3)."""

    external_customer_id: ExternalId
    plan_code: Label = None


class SubscriptionInput(Input):
    """What can be changed of a subscription (subscriptions.md §2.7)."""

    name: Text = None
    subscription_at: Moment = None
    ending_at: Moment = None
    progressive_billing_disabled: Flag = None
    consolidate_invoice: Flag = None
    purchase_order_number: OrderNumber = None
    payment_method: Object = None
    billing_entity_code: Label = None
    on_termination_credit_note: Annotated[
        str | None, one_of(*verbs.CREDIT_NOTE_MODES, code="invalid_value"), Shape.SCALAR
    ] = None
    on_termination_invoice: Annotated[str | None, one_of(*verbs.INVOICE_MODES, code="invalid_value"), Shape.SCALAR] = (
        None
    )
    plan_overrides: Annotated[PlanOverridesInput | None, Shape.OBJECT] = None
    usage_thresholds: Annotated[list[ThresholdInput] | None, Shape.ARRAY] = None
    activation_rules: Annotated[Any, Shape.ANY] = None
    invoice_custom_section: Annotated[SelectionInput | None, Shape.OBJECT] = None


class NewSubscriptionInput(SubscriptionInput):
    """Body of create (subscriptions.md §2.1)."""

    external_customer_id: ExternalId
    plan_code: Label = None
    external_id: Annotated[ExternalId, BeforeValidator(_trimmed)]
    name: Annotated[Text, BeforeValidator(_trimmed)] = None
    billing_time: Annotated[str | None, one_of("calendar", "anniversary"), Shape.SCALAR] = None


@routes.post("/subscriptions", root="subscription", model=NewSubscriptionInput)
async def create(call: Call, tx: Tx) -> Any:
    """Subscribe a customer to a plan, or change the plan of a subscription."""
    named = call.read("subscription", References, drop_nulls=True)
    plan = await plans.find(tx, call.organization_id, named.plan_code or "")
    if plan.pending_deletion:
        raise NotFound("plan")
    fields = contents(call.read("subscription", NewSubscriptionInput, drop_nulls=True))
    row = await creation.subscribe(tx, call.organization_id, call.at, named.external_customer_id, plan, fields)
    return {"subscription": (await subscriptions(tx, [row], call.at, include=SHOWN))[0]}


@routes.get("/subscriptions", query=(*LIST_QUERY, "external_customer_id", *QUERY))
async def listing(call: Call, tx: Tx) -> Any:
    """List subscriptions, active ones unless told otherwise."""
    filters = await _filters(call, tx, external_customer_id=call.text("external_customer_id"))
    return await _page(call, tx, filters)


@routes.get("/customers/{external_id}/subscriptions", query=(*LIST_QUERY, *QUERY))
async def listing_of_customer(call: Call, tx: Tx) -> Any:
    """List one customer's subscriptions, active ones unless told otherwise."""
    customer = await customers.find(tx, call.organization_id, call.path("external_id"))
    return await _page(call, tx, await _filters(call, tx, customer_id=customer.id))


@routes.get("/subscriptions/{external_id}", query=("status",))
async def show(call: Call, tx: Tx) -> Any:
    """Find the subscription of a chain that has this status, active by default."""
    row = await verbs.find(tx, call.organization_id, call.path("external_id"), call.text("status") or "active")
    return {"subscription": (await subscriptions(tx, [row], call.at, include=SHOWN))[0]}


@routes.put("/subscriptions/{external_id}", root="subscription", model=SubscriptionInput)
async def update(call: Call, tx: Tx) -> Any:
    """Change a subscription."""
    found = await verbs.find_edited(tx, call.organization_id, call.path("external_id"), call.text("status"))
    fields = contents(call.read("subscription", SubscriptionInput))
    row = await edition.update(tx, found, call.at, fields)
    return {"subscription": (await subscriptions(tx, [row], call.at, include=UPDATED))[0]}


@routes.delete("/subscriptions/{external_id}")
async def destroy(call: Call, tx: Tx) -> Any:
    """Terminate the active subscription, or cancel the pending one with `status=pending`."""
    status = call.text("status")
    if status is not None and status not in store.STATUSES:
        raise NotFound("subscription")
    row = await termination.end(
        tx,
        call.organization_id,
        call.path("external_id"),
        call.at,
        pending=status == "pending",
        options=_end_options(call),
    )
    return {"subscription": (await subscriptions(tx, [row], call.at, include=TERMINATED))[0]}


def _end_options(call: Call) -> dict[str, str]:
    given = {name: value for name in _END_OPTIONS if (value := call.text(name)) is not None}
    wrong = [name for name, value in given.items() if value not in _END_OPTIONS[name]]
    if wrong:
        raise Invalid({name: ["invalid_value"] for name in wrong})
    return given


async def _filters(call: Call, tx: Tx, **more: Any) -> Filters:
    statuses = call.texts("status") or ["active"]
    codes = call.texts("billing_entity_codes")
    entities = await organizations.entities_by_code(tx, call.organization_id, codes, archived=True) if codes else {}
    if not set(codes) <= set(entities):
        raise NotFound("billing_entity")
    overridden = call.flag("overridden")
    return Filters(
        statuses=statuses if set(statuses) <= set(store.STATUSES) else (),
        external_id=call.text("external_id"),
        plan_code=call.text("plan_code"),
        currency=call.text("currency"),
        overridden=call.flag("overriden") if overridden is None else overridden,
        billing_entity_ids=[entity.id for entity in entities.values()],
        **more,
    )


async def _page(call: Call, tx: Tx, filters: Filters) -> Any:
    rows, meta = await fetch_page(tx, store.listing(call.organization_id, filters), call.page)
    return {"subscriptions": await subscriptions(tx, rows, call.at), "meta": meta}
