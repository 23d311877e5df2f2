"""What drafts owe to the terms of their customers: dates that move, and finalization before its time.

Issued invoices never move (invoicing.md §4.4).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import replace

from tallystick.core.contract import CustomerTerms
from tallystick.core.issuing import invoice_dates
from tallystick.core.periods import local_date, local_midnight
from tallystick.flows.billing.drafts import refresh
from tallystick.flows.billing.load import load_customers
from tallystick.ground import agenda
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx
from tallystick.rooms.invoices import draft_dates
from tallystick.rooms.invoices.draft_dates import DraftDates

#: drafts that are finalized in the transaction of the change; a change for more is completed in the background
AT_ONCE = 100
#: drafts of a deleted customer become final so long afterwards (customers_entitlements.md §1.9)
AFTER_DELETION = dt.timedelta(minutes=5)


async def move_drafts(tx: Tx, customer_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    """Give the drafts of customers the dates that their present terms ask for; finalize those that are due now.

    Dates follow from the day of the draft's timestamp, so this may be repeated.
    """
    drafts = await draft_dates.of_customers(tx, customer_ids)
    if not drafts:
        return
    terms = await load_customers(tx, {draft.customer_id for draft in drafts})
    wanted = [_dated(draft, terms[draft.customer_id]) for draft in drafts]
    await draft_dates.move(tx, [new for old, new in zip(drafts, wanted, strict=True) if new != old], at)
    await agenda.put(tx, [_finalization(draft, terms[draft.customer_id], at) for draft in wanted])
    due = [draft.id for draft in wanted if _is_due(draft, terms[draft.customer_id], at)]
    if len(due) <= AT_ONCE:
        await refresh(tx, dict.fromkeys(due, at), finalize=True)


def _dated(draft: DraftDates, terms: CustomerTerms) -> DraftDates:
    dates = invoice_dates(draft.billed_on, terms, graced=True, recurring=draft.recurring)
    return replace(draft, dates=dates, net_payment_term=terms.net_payment_term)


def _finalization(draft: DraftDates, terms: CustomerTerms, at: dt.datetime) -> Due:
    due_at = max(local_midnight(draft.dates.finalization_on, terms.timezone), at)
    return Due(Kind.FINALIZE_INVOICE, draft.id, draft.organization_id, due_at)


def _is_due(draft: DraftDates, terms: CustomerTerms, at: dt.datetime) -> bool:
    return draft.dates.finalization_on <= local_date(at, terms.timezone)


async def finalize_after_deletion(tx: Tx, customer_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    """The drafts of deleted customers become final five minutes later."""
    drafts = await draft_dates.ids_of_customers(tx, customer_ids)
    await agenda.put(
        tx,
        [
            Due(Kind.FINALIZE_INVOICE, invoice_id, organization_id, at + AFTER_DELETION)
            for organization_id, invoice_id in drafts
        ],
    )


async def finalize_of_plans(tx: Tx, plan_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    """The drafts with a subscription on these plans become final now (subscriptions.md §1.6)."""
    drafts = await draft_dates.ids_of_plans(tx, plan_ids)
    await refresh(tx, {invoice_id: at for _, invoice_id in drafts}, finalize=True)
