"""More units of fixed charges within a period that was paid in advance: an invoice of their own (rating.md §16.4).

Who changed the units, and when they count otherwise, is decided by `flows/lifecycle`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallystick.core.contract import FixedChargeTerms
from tallystick.core.explain import raise_trace
from tallystick.core.fixed_charges import price_of_raise, raise_of
from tallystick.core.invoice import FeeDraft, FeeType, Purpose
from tallystick.core.occasion import Occasion, Reason
from tallystick.core.rating import fee_amounts, tariff
from tallystick.flows.billing.compose import Rated
from tallystick.flows.billing.due import Bill, bill_of
from tallystick.flows.billing.fixed import taxes_of
from tallystick.flows.billing.load import load_contracts
from tallystick.flows.billing.run import issue, lock_customers
from tallystick.ground.db import Tx
from tallystick.ground.ids import new_id
from tallystick.rooms.invoices import billed
from tallystick.rooms.invoices.billed import InAdvance


@dataclass(frozen=True, slots=True)
class UnitsChange:
    """At `at` a subscription has other units of these fixed charges."""

    subscription_id: uuid.UUID
    units_of: Mapping[uuid.UUID, Decimal]
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class _Raised:
    """A changed fixed charge of the bill in this place."""

    place: int
    bill: Bill
    charge: FixedChargeTerms
    units: Decimal

    def earlier(self) -> InAdvance:
        """What to ask of the period so far."""
        window = self.bill.windows.fixed_in_advance
        assert window is not None
        return InAdvance(self.bill.contract.subscription_id, self.charge.id, self.charge.parent_id, window)


async def bill_unit_changes(tx: Tx, changes: Sequence[UnitsChange]) -> list[uuid.UUID]:
    """One invoice for each subscription with a fee for each changed fixed charge that is paid in advance.

    Fewer units give a fee of nothing, which documents the change. Returns the invoices' ids.
    """
    if not changes:
        return []
    contracts = await load_contracts(tx, [change.subscription_id for change in changes])
    await lock_customers(tx, [contract.customer.id for contract in contracts])
    bills = [
        bill_of(contract, Occasion(contract.subscription_id, Reason.IN_ADVANCE_CHARGE, change.at))
        for contract, change in zip(contracts, changes, strict=True)
    ]
    raised = [
        _Raised(place, bill, charge, change.units_of[charge.id])
        for place, (bill, change) in enumerate(zip(bills, changes, strict=True))
        for charge in bill.contract.plan.fixed_charges
        if charge.pay_in_advance and charge.id in change.units_of
    ]
    fees: list[list[FeeDraft]] = [[] for _ in bills]
    earlier = await billed.units_in_advance(tx, [one.earlier() for one in raised])
    for one, found in zip(raised, earlier, strict=True):
        fees[one.place].append(_fee(one, found.units))
    return await issue(tx, [Rated(bill, tuple(own)) for bill, own in zip(bills, fees, strict=True) if own])


def _fee(one: _Raised, billed_units: Decimal) -> FeeDraft:
    charge, contract, windows = one.charge, one.bill.contract, one.bill.windows
    window, full_days = windows.fixed_in_advance, windows.fixed_in_advance_duration_days
    assert window is not None
    currency, tz = contract.plan.currency, contract.customer.timezone
    at = one.bill.occasion.at
    added = raise_of(one.units, billed_units, window, full_days, tz, at, prorated=charge.prorated)
    price = price_of_raise(tariff(charge.model, charge.properties, prorated=False, currency=currency), added)
    amounts = fee_amounts(price.amount, price.unit_amount, currency)
    fee_id = new_id()
    return FeeDraft(
        id=fee_id,
        subscription_id=contract.subscription_id,
        fee_type=FeeType.FIXED_CHARGE,
        purpose=Purpose.UNITS,
        currency=currency,
        amount_cents=amounts.amount_cents,
        precise_amount_cents=amounts.precise_amount_cents,
        units=price.units,
        unit_amount=amounts.precise_unit_amount,
        taxes=taxes_of(one.bill, charge),
        fixed_charge_id=charge.id,
        add_on_id=charge.add_on_id,
        total_aggregated_units=price.units,
        pay_in_advance=True,
        period_from_at=window.start_at,
        period_to_at=window.end_at,
        # a period may see many changes: each is its own thing in the key that lets nothing be billed twice
        event_transaction_id=str(fee_id),
        trace=raise_trace(charge, one.units, billed_units, added, price, amounts, window, full_days),
    )
