"""Progressive invoices: which one counts for a window, and the thresholds that each was made for (subscriptions.md §5).

What an invoice takes off the next one is decided in core/progressive.py.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, tuple_, update

from tallystick.core.progressive import Line, ProgressiveInvoice, line_of
from tallystick.core.windows import Window
from tallystick.ground.db import Tx, copy, load_query
from tallystick.ground.ids import new_id
from tallystick.ground.tables import AppliedUsageThreshold, Fee

_NEWEST = load_query(__file__, "newest_progressive")

#: what is billed once: (organization, external subscription id, threshold, invoiced usage, credited invoice)
Guard = tuple[uuid.UUID, str, uuid.UUID, int, uuid.UUID | None]


async def newest(
    tx: Tx, windows: Sequence[tuple[uuid.UUID, Window]], rewritten_ids: Sequence[uuid.UUID] = ()
) -> dict[uuid.UUID, ProgressiveInvoice]:
    """subscription -> the newest progressive invoice made within its window; others are absent.

    Credits that `rewritten_ids`, drafts, took of it do not count. At most two queries.
    """
    if not windows:
        return {}
    columns = {
        "subscriptions": [subscription_id for subscription_id, _ in windows],
        "starts": [window.start_at for _, window in windows],
        "ends": [window.end_at for _, window in windows],
        "rewritten": list(rewritten_ids),
    }
    rows = (await tx.execute(_NEWEST, columns)).all()
    lines = await _lines(tx, [row.id for row in rows])
    return {
        row.subscription_id: ProgressiveInvoice(
            id=row.id,
            fees_cents=row.fees_amount_cents,
            coupons_cents=row.coupons_amount_cents,
            credited_cents=row.credited_cents,
            noted_cents=row.noted_cents,
            lines=lines[row.id],
        )
        for row in rows
    }


async def _lines(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[Line, int]]:
    found: dict[uuid.UUID, dict[Line, int]] = defaultdict(dict)
    if invoice_ids:
        columns = (Fee.invoice_id, Fee.charge_id, Fee.charge_filter_id, Fee.grouped_by, Fee.amount_cents)
        statement = select(*columns).where(Fee.invoice_id.in_(invoice_ids), Fee.deleted_at.is_(None))
        for invoice_id, charge_id, filter_id, grouped_by, cents in await tx.execute(statement):
            assert invoice_id is not None
            found[invoice_id][line_of(charge_id, filter_id, grouped_by)] = cents
    return found


async def supersede(tx: Tx, invoice_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    """Newer progressive invoices bill the lines of these once more, all of them: only the newest lines are live."""
    if invoice_ids:
        await tx.execute(update(Fee).where(Fee.invoice_id.in_(invoice_ids)).values(live=False, updated_at=at))


@dataclass(frozen=True, slots=True)
class Applied:
    """A threshold that an invoice is made for; `guard` of the last one of each invoice."""

    organization_id: uuid.UUID
    external_subscription_id: str
    invoice_id: uuid.UUID
    threshold_id: uuid.UUID
    lifetime_cents: int
    passed_cents: int
    invoiced_cents: int
    credited_id: uuid.UUID | None
    last: bool
    at: dt.datetime


async def apply(tx: Tx, applied: Sequence[Applied]) -> None:
    """Note the thresholds of new invoices."""
    rows = [
        {
            "id": new_id(),
            "organization_id": one.organization_id,
            "external_subscription_id": one.external_subscription_id,
            "invoice_id": one.invoice_id,
            "usage_threshold_id": one.threshold_id,
            "lifetime_usage_amount_cents": one.lifetime_cents,
            "passed_threshold_amount_cents": one.passed_cents,
            "invoiced_usage_amount_cents": one.invoiced_cents,
            "credited_invoice_id": one.credited_id,
            "last": one.last,
            "created_at": one.at,
        }
        for one in applied
    ]
    await copy(tx, "applied_usage_thresholds", rows)


async def copy_applied(tx: Tx, invoice_id: uuid.UUID, to_id: uuid.UUID, at: dt.datetime) -> None:
    """The thresholds of an invoice stand on the one that takes its place too; the first goes on being their guard."""
    rows = await applied_to(tx, [invoice_id])
    await apply(
        tx,
        [
            Applied(
                row.organization_id,
                row.external_subscription_id,
                to_id,
                row.usage_threshold_id,
                row.lifetime_usage_amount_cents,
                row.passed_threshold_amount_cents,
                row.invoiced_usage_amount_cents,
                row.credited_invoice_id,
                last=False,
                at=at,
            )
            for row in rows
        ],
    )


async def known(tx: Tx, guards: Sequence[Guard]) -> set[Guard]:
    """Those of the guards for which an invoice was made before, whatever became of it (subscriptions.md §5.3)."""
    if not guards:
        return set()
    row = AppliedUsageThreshold
    columns = (
        row.organization_id,
        row.external_subscription_id,
        row.usage_threshold_id,
        row.invoiced_usage_amount_cents,
        row.credited_invoice_id,
    )
    chosen = tuple_(*columns[:4]).in_([guard[:4] for guard in guards])
    found = set(await tx.execute(select(*columns).where(row.last, chosen)))
    return {guard for guard in guards if guard in found}


async def applied_of(tx: Tx, organization_id: uuid.UUID, external_subscription_id: str) -> list[AppliedUsageThreshold]:
    """What was ever applied to a chain, oldest first."""
    row = AppliedUsageThreshold
    statement = select(row).where(
        row.organization_id == organization_id, row.external_subscription_id == external_subscription_id
    )
    return list(await tx.scalars(statement.order_by(row.created_at, row.lifetime_usage_amount_cents, row.id)))


async def applied_to(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> list[AppliedUsageThreshold]:
    """The thresholds that these invoices were made for; of one invoice ascending, a recurring one last."""
    row = AppliedUsageThreshold
    statement = select(row).where(row.invoice_id.in_(invoice_ids))
    return list(await tx.scalars(statement.order_by(row.invoice_id, row.last, row.passed_threshold_amount_cents)))
