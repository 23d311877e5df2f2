"""Periodic billing: the agenda's BILL entries become invoices, due downgrades are executed, the next ticks written."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import select

from tallystick.core.contract import Contract
from tallystick.core.occasion import Occasion, Reason
from tallystick.core.periods import local_date
from tallystick.flows.billing.load import load_contracts
from tallystick.flows.billing.regroup import regroup
from tallystick.flows.billing.run import bill
from tallystick.flows.lifecycle.subscriptions.change import execute_downgrades
from tallystick.ground import agenda
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx
from tallystick.ground.tables import AgendaEntry, Customer, Subscription
from tallystick.rooms.invoices.standalone import Chain


async def bill_due(tx: Tx, dues: Sequence[Due]) -> None:
    """Bill the ticks that are due (subscriptions.md §7); the entries cover whole customers (`whole_customers`)."""
    contracts = {item.subscription_id: item for item in await load_contracts(tx, [due.subject_id for due in dues])}
    ticks = [due for due in dues if _is_billable(contracts[due.subject_id], due)]
    changed = await execute_downgrades(tx, ticks)
    periodic = [Occasion(due.subject_id, Reason.PERIODIC, due.due_at) for due in ticks if due.subject_id not in changed]
    await bill(tx, periodic, list(contracts.values()))
    await regroup(tx, [Chain(item.subscription_id, item.at, ended_only=True) for item in periodic])
    going_on = [due for due in dues if due.subject_id not in changed]
    await agenda.put(tx, _next_ticks(contracts, going_on))


def _is_billable(contract: Contract, due: Due) -> bool:
    """Active, begun on an earlier day, and not ending today: the final invoice covers that (subscriptions.md §2.9)."""
    tz = contract.customer.timezone
    on = local_date(due.due_at, tz)
    if contract.status != "active" or contract.started_at is None or local_date(contract.started_at, tz) >= on:
        return False
    ends_today = contract.ending_at is not None and local_date(contract.ending_at, tz) == on
    schedule = contract.schedule
    return schedule.is_tick(on) and not contract.billed.reaches(schedule.tick_at(on)) and not ends_today


def _next_ticks(contracts: dict[uuid.UUID, Contract], dues: Iterable[Due]) -> Iterator[Due]:
    for due in dues:
        contract = contracts[due.subject_id]
        if contract.status == "active":
            schedule = contract.schedule
            tick_on = schedule.next_tick_on(local_date(due.due_at, contract.customer.timezone))
            yield Due(Kind.BILL, due.subject_id, due.organization_id, schedule.tick_at(tick_on))


async def whole_customers(tx: Tx, dues: Sequence[Due]) -> list[Due]:
    """Complete a chunk so that no customer's ticks of one instant are split over two invoices by two workers.

    Customers whom another transaction holds, wholly or by one of their entries, are left for a later chunk.
    """
    customer_of = await _customers_of(tx, dues)
    free = select(Customer.id).where(Customer.id.in_(set(customer_of.values()))).order_by(Customer.id)
    mine = set(await tx.scalars(free.with_for_update(skip_locked=True)))
    entries: dict[tuple[uuid.UUID, dt.datetime], list[Due]] = defaultdict(list)
    missing: dict[tuple[uuid.UUID, dt.datetime], list[Due]] = defaultdict(list)
    held = {(due.subject_id, due.due_at) for due in dues}
    for customer_id, due in await _entries_of(tx, mine, {due.due_at for due in dues}):
        key = (customer_id, due.due_at)
        (entries if (due.subject_id, due.due_at) in held else missing)[key].append(due)
    for key, siblings in missing.items():
        if key in entries:
            taken = await agenda.hold(tx, siblings)
            entries[key] = [*entries[key], *taken] if len(taken) == len(siblings) else []
    return [due for group in entries.values() for due in group]


async def _customers_of(tx: Tx, dues: Sequence[Due]) -> dict[uuid.UUID, uuid.UUID]:
    ids = [due.subject_id for due in dues]
    rows = await tx.execute(select(Subscription.id, Subscription.customer_id).where(Subscription.id.in_(ids)))
    return dict(rows.all())


async def _entries_of(tx: Tx, customer_ids: set[uuid.UUID], instants: set[dt.datetime]) -> list[tuple[uuid.UUID, Due]]:
    """All BILL entries of these customers at these instants."""
    statement = (
        select(Subscription.customer_id, AgendaEntry.subject_id, AgendaEntry.organization_id, AgendaEntry.due_at)
        .join(Subscription, Subscription.id == AgendaEntry.subject_id)
        .where(
            AgendaEntry.kind == Kind.BILL.value,
            AgendaEntry.failed_at.is_(None),
            AgendaEntry.due_at.in_(instants),
            Subscription.customer_id.in_(customer_ids),
        )
        .order_by(AgendaEntry.subject_id)
    )
    rows = (await tx.execute(statement)).all()
    return [(row.customer_id, Due(Kind.BILL, row.subject_id, row.organization_id, row.due_at)) for row in rows]
