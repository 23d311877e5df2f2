"""Daily usage: what each day added to the usage of a subscription, for reports (metering.md §11).

A subscription is looked at when a day ends on which it received events, and on the first day of each period if it
carries units from one to the next. Days between would add nothing: current usage does not move with the clock.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tallystick.core.contract import Contract
from tallystick.core.daily_usage import Item, Part
from tallystick.core.occasion import Occasion, Reason
from tallystick.core.periods import local_date, local_midnight
from tallystick.core.windows import Windows
from tallystick.flows.billing.due import Bill, running_windows
from tallystick.flows.billing.load import load_contracts
from tallystick.flows.usage.running import Running, rated_usage
from tallystick.ground import agenda
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx
from tallystick.rooms.metering import daily
from tallystick.rooms.metering.daily import Snapshot

DAY = dt.timedelta(days=1)
_RESOLUTION = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Look:
    """A subscription at the end of a local day: the windows of the period that the day lies in."""

    due: Due
    contract: Contract
    windows: Windows

    @property
    def on(self) -> dt.date:
        return local_date(self.due.due_at - _RESOLUTION, self.contract.customer.timezone)


async def note(tx: Tx, organization_id: uuid.UUID, from_at: dt.datetime, to_at: dt.datetime) -> None:
    """Look at the subscriptions that received events in [from, to) when the local day of the first one is over."""
    found = await daily.received(tx, organization_id, from_at, to_at)
    await agenda.put(
        tx,
        [
            Due(Kind.DAILY_USAGE, subscription_id, organization_id, _end_of_day(received_at, tz))
            for subscription_id, tz, received_at in found
        ],
    )


async def snapshot_due(tx: Tx, dues: Sequence[Due]) -> None:
    """Store the usage of the days that ended; also that of the last day of a period, after its invoice was made."""
    contracts = {one.subscription_id: one for one in await load_contracts(tx, [due.subject_id for due in dues])}
    looks = [look for due in dues if (look := _look(due, contracts[due.subject_id])) is not None]
    bills = [_bill(look) for look in looks]
    usages = await rated_usage(tx, bills, lambda bill: bill.contract.plan.charges)
    for at in {look.due.due_at for look in looks}:
        found = [_snapshot(look, one) for look, one in zip(looks, usages, strict=True) if look.due.due_at == at]
        await daily.store(tx, found, at)
    await agenda.put(tx, [next_due for look in looks if (next_due := _next(look)) is not None])


def _end_of_day(at: dt.datetime, tz: str) -> dt.datetime:
    return local_midnight(local_date(at, tz) + DAY, tz)


def _look(due: Due, contract: Contract) -> _Look | None:
    """None when the row did not run on that day or has no usage to bill."""
    at = due.due_at - _RESOLUTION
    started_at, ended_at = contract.started_at, contract.terminated_at
    if started_at is None or started_at > at:
        return None
    tz = contract.customer.timezone
    if ended_at is not None and ended_at < local_midnight(local_date(at, tz), tz):
        return None
    windows = running_windows(contract, min(at, ended_at or at))
    return _Look(due, contract, windows) if windows.charges is not None else None


def _bill(look: _Look) -> Bill:
    occasion = Occasion(look.contract.subscription_id, Reason.PROGRESSIVE, look.due.due_at)
    return Bill(look.contract, occasion, look.windows, plan_fee_due=False)


def _snapshot(look: _Look, usage: Running) -> Snapshot:
    window = look.windows.charges
    assert window is not None
    contract = look.contract
    return Snapshot(
        organization_id=contract.organization_id,
        customer_id=contract.customer.id,
        subscription_id=contract.subscription_id,
        usage_on=look.on,
        from_at=window.start_at,
        to_at=window.end_at,
        currency=contract.plan.currency,
        items=tuple(item for item in _items(usage) if item.says_something),
    )


def _items(usage: Running) -> Iterator[Item]:
    for charge, fees in usage.charges:
        for fee in fees:
            yield Item(
                charge_id=charge.id,
                metric_id=charge.metric.id,
                filter_id=fee.filter_id,
                grouped_by=fee.grouped_by,
                units=fee.units,
                events_count=fee.events_count or 0,
                amount_cents=fee.amount_cents,
                parts=tuple(Part(part.presentation_by, part.units) for part in fee.breakdowns),
            )


def _next(look: _Look) -> Due | None:
    """The end of the first day of the next period, for a row that carries units into it."""
    contract, window = look.contract, look.windows.charges
    assert window is not None
    if contract.status != "active" or not any(charge.metric.recurring for charge in contract.plan.charges):
        return None
    return Due(
        Kind.DAILY_USAGE,
        contract.subscription_id,
        contract.organization_id,
        _end_of_day(window.end_at, contract.customer.timezone),
    )
