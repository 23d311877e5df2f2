"""Ask metering for the usage of a set of bills, all at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tallystick.core.contract import ChargeTerms
from tallystick.core.metering import MeteredBucket, MeterWindow
from tallystick.core.proration import sub_days
from tallystick.flows.billing.due import Bill, rated_charges
from tallystick.ground.db import Tx
from tallystick.rooms.metering.measure import meter


@dataclass(frozen=True, slots=True)
class ChargeUsage:
    """A charge of a bill with its buckets; `window_days` of `duration_days` are billed."""

    charge: ChargeTerms
    window_days: int
    duration_days: int
    buckets: list[MeteredBucket] = field(default_factory=list)


async def measure(
    tx: Tx, bills: Sequence[Bill], charges_of: Callable[[Bill], Iterable[ChargeTerms]] = rated_charges
) -> list[list[ChargeUsage]]:
    """For each bill, its charges with their usage: those that an invoice rates, unless told otherwise."""
    windows: list[MeterWindow] = []
    usages: dict[int, list[ChargeUsage]] = defaultdict(list)
    asked: list[ChargeUsage] = []
    for place, bill in enumerate(bills):
        for charge in charges_of(bill):
            window = _window(len(asked), bill, charge)
            usage = ChargeUsage(charge, window.window_days, window.duration_days)
            windows.append(window)
            asked.append(usage)
            usages[place].append(usage)
    for bucket in await meter(tx, windows) if windows else ():
        asked[bucket.key].buckets.append(bucket)
    return [usages[place] for place in range(len(bills))]


def _window(key: int, bill: Bill, charge: ChargeTerms) -> MeterWindow:
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
    )
