"""What the room needs from outside: somebody who turns outbox rows into the objects that messages carry.

Not an implementation; rooms do not know each other, so the registry of renderers stands above them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tallystick.ground.db import Tx
from tallystick.ground.tables import OutboxMessage


@dataclass(frozen=True, slots=True)
class Rendered:
    """One outbox row with its object (webhooks.md §1.2, §1.7).

    `object_type` is the payload's key; `subject_kind` the class-like name of the subject, as the log shows it.
    """

    row: OutboxMessage
    object_type: str
    subject_kind: str
    object: Mapping[str, Any]


class Renderer(Protocol):
    """Renders rows of one organization in their order; rows whose subject does not exist any more are left out."""

    async def __call__(self, tx: Tx, rows: Sequence[OutboxMessage]) -> Sequence[Rendered]: ...
