"""Filters of a charge that one subscription has for itself: the charge is overridden first (subscriptions.md §1.4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tallystick.flows.lifecycle.subscriptions import update as edition
from tallystick.ground.db import Tx
from tallystick.ground.tables import Charge, ChargeFilter, Plan, Subscription
from tallystick.rooms.catalog import charges, filters, metrics
from tallystick.rooms.invoices import stale

Fields = Mapping[str, Any]


async def add(tx: Tx, row: Subscription, charge: Charge, at: dt.datetime, fields: Fields) -> ChargeFilter:
    """One more filter of the subscription's own charge."""
    own = await _own(tx, row, charge, at)
    found = await filters.create(tx, own, await metrics.of_charge(tx, own), at, fields)
    await stale.mark_of_plans(tx, [own.plan_id], at)
    return found


async def change(
    tx: Tx, row: Subscription, charge: Charge, filter_id: str, at: dt.datetime, fields: Fields
) -> ChargeFilter:
    """Change a filter of the subscription's own charge; 404 `charge_filter_not_found`."""
    own, found = await _own_filter(tx, row, charge, filter_id, at)
    await filters.update(tx, found, own, await metrics.of_charge(tx, own), at, fields)
    await stale.mark_of_plans(tx, [own.plan_id], at)
    return found


async def remove(tx: Tx, row: Subscription, charge: Charge, filter_id: str, at: dt.datetime) -> ChargeFilter:
    """Hide a filter of the subscription's own charge; 404 `charge_filter_not_found`."""
    own, found = await _own_filter(tx, row, charge, filter_id, at)
    await filters.delete(tx, found, at)
    await stale.mark_of_plans(tx, [own.plan_id], at)
    return found


async def _own(tx: Tx, row: Subscription, charge: Charge, at: dt.datetime) -> Charge:
    """The charge on a plan that only this subscription has."""
    changed = await edition.update(tx, row, at, {"plan_overrides": {"charges": [{"id": str(charge.id)}]}})
    return await charges.find(tx, await tx.get_one(Plan, changed.plan_id), charge.code)


async def _own_filter(
    tx: Tx, row: Subscription, charge: Charge, filter_id: str, at: dt.datetime
) -> tuple[Charge, ChargeFilter]:
    """The copy of a filter, known by its own id or by that of the filter that it was copied from."""
    asked = await filters.find_here_or_above(tx, charge, filter_id)
    own = await _own(tx, row, charge, at)
    return own, await filters.find_like(tx, own, asked)
