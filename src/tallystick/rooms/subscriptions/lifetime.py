"""Lifetime usage of chains of subscriptions: the record that goes along with their running row (metering.md §9.1).

Only what was used elsewhere is stored; what was used and invoiced here is counted in `flows/usage/lifetime.py`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import select, text

from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound
from tallystick.ground.ids import new_id
from tallystick.ground.tables import LifetimeUsage, Subscription


async def begin(tx: Tx, starts: Iterable[tuple[Subscription, dt.datetime]]) -> None:
    """Records of rows that became active, unless they took one over."""
    given = list(starts)
    columns = {
        "ids": [new_id() for _ in given],
        "organizations": [row.organization_id for row, _ in given],
        "subscriptions": [row.id for row, _ in given],
        "instants": [at for _, at in given],
    }
    await tx.execute(_BEGIN, columns)


async def move(tx: Tx, successions: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> None:
    """(row, its successor): the record goes on with the successor."""
    pairs = list(successions)
    await tx.execute(_MOVE, {"olds": [old for old, _ in pairs], "news": [new for _, new in pairs]})


async def find(tx: Tx, subscription_id: uuid.UUID, *, lock: bool = False) -> LifetimeUsage:
    """The record of a row; 404 `lifetime_usage_not_found` for pending rows and for those that were replaced."""
    statement = select(LifetimeUsage).where(LifetimeUsage.subscription_id == subscription_id)
    row = (await tx.scalars(statement.with_for_update() if lock else statement)).one_or_none()
    if row is None:
        raise NotFound("lifetime_usage")
    return row


async def historical(tx: Tx, subscription_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """subscription -> what was used of it elsewhere; rows without record are absent."""
    statement = select(LifetimeUsage.subscription_id, LifetimeUsage.external_historical_usage_amount_cents)
    rows = await tx.execute(statement.where(LifetimeUsage.subscription_id.in_(subscription_ids)))
    return dict(rows.all())


async def set_historical(tx: Tx, row: LifetimeUsage, cents: int | None, at: dt.datetime) -> None:
    """Change what was used elsewhere; None leaves it. 422 `historical_usage_amount_cents` below nothing."""
    if cents is None:
        return
    if cents < 0:
        raise Invalid.field("historical_usage_amount_cents", "value_is_out_of_range")
    row.external_historical_usage_amount_cents = cents
    row.updated_at = at
    await tx.flush()


_BEGIN = text("""
    insert into lifetime_usages
      (id, organization_id, subscription_id, external_historical_usage_amount_cents, created_at, updated_at)
    select id, organization_id, subscription_id, 0, at, at
    from unnest(cast(:ids as uuid[]), cast(:organizations as uuid[]), cast(:subscriptions as uuid[]),
      cast(:instants as timestamptz[])) as e(id, organization_id, subscription_id, at)
    on conflict (subscription_id) do nothing
""")
_MOVE = text("""
    update lifetime_usages u set subscription_id = e.new
    from unnest(cast(:olds as uuid[]), cast(:news as uuid[])) as e(old, new)
    where u.subscription_id = e.old
""")
