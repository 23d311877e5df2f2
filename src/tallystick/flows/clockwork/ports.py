"""What the clockwork needs of the outside to settle a sandbox organization; `app.py` plugs it in."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Protocol

from tallystick.ground.db import Tx


class Outlets(Protocol):
    """Where work leaves the database: jobs and webhook deliveries of one sandbox organization."""

    async def drain_jobs(self, organization_id: uuid.UUID) -> bool:
        """Run all pending jobs; whether there were any."""

    async def deliver_due(self, organization_id: uuid.UUID, at: dt.datetime) -> None:
        """Fan out new messages and attempt every delivery that is due at `at`."""

    async def next_delivery_at(self, tx: Tx, organization_id: uuid.UUID) -> dt.datetime | None:
        """When the next attempt falls due on the organization's clock."""
