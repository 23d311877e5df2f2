"""Ask metering for the usage of a set of bills, all at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tallystick.core.contract import ChargeTerms
from tallystick.core.metering import Breakdown, MeteredBucket, MeterWindow
from tallystick.core.proration import sub_days
from tallystick.flows.billing.due import Bill, rated_charges
from tallystick.ground.db import Tx
from tallystick.rooms.metering.breakdowns import break_down
from tallystick.rooms.metering.measure import meter

GroupKey = tuple[UUID | None, tuple[tuple[str, str | None], ...]]


def group_key(part: MeteredBucket | Breakdown) -> GroupKey:
    """What names a bucket and group within a charge."""
    return part.filter_id, tuple(part.grouped_by.items())


@dataclass(frozen=True, slots=True)
class ChargeUsage:
    """A charge of a bill with its buckets; `window_days` of `duration_days` are billed."""

    charge: ChargeTerms
    window_days: int
    duration_days: int
    buckets: list[MeteredBucket] = field(default_factory=list)
    #: (filter, items of the group) -> the parts of its units by presentation keys
    breakdowns: dict[GroupKey, list[Breakdown]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What usage queries leave out: events without these properties, presentation keys (None: no key)."""

    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    presented: Collection[str] | None = None


NOTHING_LEFT_OUT = Narrowing()


async def measure(
    tx: Tx,
    bills: Sequence[Bill],
    charges_of: Callable[[Bill], Iterable[ChargeTerms]] = rated_charges,
    narrowing: Narrowing = NOTHING_LEFT_OUT,
    *,
    again: bool = False,
) -> list[list[ChargeUsage]]:
    """For each bill, its charges with their usage: those that an invoice rates, unless told otherwise.

    `again`: the same is going to be measured again, as running usage is; it is then worth a rollup.
    """
    windows: list[MeterWindow] = []
    usages: dict[int, list[ChargeUsage]] = defaultdict(list)
    asked: list[ChargeUsage] = []
    for place, bill in enumerate(bills):
        for charge in charges_of(bill):
            window = _window(len(asked), bill, charge, narrowing)
            usage = ChargeUsage(charge, window.window_days, window.duration_days)
            windows.append(window)
            asked.append(usage)
            usages[place].append(usage)
    for bucket in await meter(tx, windows, again=again) if windows else ():
        asked[bucket.key].buckets.append(bucket)
    for part in await break_down(tx, windows, narrowing.presented, again=again):
        asked[part.key].breakdowns.setdefault(group_key(part), []).append(part)
    return [usages[place] for place in range(len(bills))]


def _window(key: int, bill: Bill, charge: ChargeTerms, narrowing: Narrowing) -> MeterWindow:
    window, contract = bill.charges_window, bill.contract
    assert window is not None
    tz = contract.customer.timezone
    return MeterWindow(
        key=key,
        organization_id=contract.organization_id,
        external_subscription_id=contract.external_id,
        charge=charge,
        start_at=window.start_at,
        end_at=window.end_at,
        timezone=tz,
        duration_days=bill.windows.charges_duration_days,
        window_days=sub_days(window, tz, contract.upgraded_at),
        only=narrowing.only,
    )
