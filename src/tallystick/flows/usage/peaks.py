"""Running usage as it is shown: of charges paid in advance, peaks that are invoiced already stay visible.

metering.md §7.3. The twin of `flows/billing/meter.measure` for whoever looks at usage; invoices never pass here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count

from tallystick.core.contract import ChargeTerms
from tallystick.core.in_advance import Level, shown_usage
from tallystick.core.metering import MeterWindow
from tallystick.flows.billing.due import Bill
from tallystick.flows.billing.meter import NOTHING_LEFT_OUT, ChargeUsage, Narrowing, measure
from tallystick.ground.db import Tx
from tallystick.rooms.metering import in_advance
from tallystick.rooms.metering.in_advance import LevelKey


async def measure_running(
    tx: Tx,
    bills: Sequence[Bill],
    charges_of: Callable[[Bill], Iterable[ChargeTerms]],
    narrowing: Narrowing = NOTHING_LEFT_OUT,
) -> list[list[ChargeUsage]]:
    """For each bill of a running period, its charges with their usage so far, to be rated as it is."""
    charges = [list(charges_of(bill)) for bill in bills]
    asked = {id(bill): [_unrounded(charge) for charge in own] for bill, own in zip(bills, charges, strict=True)}
    usages = await measure(tx, bills, lambda bill: asked[id(bill)], narrowing, again=True)
    keys = count()
    windows = [
        [_window(next(keys), bill, usage, narrowing) for usage in own] for bill, own in zip(bills, usages, strict=True)
    ]
    prepaid = [window for own in windows for window in own if window.charge.pay_in_advance]
    levels = await in_advance.levels(tx, prepaid) if prepaid else {}
    return [
        [_shown(*one, levels) for one in zip(*own, strict=True)] for own in zip(windows, usages, charges, strict=True)
    ]


def _unrounded(charge: ChargeTerms) -> ChargeTerms:
    """The charge as it is measured: levels and peaks are those of exact units, which are rounded only when shown."""
    return replace(charge, metric=replace(charge.metric, rounding_function=None)) if charge.pay_in_advance else charge


def _shown(
    window: MeterWindow, usage: ChargeUsage, charge: ChargeTerms, levels: Mapping[LevelKey, Level]
) -> ChargeUsage:
    if not charge.pay_in_advance and not charge.prorated:
        return usage
    buckets = []
    for bucket in usage.buckets:
        level = levels.get((window.key, bucket.filter_id, tuple(bucket.grouped_by.items())))
        buckets.append(replace(bucket, usage=shown_usage(window, charge, bucket.usage, level)))
    return replace(usage, charge=charge, buckets=buckets)


def _window(key: int, bill: Bill, usage: ChargeUsage, narrowing: Narrowing) -> MeterWindow:
    """What was measured."""
    assert bill.charges_window is not None
    return MeterWindow(
        key=key,
        organization_id=bill.contract.organization_id,
        external_subscription_id=bill.contract.external_id,
        charge=usage.charge,
        start_at=bill.charges_window.start_at,
        end_at=bill.charges_window.end_at,
        timezone=bill.contract.customer.timezone,
        duration_days=usage.duration_days,
        window_days=usage.window_days,
        only=narrowing.only,
    )
