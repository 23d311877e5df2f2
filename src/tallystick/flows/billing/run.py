"""Bill a set of occasions in the caller's transaction: the whole pipeline, once, for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from tallystick.core.occasion import Occasion
from tallystick.ground.db import Tx


async def bill(tx: Tx, occasions: Sequence[Occasion]) -> list[UUID]:
    """Make the invoices of these occasions; returns their ids."""
    return []
