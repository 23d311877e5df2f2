"""Progressive invoices: what passed thresholds becomes invoices of the usage so far (subscriptions.md §5.3, §5.4)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tallystick.core.invoice import Purpose
from tallystick.core.thresholds import Threshold, passed
from tallystick.flows.billing.compose import Rated
from tallystick.flows.billing.run import issue
from tallystick.flows.usage.lifetime import Life
from tallystick.flows.usage.running import Running
from tallystick.ground import outbox
from tallystick.ground.db import Tx
from tallystick.ground.outbox import Message
from tallystick.ground.tables import UsageThreshold
from tallystick.rooms.catalog import views as catalog_views
from tallystick.rooms.invoices import progressive
from tallystick.rooms.invoices.progressive import Applied, Guard

Thresholds = Mapping[uuid.UUID, Sequence[UsageThreshold]]


@dataclass(frozen=True, slots=True)
class Passing:
    """Usage that passed thresholds; the last of them stands for all."""

    running: Running
    life: Life
    rows: tuple[UsageThreshold, ...]

    @property
    def at(self) -> dt.datetime:
        """When it was looked at."""
        return self.running.bill.occasion.at

    @property
    def credited_id(self) -> uuid.UUID | None:
        """The invoice that the new one takes off, which tells steps of a recurring threshold apart (§5.3)."""
        return self.life.newest.id if self.life.newest and self.rows[-1].recurring else None

    @property
    def guard(self) -> Guard:
        """What is billed once only."""
        contract = self.running.bill.contract
        last, invoiced = self.rows[-1], self.life.usage.invoiced_cents
        return contract.organization_id, contract.external_id, last.id, invoiced, self.credited_id


async def bill_passed(
    tx: Tx, running: Sequence[Running], lives: Mapping[uuid.UUID, Life], thresholds: Thresholds
) -> None:
    """One invoice for each subscription that passed thresholds, then a message for each threshold.

    `thresholds`: those that count, in the order in which they are told. Customers are locked.
    """
    found = [_passing(one, lives[one.subscription_id], thresholds.get(one.subscription_id, ())) for one in running]
    passings = [one for one in found if one.rows]
    known = await progressive.known(tx, [one.guard for one in passings])
    passings = [one for one in passings if one.guard not in known]
    if not passings:
        return
    rated = [_rated(one.running) for one in passings]
    for at, ids in _superseded(passings).items():
        await progressive.supersede(tx, ids, at)
    invoice_ids = await issue(tx, rated)
    pairs = list(zip(passings, invoice_ids, strict=True))
    await progressive.apply(tx, [row for one, invoice_id in pairs for row in _applied(one, invoice_id)])
    await outbox.emit(tx, [message for one in passings for message in _messages(one)])


def _passing(running: Running, life: Life, rows: Sequence[UsageThreshold]) -> Passing:
    met = {one.id for one in passed(life.usage, [Threshold(row.id, row.amount_cents, row.recurring) for row in rows])}
    return Passing(running, life, tuple(row for row in rows if row.id in met))


def _rated(running: Running) -> Rated:
    """Cumulative usage since the start of the period; what was billed of it before is taken off when it is issued."""
    return Rated(running.bill, tuple(replace(fee, purpose=Purpose.PROGRESSIVE) for fee in running.billable))


def _superseded(passings: Sequence[Passing]) -> dict[dt.datetime, list[uuid.UUID]]:
    found: dict[dt.datetime, list[uuid.UUID]] = {}
    for one in passings:
        if one.life.newest is not None:
            found.setdefault(one.at, []).append(one.life.newest.id)
    return found


def _applied(one: Passing, invoice_id: uuid.UUID) -> list[Applied]:
    total = one.life.usage.total_cents
    contract = one.running.bill.contract
    return [
        Applied(
            organization_id=contract.organization_id,
            external_subscription_id=contract.external_id,
            invoice_id=invoice_id,
            threshold_id=row.id,
            lifetime_cents=total,
            passed_cents=total - total % row.amount_cents if row.recurring else row.amount_cents,
            invoiced_cents=one.life.usage.invoiced_cents,
            credited_id=one.credited_id,
            last=row is one.rows[-1],
            at=one.at,
        )
        for row in one.rows
    ]


def _messages(one: Passing) -> list[Message]:
    """The threshold is told as it was when it was passed (webhooks.md §5.6)."""
    contract = one.running.bill.contract
    return [
        Message(
            contract.organization_id,
            "subscription.usage_threshold_reached",
            contract.subscription_id,
            one.at,
            {"usage_threshold": catalog_views.threshold(row)},
        )
        for row in one.rows
    ]
