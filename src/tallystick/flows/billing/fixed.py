"""The fees of fixed charges: of periods that end, and in advance of periods that start (subscriptions.md §4.5).

More units within a period paid in advance are `unit_changes`; the arithmetic is the core's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from tallystick.core.contract import FixedChargeTerms, TaxTerms
from tallystick.core.explain import fixed_charge_trace
from tallystick.core.fixed_charges import AFTER_START, UnitRecord, price_of_units, rated_units, upgrade_credit_cents
from tallystick.core.invoice import FeeDraft, FeeType
from tallystick.core.money import ZERO
from tallystick.core.occasion import Reason
from tallystick.core.rating import fee_amounts, tariff
from tallystick.core.taxes import winning
from tallystick.core.windows import Window
from tallystick.flows.billing.due import Bill
from tallystick.ground.db import Tx
from tallystick.ground.ids import new_id
from tallystick.rooms.invoices import billed
from tallystick.rooms.subscriptions import units


@dataclass(frozen=True, slots=True)
class Position:
    """A fixed charge of a bill with the window that is billed; `draft_id` is the invoice that is made again."""

    place: int
    bill: Bill
    charge: FixedChargeTerms
    window: Window
    full_days: int
    draft_id: UUID | None

    @property
    def seen_window(self) -> Window:
        """Where records of units count: a change at the very end of a row does not (rating.md pitfall 20)."""
        terminated_at = self.bill.contract.terminated_at
        if terminated_at is None or terminated_at >= self.window.end_at:
            return self.window
        return Window(self.window.start_at, max(self.window.start_at, terminated_at))

    @property
    def seen_before(self) -> dt.datetime | None:
        """What is billed in advance leaves out changes that were billed apart since."""
        return self.bill.occasion.at if self.charge.pay_in_advance else None


async def fixed_fees(tx: Tx, bills: Sequence[Bill], draft_ids: Sequence[UUID | None]) -> list[list[FeeDraft]]:
    """For each bill the fees of its fixed charges, in a constant number of queries."""
    fees: list[list[FeeDraft]] = [[] for _ in bills]
    positions = await _not_billed(tx, list(_positions(bills, draft_ids)))
    if not positions:
        return fees
    wanted = [
        units.Wanted(one.bill.contract.subscription_id, one.charge.id, one.seen_window, one.seen_before)
        for one in positions
    ]
    records = await units.records_of(tx, wanted)
    credits = await _credits(tx, positions)
    for one, found, credit_cents in zip(positions, records, credits, strict=True):
        fees[one.place].append(_fee(one, _assumed(one) or found, credit_cents))
    return fees


def _assumed(one: Position) -> list[UnitRecord]:
    """The record that its start would write, for a row that has not started; nothing for any other."""
    contract = one.bill.contract
    if contract.assumed_units is None:
        return []
    assert contract.started_at is not None
    return [UnitRecord(contract.started_at + AFTER_START, contract.assumed_units[one.charge.id])]


def _positions(bills: Sequence[Bill], draft_ids: Sequence[UUID | None]) -> Iterator[Position]:
    for place, (bill, draft_id) in enumerate(zip(bills, draft_ids, strict=True)):
        windows = bill.windows
        for charge in bill.contract.plan.fixed_charges:
            window, days = windows.fixed, windows.fixed_duration_days
            if charge.pay_in_advance:
                window, days = windows.fixed_in_advance, windows.fixed_in_advance_duration_days
            if window is not None and not window.is_empty:
                yield Position(place, bill, charge, window, days, draft_id)


async def _not_billed(tx: Tx, positions: Sequence[Position]) -> list[Position]:
    """A period is paid in advance once (rating.md §16.3)."""
    asked = [one for one in positions if one.charge.pay_in_advance]
    if not asked:
        return list(positions)
    found = await billed.units_in_advance(tx, [_in_advance(one) for one in asked])
    done = {id(one) for one, earlier in zip(asked, found, strict=True) if earlier.is_billed}
    return [one for one in positions if id(one) not in done]


def _in_advance(one: Position) -> billed.InAdvance:
    subscription_id = one.bill.contract.subscription_id
    return billed.InAdvance(subscription_id, one.charge.id, one.charge.parent_id, one.window, one.draft_id)


async def _credits(tx: Tx, positions: Sequence[Position]) -> list[int]:
    """What old plans paid of the first windows of new ones, in minor units (rating.md §16.3)."""
    asked = {
        place: (previous, one.charge.add_on_id, one.window)
        for place, one in enumerate(positions)
        if (previous := one.bill.contract.previous_subscription_id) is not None and _is_first_of_upgrade(one)
    }
    found = dict(zip(asked, await billed.old_fees(tx, list(asked.values())), strict=True)) if asked else {}
    return [
        upgrade_credit_cents(old.amount_cents, old.billed_at, old.period, one.window) if old is not None else 0
        for place, one in enumerate(positions)
        for old in (found.get(place),)
    ]


def _is_first_of_upgrade(one: Position) -> bool:
    first = one.bill.occasion.reason in (Reason.STARTING, Reason.IN_ADVANCE_CHARGE)
    return one.charge.pay_in_advance and one.charge.prorated and first


def _fee(one: Position, records: Sequence[UnitRecord], credit_cents: int) -> FeeDraft:
    contract, charge, window = one.bill.contract, one.charge, one.window
    currency = contract.plan.currency
    rated = rated_units(records, window, one.full_days, contract.customer.timezone, prorated=charge.prorated)
    found = tariff(charge.model, charge.properties, prorated=charge.prorated, currency=currency)
    price = price_of_units(found, rated)
    amounts = fee_amounts(price.amount, price.unit_amount, currency)
    return FeeDraft(
        id=new_id(),
        subscription_id=contract.subscription_id,
        fee_type=FeeType.FIXED_CHARGE,
        currency=currency,
        amount_cents=max(amounts.amount_cents - credit_cents, 0),
        precise_amount_cents=max(amounts.precise_amount_cents - credit_cents, ZERO),
        units=price.units,
        unit_amount=amounts.precise_unit_amount,
        taxes=taxes_of(one.bill, charge),
        fixed_charge_id=charge.id,
        add_on_id=charge.add_on_id,
        total_aggregated_units=price.units,
        details={} if charge.pay_in_advance else price.details,
        pay_in_advance=charge.pay_in_advance,
        period_from_at=window.start_at,
        period_to_at=window.end_at,
        trace=fixed_charge_trace(charge, rated, price, amounts, window, one.full_days, credit_cents),
    )


def taxes_of(bill: Bill, charge: FixedChargeTerms) -> tuple[TaxTerms, ...]:
    """The set that wins: its own, the plan's, the customer's (rating.md §18)."""
    contract = bill.contract
    return winning(charge.taxes, contract.plan.taxes, contract.customer.taxes)
