"""Wire JSON of fees as messages tell of them (webhooks.md §4.3). Changes nothing."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from tallystick.ground.db import Tx
from tallystick.rooms.invoices import store
from tallystick.rooms.invoices.fees import fees


async def fees_of_messages(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime]) -> dict[uuid.UUID, dict[str, Any]]:
    """fee -> its payload in `fee.created`; fees that are gone are absent."""
    found = await store.fees_by_ids(tx, list(at_of))
    return dict(zip(found, await fees(tx, list(found.values()), webhook=True), strict=True))
