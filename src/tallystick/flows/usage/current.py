"""Current usage: the billing pipeline over the running period, with nothing stored at its end (metering.md §7.1)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import select

from tallystick.core.contract import ChargeTerms, Contract
from tallystick.core.invoice import Composition, FeeDraft, compose
from tallystick.core.occasion import Occasion, Reason
from tallystick.core.windows import Window, current_windows
from tallystick.flows.billing.due import Bill
from tallystick.flows.billing.load import load_contracts
from tallystick.flows.billing.meter import measure
from tallystick.flows.billing.rate import Rater
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotAllowed, NotFound
from tallystick.ground.tables import Customer, Subscription

Chosen = Callable[[ChargeTerms], bool]


@dataclass(frozen=True, slots=True)
class ChargeLines:
    """A charge with its fees, one for each bucket and group."""

    charge: ChargeTerms
    fees: tuple[FeeDraft, ...]


@dataclass(frozen=True, slots=True)
class CurrentUsage:
    """The running period of a subscription: what its usage amounts to so far."""

    contract: Contract
    window: Window
    lines: tuple[ChargeLines, ...]
    composition: Composition


async def current_usage(
    tx: Tx,
    organization_id: uuid.UUID,
    external_customer_id: str,
    external_subscription_id: str | None,
    at: dt.datetime,
    chosen: Chosen | None = None,
) -> CurrentUsage:
    """Usage to the end of the running period; `chosen` keeps some charges, 404 `charge_not_found` when none is left."""
    contract = await _contract(tx, organization_id, external_customer_id, external_subscription_id)
    assert contract.started_at is not None
    windows = current_windows(contract.schedule, contract.started_at, contract.terminated_at, at)
    charges = _charges(contract, chosen)
    bill = Bill(contract, Occasion(contract.subscription_id, Reason.PERIODIC, at), windows, plan_fee_due=False)
    (usages,) = await measure(tx, [bill], lambda _: charges)
    rater = Rater()
    lines = [ChargeLines(usage.charge, tuple(rater.fees(bill, [usage], invoiced=False))) for usage in usages]
    assert windows.charges is not None
    return CurrentUsage(contract, windows.charges, tuple(lines), compose([fee for line in lines for fee in line.fees]))


def _charges(contract: Contract, chosen: Chosen | None) -> Iterable[ChargeTerms]:
    """All usage charges by metric name, or the chosen ones in their own order (metering.md §7.1)."""
    if chosen is None:
        return sorted(contract.plan.charges, key=lambda charge: charge.metric.name.lower())
    charges = [charge for charge in contract.plan.charges if chosen(charge)]
    if not charges:
        raise NotFound("charge")
    return charges


async def _contract(
    tx: Tx, organization_id: uuid.UUID, external_customer_id: str, external_subscription_id: str | None
) -> Contract:
    customer_id = await tx.scalar(
        select(Customer.id).where(
            Customer.organization_id == organization_id,
            Customer.external_id == external_customer_id,
            Customer.deleted_at.is_(None),
        )
    )
    if customer_id is None:
        raise NotFound("customer")
    subscription_id = await tx.scalar(
        select(Subscription.id).where(
            Subscription.organization_id == organization_id,
            Subscription.customer_id == customer_id,
            Subscription.external_id == external_subscription_id,
            Subscription.status == "active",
        )
    )
    if subscription_id is None:
        raise NotAllowed("no_active_subscription")
    (contract,) = await load_contracts(tx, [subscription_id])
    return contract
