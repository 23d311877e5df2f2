"""Wire JSON of applied coupons with the credits that invoices made of them. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tallystick.core.invoice import CreditKind
from tallystick.ground.db import Tx
from tallystick.ground.tables import AppliedCoupon
from tallystick.rooms.coupons import views
from tallystick.rooms.invoices import credits


async def applied_coupons(tx: Tx, rows: Sequence[AppliedCoupon], *, with_credits: bool = False) -> list[dict[str, Any]]:
    """Applied coupon objects in the order given; lists show credits (api.md §15.15)."""
    bodies = await views.applied_coupons(tx, rows)
    if with_credits:
        found = await credits.of_sources(tx, CreditKind.COUPON, [row.id for row in rows])
        for row, body in zip(rows, bodies, strict=True):
            body["credits"] = found.get(row.id, [])
    return bodies
