"""The outlets of a running process: its jobs and its webhook dispatcher, as the clockwork uses them."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from tallystick.ground.db import Tx
from tallystick.ground.jobs import Jobs, queue_of
from tallystick.ground.outlets import Outlets
from tallystick.rooms.webhooks.deliver import Dispatcher


@dataclass(frozen=True, slots=True)
class ProcessOutlets(Outlets):
    """Runs jobs and sends webhooks in this process, while the caller waits."""

    jobs: Jobs
    dispatcher: Dispatcher

    async def drain_jobs(self, organization_id: uuid.UUID) -> bool:
        """Run all pending jobs; whether there were any."""
        return await self.jobs.drain(queue_of(organization_id, sandbox=True))

    async def deliver_due(self, organization_id: uuid.UUID, at: dt.datetime) -> None:
        """Fan out new messages and attempt every delivery that is due at `at`."""
        await self.dispatcher.deliver_due(organization_id, at)

    async def next_delivery_at(self, tx: Tx, organization_id: uuid.UUID) -> dt.datetime | None:
        """When the next attempt falls due on the organization's clock."""
        return await self.dispatcher.next_due_at(tx, organization_id)

    async def close(self) -> None:
        """Close the connections to receivers; the jobs are their installation's to close."""
        await self.dispatcher.close()
