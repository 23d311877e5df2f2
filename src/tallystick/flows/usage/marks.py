"""Put a look at the usage of subscriptions on the agenda, where somebody watches it. Events do so by themselves.

See `rooms/metering/watch.py` for events and `flows/usage/check.py` for what a look leads to.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from tallystick.ground.agenda import RANKS, Kind
from tallystick.ground.db import Tx, load_query

_MARK = load_query(__file__, "mark")


async def mark(tx: Tx, subscription_ids: Collection[uuid.UUID], at: dt.datetime, *, alerts: bool = False) -> None:
    """Look at those that are active and have usage thresholds, at `at`; at their alerts too when asked to.

    To be called whenever thresholds, invoiced usage or alerts changed (subscriptions.md §5.2, metering.md §10).
    """
    if not subscription_ids:
        return
    await tx.flush()
    kind = Kind.CHECK_USAGE if alerts else Kind.CHECK_THRESHOLDS
    columns = {"ids": list(subscription_ids), "kind": kind.value, "rank": RANKS[kind], "at": at, "alerts": alerts}
    await tx.execute(_MARK, columns)
