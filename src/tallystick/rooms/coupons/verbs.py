"""What can be done with coupons: create, change, delete, let expire (credits.md §1.1).

Applying them to customers is in applied.py.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from tallystick.core.money import round_half_away
from tallystick.ground import agenda
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotAllowed, NotFound, Problems
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Coupon
from tallystick.rooms.coupons import applied, store
from tallystick.rooms.coupons.store import Target
from tallystick.rooms.coupons.terms import RATE_PLACES, check_coupon, check_expiration

#: a coupon that was ever applied keeps all others
_ALWAYS = ("name", "description", "expiration", "expiration_at")
_UNAPPLIED_ONLY = (
    *("code", "coupon_type", "amount_cents", "amount_currency", "percentage_rate"),
    *("frequency", "frequency_duration", "reusable"),
)


async def find(tx: Tx, organization_id: uuid.UUID, code: str, *, lock: bool = False) -> Coupon:
    """A coupon by its code; 404 `coupon_not_found`."""
    coupon = await store.by_code(tx, organization_id, code, lock=lock)
    if coupon is None:
        raise NotFound("coupon")
    return coupon


async def create(tx: Tx, organization_id: uuid.UUID, at: dt.datetime, fields: Mapping[str, Any]) -> Coupon:
    """A new coupon; `fields`: the columns of a caller, and `applies_to` as `_targets` takes it.

    404 `plans_not_found`, `billable_metrics_not_found`; 405 `only_one_limitation_type_per_coupon_allowed`.
    """
    targets = await _targets(tx, organization_id, fields.get("applies_to") or {})
    coupon = Coupon(
        id=new_id(), organization_id=organization_id, reusable=True, status="active", created_at=at, updated_at=at
    )
    await _assign(tx, coupon, at, fields, (*_ALWAYS, *_UNAPPLIED_ONLY))
    tx.add(coupon)
    await tx.flush()
    await _limit(tx, coupon, targets, at)
    await _schedule(tx, coupon)
    return coupon


async def update(tx: Tx, coupon: Coupon, at: dt.datetime, fields: Mapping[str, Any]) -> Coupon:
    """Change the given fields of a locked coupon, as far as one that was ever applied allows it."""
    applied_once = await store.was_applied(tx, coupon.id)
    targets = {}
    if not applied_once:
        targets = await _targets(tx, coupon.organization_id, fields.get("applies_to") or {})
    with tx.no_autoflush:
        await _assign(tx, coupon, at, fields, _ALWAYS if applied_once else (*_ALWAYS, *_UNAPPLIED_ONLY))
    coupon.updated_at = at
    await tx.flush()
    await _limit(tx, coupon, targets, at)
    await _schedule(tx, coupon)
    return coupon


async def delete(tx: Tx, coupon: Coupon, at: dt.datetime) -> None:
    """Hide a coupon and end it for all customers that have it."""
    coupon.deleted_at = at
    await tx.flush()
    await store.remove_targets(tx, coupon.id)
    await applied.terminate_all(tx, at, coupon_ids=[coupon.id])
    await agenda.remove(tx, [Kind.EXPIRE_COUPON], [coupon.id])


async def expire(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime]) -> None:
    """End coupons whose time is over; customers that have them keep them (credits.md §1.1)."""
    statement = select(Coupon).where(
        Coupon.id.in_(list(at_of)),
        Coupon.status == "active",
        Coupon.deleted_at.is_(None),
        Coupon.expiration == "time_limit",
    )
    rows = await tx.scalars(statement.with_for_update().execution_options(populate_existing=True))
    for coupon in rows:
        at = at_of[coupon.id]
        if coupon.expiration_at is not None and coupon.expiration_at <= at:
            coupon.status = "terminated"
            coupon.terminated_at = at
            coupon.updated_at = at
    await tx.flush()


async def _assign(tx: Tx, coupon: Coupon, at: dt.datetime, fields: Mapping[str, Any], names: Sequence[str]) -> None:
    problems = Problems()
    code = fields.get("code") if "code" in names else None
    if code and code != coupon.code and await store.by_code(tx, coupon.organization_id, code):
        problems.add("code", "value_already_exist")
    for name in names:
        if name in fields:
            setattr(coupon, name, fields[name])
    if coupon.percentage_rate is not None:
        coupon.percentage_rate = round_half_away(coupon.percentage_rate, RATE_PLACES)
    check_coupon(coupon, problems)
    check_expiration(fields.get("expiration_at"), at, problems)
    problems.raise_if_any()


async def _targets(
    tx: Tx, organization_id: uuid.UUID, asked: Mapping[str, Sequence[str] | None]
) -> dict[Target, list[uuid.UUID]]:
    """kind -> ids of what a coupon is to be limited to; kinds that were not sent are absent."""
    known = {}
    kinds = (
        ("plan_codes", Target.PLAN, store.plan_ids, "plans"),
        ("billable_metric_codes", Target.METRIC, store.metric_ids, "billable_metrics"),
    )
    for name, kind, ids_of, things in kinds:
        codes = asked.get(name)
        if codes is None:
            continue
        found = await ids_of(tx, organization_id, codes)
        if any(code not in found for code in codes):
            raise NotFound(things)
        known[kind] = [found[code] for code in codes]
    if all(known.get(kind) for kind in Target):
        raise NotAllowed("only_one_limitation_type_per_coupon_allowed")
    return known


async def _limit(tx: Tx, coupon: Coupon, targets: Mapping[Target, list[uuid.UUID]], at: dt.datetime) -> None:
    """The list that was sent replaces what the coupon is limited to; empty lists end the limitation."""
    if targets:
        kind = next((kind for kind, ids in targets.items() if ids), Target.PLAN)
        await store.replace_targets(tx, coupon, kind, targets.get(kind, []), at)


async def _schedule(tx: Tx, coupon: Coupon) -> None:
    """Write the date on which the coupon expires, or forget it."""
    if coupon.status == "active" and coupon.expiration == "time_limit" and coupon.expiration_at is not None:
        await agenda.put(tx, [Due(Kind.EXPIRE_COUPON, coupon.id, coupon.organization_id, coupon.expiration_at)])
    else:
        await agenda.remove(tx, [Kind.EXPIRE_COUPON], [coupon.id])
