"""A subscription is edited (subscriptions.md §2.7): its settings, its overrides, the date of a start to come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tallystick.flows.lifecycle import custom_sections, units
from tallystick.flows.lifecycle import plans as plan_lifecycle
from tallystick.flows.lifecycle.subscriptions import thresholds
from tallystick.flows.lifecycle.subscriptions.create import choose_sections, issuer, start_on_its_date
from tallystick.flows.lifecycle.subscriptions.hold import hold
from tallystick.flows.lifecycle.subscriptions.own_plan import override_plan
from tallystick.flows.lifecycle.subscriptions.schedule import reschedule
from tallystick.flows.lifecycle.subscriptions.start import message
from tallystick.flows.lifecycle.units import OwnUnits
from tallystick.ground import outbox
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotAllowed
from tallystick.ground.tables import Customer, Plan, Subscription
from tallystick.rooms.catalog.fixed_overrides import asks_for_units_only
from tallystick.rooms.subscriptions import activation, verbs

Fields = Mapping[str, Any]


async def update(tx: Tx, found: Subscription, at: dt.datetime, fields: Fields) -> Subscription:
    """Change the given fields of a row; a null clears, or gives the default back.

    404 `billing_entity_not_found`; 405 `subscription_incomplete`, `purchase_order_number_not_editable`; 422 for what
    cannot be.
    """
    (row,) = await hold(tx, [found.id])
    if row.status == "incomplete":
        raise NotAllowed("subscription_incomplete")
    moved = _moved_start(row, fields)
    await _check(tx, row, fields, at, moved or row.subscription_at)
    columns = {
        **fields,
        **verbs.payment_method(fields),
        **custom_sections.skipping(fields),
        **await issuer(tx, row.organization_id, fields),
    }
    plan, new_units = await _overrides(tx, row, fields.get("plan_overrides"), at)
    verbs.edit(row, plan, columns, at)
    await thresholds.edit(tx, row, plan, fields, at)
    await choose_sections(tx, row, fields, at)
    told = [message(row, "subscription.updated", at)] if row.status in ("active", "pending") else []
    if moved is None:
        await tx.flush()
        await outbox.emit(tx, told)
        await units.subscription_changed(tx, row, new_units, at)
        await reschedule(tx, [row.id], at)
        return row
    row.subscription_at = moved
    # a start that stays in the future moves without a word (webhooks.md §2.2, 70)
    await start_on_its_date(tx, row, at, then=told)
    return row


def _moved_start(row: Subscription, fields: Fields) -> dt.datetime | None:
    """Another start for a row that has not started; other rows keep theirs."""
    asked: dt.datetime | None = fields.get("subscription_at")
    starts_in_future = row.status == "pending" and row.previous_subscription_id is None
    return asked if starts_in_future and asked != row.subscription_at else None


async def _check(tx: Tx, row: Subscription, fields: Fields, at: dt.datetime, subscription_at: dt.datetime) -> None:
    verbs.check_order_number(row, fields)
    verbs.check_ending(fields.get("ending_at"), subscription_at, at)
    thresholds.check(fields)
    if "activation_rules" in fields:
        if row.status != "pending":
            raise Invalid.field("activation_rules", "subscription_not_pending")
        if activation.check_format(fields["activation_rules"]):
            asked = verbs.payment_method(fields).get("payment_method_type", row.payment_method_type)
            activation.check_customer(await tx.get_one(Customer, row.customer_id), asked)


async def _overrides(
    tx: Tx, row: Subscription, overrides: Fields | None, at: dt.datetime
) -> tuple[Plan, list[OwnUnits]]:
    """The row's plan with the overrides on it, and the units that are to change by that (§1.4, §2.7).

    A child is changed in place, a parent gets a child; other units alone are noted for the row.
    """
    plan = await tx.get_one(Plan, row.plan_id)
    if not overrides:
        return plan, []
    if plan.parent_id is not None:
        return await plan_lifecycle.change_override(tx, plan, overrides, at), []
    if asks_for_units_only(overrides):
        return plan, await units.override(tx, row, overrides, at)
    return await override_plan(tx, row, plan, overrides, at)
