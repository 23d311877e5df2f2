"""Bill a set of occasions in the caller's transaction: the whole pipeline, once, for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from tallystick.core.contract import Contract
from tallystick.core.invoice import FeeDraft, with_taxes
from tallystick.core.occasion import Occasion
from tallystick.flows.billing.billed_before import less_billed_before
from tallystick.flows.billing.compose import Rated, draft_invoices, waits
from tallystick.flows.billing.credit_notes.surplus import Surplus, credit_surpluses
from tallystick.flows.billing.due import Bill, bill_of
from tallystick.flows.billing.lines import fees_of
from tallystick.flows.billing.load import load_contracts
from tallystick.flows.billing.rate import stands_alone
from tallystick.flows.billing.reductions import load_reductions
from tallystick.flows.billing.write import write
from tallystick.ground.db import Tx
from tallystick.ground.tables import Customer
from tallystick.rooms.invoices import standalone
from tallystick.rooms.invoices.standalone import Standalone


async def bill(tx: Tx, occasions: Sequence[Occasion], contracts: Sequence[Contract] | None = None) -> list[UUID]:
    """Make the invoices of these occasions; returns their ids. A constant number of queries, whatever the number.

    `contracts` saves loading what the caller has just loaded and not changed.
    """
    if not occasions:
        return []
    if contracts is None:
        contracts = await load_contracts(tx, [occasion.subscription_id for occasion in occasions])
    await lock_customers(tx, [contract.customer.id for contract in contracts])
    by_id = {contract.subscription_id: contract for contract in contracts}
    bills = [bill_of(by_id[occasion.subscription_id], occasion) for occasion in occasions]
    fees = list(zip(bills, await fees_of(tx, bills), strict=True))
    rated = [Rated(item, tuple(fee for fee in own if not stands_alone(fee))) for item, own in fees]
    await _write_alone(tx, [(item, fee) for item, own in fees for fee in own if stands_alone(fee)])
    return await issue(tx, rated)


async def issue(tx: Tx, rated: Sequence[Rated]) -> list[UUID]:
    """Make the invoices of rated bills, whose customers are locked; returns their ids."""
    rated = await less_billed_before(tx, rated)
    final = [item for item in rated if not waits(item.bill)]
    await credit_surpluses(tx, [Surplus(*item.surplus, item.bill.occasion.at) for item in final if item.surplus])
    reductions = await load_reductions(tx, {item.bill.contract.customer.id for item in rated})
    documents = await write(tx, draft_invoices(rated, reductions))
    await reductions.store(tx)
    return [document.id for document in documents]


async def _write_alone(tx: Tx, fees: Sequence[tuple[Bill, FeeDraft]]) -> None:
    """Fees that stand on no invoice; they are told of before the invoices (webhooks.md §2.2, 26)."""
    alone = [
        Standalone(item.contract.organization_id, item.contract.customer.id, with_taxes(fee), item.occasion.at)
        for item, fee in fees
    ]
    await standalone.write(tx, alone)
    await standalone.announce(tx, alone)


async def lock_customers(tx: Tx, customer_ids: Sequence[UUID]) -> None:
    """The customer row is the lock for all that moves the customer's money; sets lock in the order of ids."""
    await tx.execute(
        select(Customer.id).where(Customer.id.in_(set(customer_ids))).order_by(Customer.id).with_for_update()
    )
