"""Drafts: recomputed from scratch with the windows they were made for, and finalized when their grace ends.

A draft keeps its id, timestamp and reason (invoicing.md §9); prices, taxes and events are those of the moment.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from tallystick.core.invoice import Composition
from tallystick.core.issuing import InvoiceDates, dates_at_finalization, draft_number
from tallystick.core.occasion import Reason
from tallystick.core.periods import local_date
from tallystick.flows.billing.awaited import PENDING, known_taxes, status_with_taxes, tax_status
from tallystick.flows.billing.billed_before import less_billed_before
from tallystick.flows.billing.compose import Rated, final_status
from tallystick.flows.billing.credit_notes import drafts as draft_notes
from tallystick.flows.billing.credit_notes.surplus import Surplus, credit_surpluses
from tallystick.flows.billing.due import Bill, rated_charges
from tallystick.flows.billing.lines import fees_of
from tallystick.flows.billing.reductions import Reductions, load_reductions
from tallystick.flows.billing.run import lock_customers
from tallystick.flows.billing.sections import Computed, apply_sections
from tallystick.flows.billing.stored import bills_of
from tallystick.flows.billing.wallets.consumption import take_prepaid
from tallystick.flows.billing.write import announce, numbered
from tallystick.flows.usage.marks import mark
from tallystick.ground import agenda, outbox
from tallystick.ground.agenda import Due
from tallystick.ground.db import Tx
from tallystick.ground.outbox import Message
from tallystick.ground.tables import Invoice
from tallystick.rooms.invoices import ledger, stale
from tallystick.rooms.invoices.ledger import Document
from tallystick.rooms.invoices.transitions import OF_DRAFTS


async def finalize_due(tx: Tx, dues: Sequence[Due]) -> None:
    """The grace of these drafts is over."""
    await refresh(tx, {due.subject_id: due.due_at for due in dues}, finalize=True)


async def refresh_due(tx: Tx, dues: Sequence[Due]) -> None:
    """Prices or taxes of these drafts changed; those without an active subscription wait for their end (§9.1)."""
    at_of = {due.subject_id: due.due_at for due in dues}
    await refresh(tx, {invoice_id: at_of[invoice_id] for invoice_id in await stale.stale(tx, list(at_of))})


async def refresh(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime], *, finalize: bool = False) -> None:
    """Recompute drafts at their instants, and make them final when asked to (invoicing.md §9.1, §9.2).

    What is no draft, or none of subscriptions, is left alone.
    """
    invoices = await _drafts(tx, list(at_of))
    bills = await bills_of(tx, [invoice.id for invoice in invoices])
    every = [bill for invoice in invoices for bill in bills[invoice.id]]
    own_ids = [invoice.id for invoice in invoices for _ in bills[invoice.id]]
    fees_of_bills = await fees_of(tx, every, draft_ids=own_ids, charges_of=rated_charges)
    rated = [Rated(bill, tuple(fees)) for bill, fees in zip(every, fees_of_bills, strict=True)]
    rated_of = {id(item.bill): item for item in await less_billed_before(tx, rated, own_ids)}
    if finalize:
        await credit_surpluses(
            tx,
            [
                Surplus(*found, at_of[invoice.id])
                for invoice in invoices
                for bill in bills[invoice.id]
                if (found := rated_of[id(bill)].surplus)
            ],
        )
    # without customers nothing is reduced: a draft stays as it is
    reductions = await load_reductions(tx, [invoice.customer_id for invoice in invoices] if finalize else [])
    documents = []
    for invoice in invoices:
        own, at = bills[invoice.id], at_of[invoice.id]
        composition = _composed(invoice, [rated_of[id(bill)] for bill in own], reductions, at)
        documents.append(_document(invoice, own, composition, at, finalize=finalize))
    documents = await numbered(tx, documents)
    await _tell_of_taxes(tx, invoices, documents)
    notes = await draft_notes.hold(tx, [document.id for document in documents])
    await ledger.rewrite(tx, documents)
    await apply_sections(tx, [_computed(item, bills[item.id]) for item in documents], new=False)
    await reductions.store(tx)
    final = [document for document in documents if document.status != "draft"]
    await agenda.remove(tx, OF_DRAFTS, [document.id for document in final])
    await take_prepaid(tx, final)
    await announce(tx, final)
    await draft_notes.make_again(tx, notes, at_of)
    await mark(tx, {bill.contract.subscription_id: at_of[row.id] for row in invoices for bill in bills[row.id]})


def _composed(invoice: Invoice, rated: Sequence[Rated], reductions: Reductions, at: dt.datetime) -> Composition:
    customer = rated[0].bill.contract.customer
    return reductions.compose(
        invoice.customer_id,
        known_taxes([fee for item in rated for fee in item.fees], customer),
        [item.bill.contract for item in rated],
        currency=invoice.currency,
        at=at,
        billed_before=[credit for item in rated for credit in item.billed_before],
        invoice_id=invoice.id,
        taxes_known=not customer.taxes_pending,
    )


async def _tell_of_taxes(tx: Tx, before: Sequence[Invoice], after: Sequence[Document]) -> None:
    """Drafts that had waited for their taxes and have them now (invoicing.md §19)."""
    ready = [
        Message(new.organization_id, "invoice.ready_to_finalize", new.id, new.written_at)
        for old, new in zip(before, after, strict=True)
        if old.tax_status == PENDING and new.status == "draft" and new.tax_status is None
    ]
    await outbox.emit(tx, ready)


async def _drafts(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> list[Invoice]:
    customers = await tx.scalars(select(Invoice.customer_id).where(Invoice.id.in_(invoice_ids)))
    await lock_customers(tx, list(customers))
    statement = (
        select(Invoice)
        .where(Invoice.id.in_(invoice_ids), Invoice.status == "draft", Invoice.invoice_type == "subscription")
        .order_by(Invoice.created_at, Invoice.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(await tx.scalars(statement))


def _document(
    invoice: Invoice, bills: Sequence[Bill], composition: Composition, at: dt.datetime, *, finalize: bool
) -> Document:
    contract = bills[0].contract
    terms = contract.customer
    dates = InvoiceDates(invoice.issuing_date, invoice.expected_finalization_date, invoice.payment_due_date)
    status = "draft"
    if finalize:
        recurring = any(bill.occasion.reason is Reason.PERIODIC for bill in bills)
        on = local_date(at, terms.timezone)
        issuing_on, due_on = dates_at_finalization(invoice.issuing_date, on, terms, recurring=recurring)
        dates = replace(dates, issuing_on=issuing_on, due_on=due_on)
        status = status_with_taxes(final_status(composition, terms), terms)
    settled = status == "finalized" and composition.total_amount_cents == 0
    return Document(
        id=invoice.id,
        organization_id=invoice.organization_id,
        customer=terms,
        issuer=contract.issuer,
        invoice_type=invoice.invoice_type,
        status=status,
        payment_status="succeeded" if settled else "pending",
        number=draft_number(contract.issuer.number_prefix),
        sequential_id=None,
        currency=invoice.currency,
        purchase_order_number=invoice.purchase_order_number,
        skip_automatic_payment=invoice.skip_automatic_payment,
        dates=dates,
        composition=composition,
        periods=(),
        at=invoice.created_at,
        written_at=at,
        finalized_at=at if status == "finalized" else None,
        tax_status=tax_status(status, terms),
        voided_invoice_id=invoice.voided_invoice_id,
    )


def _computed(document: Document, bills: Sequence[Bill]) -> Computed:
    return Computed(
        id=document.id,
        organization_id=document.organization_id,
        customer_id=document.customer.id,
        billing_entity_id=document.issuer.id,
        subscription_ids=tuple(dict.fromkeys(bill.contract.subscription_id for bill in bills)),
        at=document.written_at,
    )
