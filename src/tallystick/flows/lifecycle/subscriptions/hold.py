"""Take subscriptions for a change: their customers are locked first, in id order, then the rows are read afresh."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from tallystick.ground.db import Tx
from tallystick.ground.tables import Subscription
from tallystick.rooms.customers import store as customers
from tallystick.rooms.subscriptions import store


async def hold(tx: Tx, subscription_ids: Sequence[uuid.UUID]) -> list[Subscription]:
    """The rows as they are once nobody else moves them, in id order."""
    await customers.lock(tx, await store.customer_ids_of(tx, subscription_ids))
    return await store.by_ids(tx, subscription_ids)
