"""`/api/v1/customers/{external_id}/current_usage`, `/projected_usage`, `/past_usage` (metering.md §7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tallystick.api.call import Call
from tallystick.api.paging import Page, fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.core.aggregate import text_value
from tallystick.flows.usage.asked import Asked, Chosen
from tallystick.flows.usage.current import current_usage
from tallystick.flows.usage.past import listing, past_usage
from tallystick.flows.usage.projected import projected_usage
from tallystick.flows.wire import usage as wire
from tallystick.ground import json
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid
from tallystick.ground.ids import parse_id
from tallystick.rooms.catalog import metrics
from tallystick.rooms.customers import verbs as customers

routes = Routes("customer_usage")

PROJECTED_QUERY = ("external_subscription_id", "apply_taxes")
QUERY = (
    *PROJECTED_QUERY,
    "charge_id",
    "charge_code",
    "billable_metric_code",
    "group",
    "skip_grouping",
    "filter_by_presentation",
    "full_usage",
)
PAST_QUERY = (*LIST_QUERY, "external_subscription_id", "billable_metric_code", "periods_count")


@routes.get("/customers/{external_id}/current_usage", query=QUERY)
async def current(call: Call, tx: Tx) -> Any:
    """What a subscription has used in its running period, and what it would cost if nothing more happened."""
    usage = await current_usage(
        tx,
        call.organization_id,
        call.path("external_id"),
        call.text("external_subscription_id"),
        call.at,
        _asked(call),
    )
    return {"customer_usage": wire.customer_usage(usage, apply_taxes=call.flag("apply_taxes") is not False)}


@routes.get("/customers/{external_id}/projected_usage", query=PROJECTED_QUERY)
async def projected(call: Call, tx: Tx) -> Any:
    """What a subscription has used in its running period, and what it will have used if it goes on like this."""
    usage = await current_usage(
        tx, call.organization_id, call.path("external_id"), call.text("external_subscription_id"), call.at
    )
    found = projected_usage(usage, call.at)
    taxed = call.flag("apply_taxes") is not False
    return {"customer_projected_usage": wire.customer_projected_usage(found, apply_taxes=taxed)}


@routes.get("/customers/{external_id}/past_usage", query=PAST_QUERY)
async def past(call: Call, tx: Tx) -> Any:
    """What a subscription used in the periods that were invoiced, newest first."""
    customer = await customers.find(tx, call.organization_id, call.path("external_id"))
    subscription = call.text("external_subscription_id")
    if subscription is None:
        raise Invalid.field("external_subscription_id", "value_is_mandatory")
    code = call.text("billable_metric_code")
    metric = None if code is None else await metrics.find(tx, call.organization_id, code)
    most = call.whole("periods_count")
    page = call.page if most is None or most < 1 else Page(call.page.number, min(call.page.per_page, most))
    periods, meta = await fetch_page(tx, listing(customer.id, subscription), page)
    found = await past_usage(tx, periods, metric.id if metric else None)
    return {"usage_periods": wire.usage_periods(found), "meta": meta}


def _asked(call: Call) -> Asked:
    return Asked(
        chosen=_chosen(call),
        group=_group(call),
        skip_grouping=call.flag("skip_grouping") is True,
        presented=_presented(call),
        full=call.flag("full_usage") is True,
    )


def _chosen(call: Call) -> Chosen | None:
    """The charge filter: the first parameter given wins, older names included."""
    charge_id = call.text("charge_id") or call.text("filter_by_charge_id")
    if charge_id is not None:
        wanted = parse_id(charge_id)
        return lambda charge: charge.id == wanted
    charge_code = call.text("charge_code") or call.text("filter_by_charge_code")
    if charge_code is not None:
        return lambda charge: charge.code == charge_code
    metric_code = call.text("billable_metric_code") or call.text("filter_by_metric_code")
    if metric_code is not None:
        return lambda charge: charge.metric.code == metric_code
    return None


def _group(call: Call) -> Mapping[str, tuple[str, ...]]:
    """`group[key]=value`, or JSON text in `group` or `filter_by_group`: key -> the texts asked for."""
    for name in ("group", "filter_by_group"):
        value = call.params.get(name)
        if isinstance(value, dict) or call.text(name) is not None:
            return _texts(name, value if isinstance(value, dict) else _decoded(call, name))
    return {}


def _presented(call: Call) -> tuple[str, ...] | None:
    """`filter_by_presentation`: a JSON array of presentation keys; none of them when it is empty."""
    name = "filter_by_presentation"
    if call.text(name) is None:
        return None
    keys = _decoded(call, name)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise Invalid.field(name, "invalid_format")
    return tuple(keys)


def _decoded(call: Call, name: str) -> Any:
    try:
        return json.loads((call.text(name) or "").encode())
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid.field(name, "invalid_format") from error


def _texts(name: str, value: Any) -> Mapping[str, tuple[str, ...]]:
    """A value may be one text or an array of them; numbers and booleans count as their text (metering.md §1.4)."""
    if not isinstance(value, dict):
        raise Invalid.field(name, "invalid_format")
    lists = {key: item if isinstance(item, list) else [item] for key, item in value.items()}
    if any(item is None or isinstance(item, dict | list) for items in lists.values() for item in items):
        raise Invalid.field(name, "invalid_format")
    return {key: tuple(text_value({key: item}, key) or "" for item in items) for key, items in lists.items()}
