"""Current usage: the billing pipeline over the running period, with nothing stored at its end (metering.md §7.1)."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from tallystick.core.contract import ChargeTerms, Contract
from tallystick.core.invoice import Composition, FeeDraft, compose
from tallystick.core.occasion import Occasion, Reason
from tallystick.core.windows import Window
from tallystick.flows.billing.due import Bill, running_windows
from tallystick.flows.billing.load import load_contracts
from tallystick.flows.usage.asked import EVERYTHING, Asked
from tallystick.flows.usage.running import rated_usage
from tallystick.ground.db import Tx, fetch, query_text
from tallystick.ground.errors import NotAllowed, NotFound

_ACTIVE = query_text(__file__, "active")


@dataclass(frozen=True, slots=True)
class ChargeFees:
    """A charge with its fees, one for each bucket and group."""

    charge: ChargeTerms
    fees: tuple[FeeDraft, ...]


@dataclass(frozen=True, slots=True)
class CurrentUsage:
    """The running period of a subscription: what its usage amounts to so far."""

    contract: Contract
    window: Window
    charges: tuple[ChargeFees, ...]
    composition: Composition


async def current_usage(
    tx: Tx,
    organization_id: uuid.UUID,
    external_customer_id: str,
    external_subscription_id: str | None,
    at: dt.datetime,
    asked: Asked = EVERYTHING,
) -> CurrentUsage:
    """Usage to the end of the running period.

    404 `customer_not_found`, `charge_not_found`; 405 `no_active_subscription`, `full_usage_not_allowed`.
    """
    contract = await _contract(tx, organization_id, external_customer_id, external_subscription_id)
    charges = asked.charges(contract)
    windows = asked.windows(contract, running_windows(contract, at))
    bill = Bill(contract, Occasion(contract.subscription_id, Reason.PERIODIC, at), windows, plan_fee_due=False)
    (usage,) = await rated_usage(tx, [bill], lambda _: charges, asked.narrowing)
    found = [ChargeFees(charge, fees) for charge, fees in usage.charges]
    assert windows.charges is not None
    return CurrentUsage(contract, windows.charges, tuple(found), compose([fee for one in found for fee in one.fees]))


async def _contract(
    tx: Tx, organization_id: uuid.UUID, external_customer_id: str, external_subscription_id: str | None
) -> Contract:
    rows = await fetch(tx, _ACTIVE, organization_id, external_customer_id, external_subscription_id)
    if not rows:
        raise NotFound("customer")
    subscription_id = rows[0].subscription_id
    if subscription_id is None:
        raise NotAllowed("no_active_subscription")
    (contract,) = await load_contracts(tx, [subscription_id])
    return contract
