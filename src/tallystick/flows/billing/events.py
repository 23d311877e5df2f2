"""Events of charges paid in advance become fees at once, each on an invoice of its own or alone (invoicing.md §12).

A set of events is priced together, in a constant number of queries; ticks have nothing to do with it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from tallystick.core.in_advance import is_billed_at_once
from tallystick.core.invoice import FeeDraft, with_taxes
from tallystick.core.issuing import invoice_dates
from tallystick.core.occasion import Occasion, Reason
from tallystick.core.periods import local_date
from tallystick.flows.billing.awaited import known_taxes, status_with_taxes
from tallystick.flows.billing.compose import Draft, Header, Rated, final_status
from tallystick.flows.billing.due import Bill
from tallystick.flows.billing.event_fees import Sale, event_fees, period_of
from tallystick.flows.billing.load import load_contracts
from tallystick.flows.billing.reductions import Reductions, load_reductions
from tallystick.flows.billing.run import lock_customers
from tallystick.flows.billing.write import write
from tallystick.ground.agenda import Due
from tallystick.ground.db import Tx, load_query
from tallystick.ground.tables import Event
from tallystick.rooms.invoices import standalone
from tallystick.rooms.invoices.standalone import Standalone
from tallystick.rooms.metering import store

_SUBSCRIPTIONS = load_query(__file__, "subscriptions_of_events")


async def bill_events_due(tx: Tx, dues: Sequence[Due]) -> None:
    """Price the events of these entries, once for ever: what has a fee already gets no other (metering.md §6.1)."""
    sales = await _unbilled(tx, await _sales(tx, dues))
    priced = list(zip(sales, await event_fees(tx, sales), strict=True))
    alone = [_alone(sale, fee) for sale, fee in priced if not sale.charge.invoiceable]
    await standalone.write(tx, alone)
    await standalone.announce(tx, alone)
    invoiced = [(sale, fee) for sale, fee in priced if sale.charge.invoiceable]
    reductions = await load_reductions(tx, {sale.contract.customer.id for sale, _ in invoiced})
    await write(tx, [_draft(sale, fee, reductions) for sale, fee in invoiced])
    await reductions.store(tx)


async def _sales(tx: Tx, dues: Sequence[Due]) -> list[Sale]:
    """What the events are of charges paid in advance, with their customers locked, in the order of the entries."""
    events = await store.received(tx, [(due.organization_id, due.subject_id, due.due_at) for due in dues])
    owner_of, customer_ids = await _owners(tx, list(events.values()))
    await lock_customers(tx, customer_ids)
    found = await load_contracts(tx, list(dict.fromkeys(owner_of.values())))
    contracts = {contract.subscription_id: contract for contract in found}
    sales = []
    for due in dues:
        event = events.get(due.subject_id)
        if event is None or event.id not in owner_of:
            continue
        contract = contracts[owner_of[event.id]]
        sales += [
            Sale(event, contract, charge, period_of(contract, event), due.due_at)
            for charge in contract.plan.charges
            if is_billed_at_once(charge, event.code, event.properties)
        ]
    return sales


async def _owners(tx: Tx, events: Sequence[Event]) -> tuple[dict[uuid.UUID, uuid.UUID], list[uuid.UUID]]:
    """(event -> subscription, customers); an event that belongs to none is absent."""
    rows = (
        await tx.execute(
            _SUBSCRIPTIONS,
            {
                "ids": [event.id for event in events],
                "organizations": [event.organization_id for event in events],
                "names": [event.external_subscription_id for event in events],
                "instants": [event.timestamp for event in events],
            },
        )
    ).all()
    return {row.event_id: row.subscription_id for row in rows}, [row.customer_id for row in rows]


async def _unbilled(tx: Tx, sales: Sequence[Sale]) -> list[Sale]:
    pairs = [(sale.contract.subscription_id, sale.event.transaction_id) for sale in sales]
    billed = await standalone.billed_events(tx, pairs) if pairs else set()
    return [
        sale
        for sale, (subscription_id, transaction_id) in zip(sales, pairs, strict=True)
        if (subscription_id, transaction_id, sale.charge.id, sale.filter_id) not in billed
    ]


def _alone(sale: Sale, fee: FeeDraft) -> Standalone:
    return Standalone(sale.contract.organization_id, sale.contract.customer.id, with_taxes(fee), sale.at)


def _draft(sale: Sale, fee: FeeDraft, reductions: Reductions) -> Draft:
    """The invoice of one fee, without grace; it is dated by the event (invoicing.md §4.2, §12)."""
    contract = sale.contract
    header = Header(
        organization_id=contract.organization_id,
        customer=contract.customer,
        issuer=contract.issuer,
        invoice_type="subscription",
        currency=contract.plan.currency,
        purchase_order_number=contract.purchase_order_number,
        at=sale.at,
    )
    customer = contract.customer
    composition = reductions.compose(
        customer.id,
        known_taxes([fee], customer),
        [contract],
        currency=header.currency,
        at=sale.at,
        taxes_known=not customer.taxes_pending,
    )
    on = local_date(sale.event.timestamp, contract.customer.timezone)
    dates = invoice_dates(on, contract.customer, graced=False, recurring=False)
    occasion = Occasion(contract.subscription_id, Reason.IN_ADVANCE_CHARGE, sale.event.timestamp)
    bill = Bill(contract, occasion, sale.windows, plan_fee_due=False)
    status = status_with_taxes(final_status(composition, customer), customer)
    return Draft(header, composition, dates, status, (Rated(bill, (fee,)),))
