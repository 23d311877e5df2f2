"""Applied coupons: applying a coupon to a customer, finding, listing and ending it (credits.md §1.2, §1.3).

Billing reads and uses them through usage.py.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, exists, select, update

from tallystick.core.money import round_half_away
from tallystick.ground.db import Tx, load_query
from tallystick.ground.errors import Invalid, NotAllowed, NotFound, Problems
from tallystick.ground.ids import new_id, parse_id
from tallystick.ground.tables import AppliedCoupon, Coupon, Customer
from tallystick.rooms.coupons import store
from tallystick.rooms.coupons.terms import RATE_PLACES, check_applied

_OVERLAPS = load_query(__file__, "overlaps")

STATUSES = ("active", "terminated")
#: copied from the coupon unless the caller gives them
COPIED = ("amount_cents", "amount_currency", "percentage_rate", "frequency", "frequency_duration")


async def apply(
    tx: Tx, organization_id: uuid.UUID, customer_id: uuid.UUID, code: str, at: dt.datetime, fields: Mapping[str, Any]
) -> AppliedCoupon:
    """Give a locked customer a coupon; `fields`: those of `COPIED` that differ from the coupon's.

    404 `coupon_not_found`; 405 `plan_overlapping`; 422 `coupon_is_not_reusable`, and the rules of terms.py.
    """
    coupon = await store.by_code(tx, organization_id, code, lock=True)
    if coupon is None or coupon.status != "active":
        raise NotFound("coupon")
    if await tx.scalar(_OVERLAPS, {"coupon": coupon.id, "customer": customer_id}):
        raise NotAllowed("plan_overlapping")
    if not coupon.reusable and await _had(tx, customer_id, coupon.id):
        raise Invalid.field("coupon", "coupon_is_not_reusable")
    applied = AppliedCoupon(
        id=new_id(),
        organization_id=organization_id,
        coupon_id=coupon.id,
        customer_id=customer_id,
        status="active",
        created_at=at,
        updated_at=at,
    )
    for name in COPIED:
        given = fields.get(name)
        setattr(applied, name, getattr(coupon, name) if given is None else given)
    if applied.percentage_rate is not None:
        applied.percentage_rate = round_half_away(applied.percentage_rate, RATE_PLACES)
    problems = Problems()
    check_applied(applied, coupon.coupon_type, problems)
    problems.raise_if_any()
    if applied.frequency == "recurring":
        applied.frequency_duration_remaining = applied.frequency_duration
    tx.add(applied)
    await tx.flush()
    return applied


async def _had(tx: Tx, customer_id: uuid.UUID, coupon_id: uuid.UUID) -> bool:
    same = (AppliedCoupon.customer_id == customer_id, AppliedCoupon.coupon_id == coupon_id)
    return bool(await tx.scalar(select(exists().where(*same))))


async def find(tx: Tx, customer_id: uuid.UUID, applied_coupon_id: str) -> AppliedCoupon:
    """An applied coupon of a locked customer; 404 `applied_coupon_not_found`."""
    known = parse_id(applied_coupon_id)
    statement = select(AppliedCoupon).where(AppliedCoupon.id == known, AppliedCoupon.customer_id == customer_id)
    applied = (await tx.scalars(statement.execution_options(populate_existing=True))).one_or_none() if known else None
    if applied is None:
        raise NotFound("applied_coupon")
    return applied


async def terminate(tx: Tx, applied: AppliedCoupon, at: dt.datetime) -> None:
    """End it by hand; one that ended before stays as it is."""
    if applied.status == "active":
        applied.status = "terminated"
        applied.terminated_at = at
        applied.updated_at = at
        await tx.flush()


async def terminate_all(
    tx: Tx, at: dt.datetime, *, coupon_ids: Sequence[uuid.UUID] = (), customer_ids: Sequence[uuid.UUID] = ()
) -> None:
    """End every active one of these coupons and of these customers."""
    chosen = AppliedCoupon.coupon_id.in_(coupon_ids) | AppliedCoupon.customer_id.in_(customer_ids)
    await tx.execute(
        update(AppliedCoupon)
        .where(chosen, AppliedCoupon.status == "active")
        .values(status="terminated", terminated_at=at, updated_at=at)
    )


def listing(
    organization_id: uuid.UUID,
    *,
    external_customer_id: str | None = None,
    customer_id: uuid.UUID | None = None,
    status: str | None = None,
    coupon_codes: Sequence[str] = (),
) -> Select[AppliedCoupon]:
    """Applied coupons of customers that are not deleted, newest first; an unknown status is no filter (api.md §6)."""
    statement = (
        select(AppliedCoupon)
        .join(Customer, Customer.id == AppliedCoupon.customer_id)
        .where(AppliedCoupon.organization_id == organization_id, Customer.deleted_at.is_(None))
        .order_by(AppliedCoupon.created_at.desc(), AppliedCoupon.id)
    )
    if external_customer_id is not None:
        statement = statement.where(Customer.external_id == external_customer_id)
    if customer_id is not None:
        statement = statement.where(AppliedCoupon.customer_id == customer_id)
    if status in STATUSES:
        statement = statement.where(AppliedCoupon.status == status)
    if coupon_codes:
        named = select(Coupon.id).where(Coupon.organization_id == organization_id, Coupon.code.in_(coupon_codes))
        statement = statement.where(AppliedCoupon.coupon_id.in_(named))
    return statement
