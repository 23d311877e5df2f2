"""What time it is for organizations: the test clock of a sandbox one once it is set, else the machine's.

For work that nobody called at an instant of its own, such as jobs; handlers and flows receive `at`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

from sqlalchemy import select

from tallystick.ground.clock import machine_now
from tallystick.ground.db import Tx
from tallystick.ground.tables import Organization


async def now_of(tx: Tx, organization_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dt.datetime]:
    """organization -> its now."""
    machine_at = machine_now()
    statement = select(Organization.id, Organization.sandbox, Organization.clock_at)
    rows = await tx.execute(statement.where(Organization.id.in_(set(organization_ids))))
    return {
        organization_id: clock_at if sandbox and clock_at is not None else machine_at
        for organization_id, sandbox, clock_at in rows
    }
