"""SQL of coupons and their targets; with applied.py and usage.py the only writer of the room's tables."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from enum import StrEnum

from sqlalchemy import Select, case, delete, exists, select
from sqlalchemy.dialects.postgresql import insert

from tallystick.ground.db import Tx
from tallystick.ground.tables import AppliedCoupon, BillableMetric, Coupon, CouponTarget, Plan


class Target(StrEnum):
    """What a coupon can be limited to."""

    PLAN = "plan"
    METRIC = "billable_metric"


async def by_code(tx: Tx, organization_id: uuid.UUID, code: str, *, lock: bool = False) -> Coupon | None:
    """A coupon that is not deleted; `lock` keeps it for a change."""
    statement = select(Coupon).where(
        Coupon.organization_id == organization_id, Coupon.code == code, Coupon.deleted_at.is_(None)
    )
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return (await tx.scalars(statement)).one_or_none()


def listing(organization_id: uuid.UUID) -> Select[Coupon]:
    """Coupons that are not deleted: active first, those without expiration first, soonest, newest (api.md §6)."""
    return (
        select(Coupon)
        .where(Coupon.organization_id == organization_id, Coupon.deleted_at.is_(None))
        .order_by(
            case((Coupon.status == "active", 0), else_=1),
            case((Coupon.expiration == "no_expiration", 0), else_=1),
            Coupon.expiration_at,
            Coupon.created_at.desc(),
            Coupon.id,
        )
    )


async def was_applied(tx: Tx, coupon_id: uuid.UUID) -> bool:
    """Whether a customer ever had it."""
    return bool(await tx.scalar(select(exists().where(AppliedCoupon.coupon_id == coupon_id))))


async def plan_ids(tx: Tx, organization_id: uuid.UUID, codes: Sequence[str]) -> dict[str, uuid.UUID]:
    """code -> live plan that is no override."""
    statement = select(Plan.code, Plan.id).where(
        Plan.organization_id == organization_id,
        Plan.code.in_(codes),
        Plan.parent_id.is_(None),
        Plan.deleted_at.is_(None),
    )
    return dict((await tx.execute(statement)).all())


async def metric_ids(tx: Tx, organization_id: uuid.UUID, codes: Sequence[str]) -> dict[str, uuid.UUID]:
    """code -> live billable metric."""
    statement = select(BillableMetric.code, BillableMetric.id).where(
        BillableMetric.organization_id == organization_id,
        BillableMetric.code.in_(codes),
        BillableMetric.deleted_at.is_(None),
    )
    return dict((await tx.execute(statement)).all())


async def target_codes(tx: Tx, coupon_ids: Sequence[uuid.UUID], kind: Target) -> dict[uuid.UUID, list[str]]:
    """coupon -> codes of its targets of this kind, deleted ones too; coupons without such targets are absent."""
    table = Plan if kind is Target.PLAN else BillableMetric
    statement = (
        select(CouponTarget.coupon_id, table.code)
        .join(table, table.id == CouponTarget.target_id)
        .where(CouponTarget.coupon_id.in_(coupon_ids), CouponTarget.target_kind == kind.value)
        .order_by(CouponTarget.created_at, table.created_at, table.id)
    )
    found: dict[uuid.UUID, list[str]] = {}
    for coupon_id, code in await tx.execute(statement):
        found.setdefault(coupon_id, []).append(code)
    return found


async def target_ids(tx: Tx, coupon_id: uuid.UUID) -> dict[Target, list[uuid.UUID]]:
    """What the coupon is limited to, of each kind."""
    rows = await tx.execute(
        select(CouponTarget.target_kind, CouponTarget.target_id).where(CouponTarget.coupon_id == coupon_id)
    )
    found: dict[Target, list[uuid.UUID]] = {kind: [] for kind in Target}
    for kind, target_id in rows:
        found[Target(kind)].append(target_id)
    return found


async def replace_targets(
    tx: Tx, coupon: Coupon, kind: Target, target_ids: Iterable[uuid.UUID], at: dt.datetime
) -> None:
    """The coupon is limited to exactly these from now on."""
    await remove_targets(tx, coupon.id)
    rows = [
        {
            "coupon_id": coupon.id,
            "target_kind": kind.value,
            "target_id": target_id,
            "organization_id": coupon.organization_id,
            "created_at": at,
        }
        for target_id in dict.fromkeys(target_ids)
    ]
    if rows:
        await tx.execute(insert(CouponTarget).values(rows))


async def remove_targets(tx: Tx, coupon_id: uuid.UUID) -> None:
    """The coupon is not limited any more."""
    await tx.execute(delete(CouponTarget).where(CouponTarget.coupon_id == coupon_id))
