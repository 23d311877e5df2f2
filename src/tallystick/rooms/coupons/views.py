"""Wire JSON of coupons and applied coupons (api.md §15.14, §15.15). Their credits belong to the invoices room."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from tallystick.ground.db import Tx, load_query
from tallystick.ground.tables import AppliedCoupon, Coupon, Customer
from tallystick.ground.wire import dec_or_none, dt_, dt_or_none
from tallystick.rooms.coupons import store
from tallystick.rooms.coupons.store import Target

_USED = load_query(__file__, "used")


async def coupons(tx: Tx, rows: Sequence[Coupon]) -> list[dict[str, Any]]:
    """Coupon objects in the order given."""
    ids = [row.id for row in rows]
    plans = await store.target_codes(tx, ids, Target.PLAN)
    metrics = await store.target_codes(tx, ids, Target.METRIC)
    return [_coupon(row, plans.get(row.id, []), metrics.get(row.id, [])) for row in rows]


def _coupon(row: Coupon, plan_codes: list[str], metric_codes: list[str]) -> dict[str, Any]:
    return {
        "lago_id": row.id,
        "name": row.name,
        "code": row.code,
        "description": row.description,
        "coupon_type": row.coupon_type,
        "amount_cents": row.amount_cents,
        "amount_currency": row.amount_currency,
        "percentage_rate": dec_or_none(row.percentage_rate),
        "frequency": row.frequency,
        "frequency_duration": row.frequency_duration,
        "reusable": row.reusable,
        "limited_plans": bool(plan_codes),
        "plan_codes": plan_codes,
        "limited_billable_metrics": bool(metric_codes),
        "billable_metric_codes": metric_codes,
        "created_at": dt_(row.created_at),
        "expiration": row.expiration,
        "expiration_at": dt_or_none(row.expiration_at),
        "terminated_at": dt_or_none(row.terminated_at),
    }


async def applied_coupons(tx: Tx, rows: Sequence[AppliedCoupon]) -> list[dict[str, Any]]:
    """Applied coupon objects in the order given, without credits."""
    if not rows:
        return []
    ids = [row.id for row in rows]
    statement = (
        select(AppliedCoupon.id, Coupon, Customer.external_id)
        .join(Coupon, Coupon.id == AppliedCoupon.coupon_id)
        .join(Customer, Customer.id == AppliedCoupon.customer_id)
        .where(AppliedCoupon.id.in_(ids))
    )
    parents = {row_id: (coupon, external_id) for row_id, coupon, external_id in await tx.execute(statement)}
    used: dict[uuid.UUID, int] = dict((await tx.execute(_USED, {"ids": ids})).all())
    return [_applied(row, *parents[row.id], used.get(row.id, 0)) for row in rows]


def _applied(row: AppliedCoupon, coupon: Coupon, external_customer_id: str, used_cents: int) -> dict[str, Any]:
    return {
        "lago_id": row.id,
        "lago_coupon_id": coupon.id,
        "coupon_code": coupon.code,
        "coupon_name": coupon.name,
        "coupon_description": coupon.description,
        "coupon_status": coupon.status,
        "coupon_deleted_at": dt_or_none(coupon.deleted_at),
        "lago_customer_id": row.customer_id,
        "external_customer_id": external_customer_id,
        "status": row.status,
        "amount_cents": row.amount_cents,
        "amount_cents_remaining": _remaining_cents(row, coupon, used_cents),
        "amount_currency": row.amount_currency,
        "percentage_rate": dec_or_none(row.percentage_rate),
        "frequency": row.frequency,
        "frequency_duration": row.frequency_duration,
        "frequency_duration_remaining": row.frequency_duration_remaining,
        "created_at": dt_(row.created_at),
        "expiration_at": dt_or_none(coupon.expiration_at),
        "terminated_at": dt_or_none(row.terminated_at),
    }


def _remaining_cents(row: AppliedCoupon, coupon: Coupon, used_cents: int) -> int | None:
    """Only amounts that are used once have a rest (credits.md §1.2)."""
    if coupon.coupon_type != "fixed_amount" or row.frequency != "once" or row.amount_cents is None:
        return None
    return row.amount_cents - used_cents
