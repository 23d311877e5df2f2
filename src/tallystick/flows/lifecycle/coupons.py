"""Coupons where other rooms take part: applied to customers, and ended on the day on which they expire."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.ground.agenda import Due
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound
from tallystick.ground.tables import AppliedCoupon
from tallystick.rooms.coupons import applied, verbs
from tallystick.rooms.customers import store as customer_store
from tallystick.rooms.customers import verbs as customers


async def apply(
    tx: Tx, organization_id: uuid.UUID, at: dt.datetime, external_customer_id: str, code: str, fields: Mapping[str, Any]
) -> AppliedCoupon:
    """Give a customer a coupon; one without currency gets that of the amount (credits.md §1.2).

    404 `customer_not_found`, and the errors of `applied.apply`.
    """
    customer = await customer_store.find(tx, organization_id, external_customer_id, lock=True)
    if customer is None:
        raise NotFound("customer")
    made = await applied.apply(tx, organization_id, customer.id, code, at, fields)
    if made.amount_currency is not None:
        await customers.prefer_currencies(tx, {customer.id: made.amount_currency}, at)
    return made


async def remove(
    tx: Tx, organization_id: uuid.UUID, at: dt.datetime, external_customer_id: str, applied_coupon_id: str
) -> AppliedCoupon:
    """End an applied coupon of a customer; 404 `customer_not_found`, `applied_coupon_not_found`."""
    customer = await customer_store.find(tx, organization_id, external_customer_id, lock=True)
    if customer is None:
        raise NotFound("customer")
    row = await applied.find(tx, customer.id, applied_coupon_id)
    await applied.terminate(tx, row, at)
    return row


async def expire_due(tx: Tx, dues: Sequence[Due]) -> None:
    """The time of these coupons is over (subscriptions.md §7)."""
    await verbs.expire(tx, {due.subject_id: due.due_at for due in dues})
