"""Usage of running periods for a set of subscriptions: the billing pipeline, with nothing stored at its end.

What the API shows of one subscription is made of it in current.py, what thresholds and alerts compare in check.py.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tallystick.core.contract import ChargeTerms, Contract
from tallystick.core.invoice import FeeDraft
from tallystick.core.occasion import Occasion, Reason
from tallystick.core.windows import Window
from tallystick.flows.billing.due import Bill, running_windows
from tallystick.flows.billing.meter import NOTHING_LEFT_OUT, ChargeUsage, Narrowing
from tallystick.flows.billing.rate import Rater
from tallystick.flows.usage.peaks import measure_running
from tallystick.ground.db import Tx


@dataclass(frozen=True, slots=True)
class Running:
    """The running usage period of a subscription: a bill of its usage so far, and each charge with its fees."""

    bill: Bill
    charges: tuple[tuple[ChargeTerms, tuple[FeeDraft, ...]], ...]

    @property
    def subscription_id(self) -> uuid.UUID:
        """Whose usage it is."""
        return self.bill.contract.subscription_id

    @property
    def amount_cents(self) -> int:
        """Current usage without taxes, charges paid in advance included."""
        return sum(fee.amount_cents for _, fees in self.charges for fee in fees)

    def fees_of(self, metric_id: uuid.UUID) -> list[FeeDraft]:
        """The fees of a metric, one for each charge, bucket and group; none when the plan does not price it."""
        return [fee for charge, own in self.charges if charge.metric.id == metric_id for fee in own]

    @property
    def billable(self) -> tuple[FeeDraft, ...]:
        """What a progressive invoice bills: usage so far of charges that invoices bill in arrears (§5.4)."""
        arrears = (own for charge, own in self.charges if charge.invoiceable and not charge.pay_in_advance)
        return tuple(fee for own in arrears for fee in own if fee.units or fee.amount_cents or fee.events_count)


async def running_usage(tx: Tx, contracts: Sequence[Contract], at_of: Mapping[uuid.UUID, dt.datetime]) -> list[Running]:
    """Usage of the periods that run at their instants, to the ends of the periods (metering.md §7.1)."""
    bills = [_bill(contract, at_of[contract.subscription_id]) for contract in contracts]
    return await rated_usage(tx, bills, _charges)


async def whole_usage(
    tx: Tx, running: Sequence[Running], metric_ids: Mapping[uuid.UUID, set[uuid.UUID]]
) -> list[Running]:
    """The same with the usage of these metrics (subscription -> metrics) since the start of the row.

    Prorated charges have no such usage (metering.md §7.1, `full_usage`).
    """
    bills = [replace(one.bill, windows=replace(one.bill.windows, charges=_whole(one.bill))) for one in running]

    def chosen(bill: Bill) -> Iterable[ChargeTerms]:
        wanted = metric_ids.get(bill.contract.subscription_id, set())
        return (charge for charge in _charges(bill) if charge.metric.id in wanted and not charge.prorated)

    return await rated_usage(tx, bills, chosen)


def _bill(contract: Contract, at: dt.datetime) -> Bill:
    occasion = Occasion(contract.subscription_id, Reason.PROGRESSIVE, at)
    return Bill(contract, occasion, running_windows(contract, at), plan_fee_due=False)


def _whole(bill: Bill) -> Window:
    started_at, window = bill.contract.started_at, bill.windows.charges
    assert started_at is not None
    assert window is not None
    return Window(started_at, window.end_at)


async def rated_usage(
    tx: Tx,
    bills: Sequence[Bill],
    charges_of: Callable[[Bill], Iterable[ChargeTerms]],
    narrowing: Narrowing = NOTHING_LEFT_OUT,
) -> list[Running]:
    """Each bill with these charges and what their usage so far costs; empty fees stay, minimums do not apply (§7.1)."""
    rater = Rater()
    return [
        Running(bill, tuple((usage.charge, _fees(rater, bill, usage)) for usage in usages))
        for bill, usages in zip(bills, await measure_running(tx, bills, charges_of, narrowing), strict=True)
    ]


def _fees(rater: Rater, bill: Bill, usage: ChargeUsage) -> tuple[FeeDraft, ...]:
    return tuple(rater.fees(bill, [usage], invoiced=False))


def _charges(bill: Bill) -> Sequence[ChargeTerms]:
    return bill.contract.plan.charges if bill.charges_window else ()
