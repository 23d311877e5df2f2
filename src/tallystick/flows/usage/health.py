"""The hourly check of received events: what will not count is told by `events.errors` (webhooks.md §5.4).

Subscriptions that received some get a snapshot of their day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from tallystick.flows.usage import daily
from tallystick.ground import agenda, outbox
from tallystick.ground.agenda import Due
from tallystick.ground.db import Tx
from tallystick.ground.outbox import Message
from tallystick.rooms.metering import health

HOUR = dt.timedelta(hours=1)


async def check_due(tx: Tx, dues: Sequence[Due]) -> None:
    """Check the clock hour that ended at each entry's instant; the next check follows the next event received."""
    for due in dues:
        problems = await health.check(tx, due.organization_id, due.due_at - HOUR, due.due_at)
        if problems is not None:
            message = Message(due.organization_id, "events.errors", due.organization_id, due.due_at, problems.payload())
            await outbox.emit(tx, [message])
        await daily.note(tx, due.organization_id, due.due_at - HOUR, due.due_at)
        later_at = await health.first_received_at(tx, due.organization_id, due.due_at)
        if later_at is not None:
            await agenda.put(tx, [replace(due, due_at=health.check_at(later_at))])
