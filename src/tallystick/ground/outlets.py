"""Where work of one sandbox organization leaves the database, as a port: its jobs and its webhook deliveries.

The clockwork settles with it; `app.py` plugs in what really runs jobs and sends webhooks.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Protocol

from tallystick.ground.db import Tx


class Outlets(Protocol):
    """Jobs and webhook deliveries of one sandbox organization; whoever calls holds its clock."""

    async def drain_jobs(self, organization_id: uuid.UUID) -> bool:
        """Run all pending jobs; whether there were any."""

    async def deliver_due(self, organization_id: uuid.UUID, at: dt.datetime) -> None:
        """Fan out new messages and attempt every delivery that is due at `at`."""

    async def next_delivery_at(self, tx: Tx, organization_id: uuid.UUID) -> dt.datetime | None:
        """When the next attempt falls due on the organization's clock."""

    async def close(self) -> None:
        """Give all connections back."""


class NoOutlets(Outlets):
    """Nothing leaves the database: for commands that only read and write it."""

    async def drain_jobs(self, organization_id: uuid.UUID) -> bool:
        return False

    async def deliver_due(self, organization_id: uuid.UUID, at: dt.datetime) -> None:
        return None

    async def next_delivery_at(self, tx: Tx, organization_id: uuid.UUID) -> dt.datetime | None:
        return None

    async def close(self) -> None:
        return None
