"""What becomes of invoices that waited for the taxes of their customers, now that those are known (invoicing.md §7.3).

Lines and discounts stay as they were; taxes are added, credit notes and wallets pay. Drafts are refreshed a bit later.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from tallystick.core.contract import CustomerTerms, TaxTerms
from tallystick.core.coupons import CouponCredit, Discount
from tallystick.core.invoice import NO_PURSE, Composition, Credit, CreditKind, FeeDraft, FeeType, compose
from tallystick.core.taxes import winning
from tallystick.flows.billing.awaited import PENDING
from tallystick.flows.billing.compose import final_status
from tallystick.flows.billing.credit_notes import drafts as draft_notes
from tallystick.flows.billing.credit_notes.consumption import load_balances
from tallystick.flows.billing.load import load_customers, load_issuers, load_taxes
from tallystick.flows.billing.run import lock_customers
from tallystick.flows.billing.stored import document_of, line_of
from tallystick.flows.billing.wallets.consumption import load_purses, take_prepaid
from tallystick.flows.billing.write import announce, numbered
from tallystick.ground.db import Tx
from tallystick.ground.tables import (
    Charge,
    Fee,
    FeeTax,
    Invoice,
    InvoiceCredit,
    InvoiceSubscription,
    MinimumCommitment,
    Subscription,
)
from tallystick.rooms.invoices import ledger, stale, store

SUCCEEDED = "succeeded"


async def taxes_known(tx: Tx, customer_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    """The taxes of these customers are known since `at`: their waiting invoices get them and are issued."""
    if not customer_ids:
        return
    await lock_customers(tx, customer_ids)
    await stale.mark_of_customers(tx, customer_ids, at)
    invoices = await _waiting(tx, customer_ids)
    if not invoices:
        return
    ids = [invoice.id for invoice in invoices]
    customers = await load_customers(tx, {invoice.customer_id for invoice in invoices})
    issuers = await load_issuers(tx, {invoice.billing_entity_id for invoice in invoices})
    fees = await _fees(tx, invoices, customers)
    credits = await _credits(tx, ids)
    recurring = await _recurring(tx, ids)
    balances, purses = await load_balances(tx, customers), await load_purses(tx, customers)
    metrics = await _metrics(tx, [fee for own in fees.values() for fee in own])
    documents = []
    for invoice in invoices:
        own, before = fees[invoice.id], credits[invoice.id]
        payer, reduced = invoice.customer_id, _is_reduced(invoice)
        notes = balances.notes(payer, invoice.currency, invoice.id) if reduced else []
        purse = purses.purse(payer, invoice.currency, metrics) if reduced else NO_PURSE
        composition = compose(own, _discount(own, before), _billed_before(before), notes, purse)
        balances.use(payer, composition, at)
        purses.use(payer, composition)
        terms, issuer = customers[invoice.customer_id], issuers[invoice.billing_entity_id]
        document = document_of(
            invoice,
            composition,
            terms,
            issuer,
            at,
            status=_status(invoice, composition, terms),
            recurring=invoice.id in recurring,
        )
        documents.append(replace(document, tax_status=SUCCEEDED))
    held = await draft_notes.hold(tx, ids)
    documents = await numbered(tx, documents)
    await ledger.write_taxes(tx, documents)
    await balances.store(tx)
    await take_prepaid(tx, documents)
    await announce(tx, documents)
    await draft_notes.make_again(tx, held, dict.fromkeys(ids, at))


def _is_reduced(invoice: Invoice) -> bool:
    """Whether credit notes and wallets pay of it: not of a one-off (credits.md §0.1)."""
    return invoice.invoice_type != "one_off"


def _status(invoice: Invoice, composition: Composition, terms: CustomerTerms) -> str:
    """What it becomes; progressive ones are issued of zero too."""
    return "finalized" if invoice.invoice_type == "progressive_billing" else final_status(composition, terms)


async def _waiting(tx: Tx, customer_ids: Sequence[uuid.UUID]) -> list[Invoice]:
    statement = (
        select(Invoice)
        .where(Invoice.customer_id.in_(customer_ids), Invoice.status == PENDING, Invoice.tax_status == PENDING)
        .order_by(Invoice.created_at, Invoice.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(await tx.scalars(statement))


async def _fees(
    tx: Tx, invoices: Sequence[Invoice], customers: Mapping[uuid.UUID, CustomerTerms]
) -> dict[uuid.UUID, list[FeeDraft]]:
    """invoice -> its lines with the taxes that win on them (credits.md §2.2)."""
    rows = await store.fees_of(tx, [invoice.id for invoice in invoices])
    plans = await _plans(tx, {row.subscription_id for row in rows if row.subscription_id is not None})
    commitments = await _commitments(tx, set(plans.values()))
    taxed = await _named(tx, [row.id for row in rows])
    sources = {row.id: _source(row, plans, commitments) for row in rows}
    owners = {source for source in sources.values() if source is not None} | set(plans.values())
    attached = await load_taxes(tx, owners)
    customer_of = {invoice.id: customers[invoice.customer_id] for invoice in invoices}
    found: dict[uuid.UUID, list[FeeDraft]] = defaultdict(list)
    for row in rows:
        assert row.invoice_id is not None
        plan_id = plans.get(row.subscription_id) if row.subscription_id is not None else None
        levels = [attached.get(owner, ()) for owner in (sources[row.id], plan_id) if owner is not None]
        won = winning(taxed.get(row.id, ()), *levels, customer_of[row.invoice_id].taxes)
        found[row.invoice_id].append(line_of(row, won))
    return found


async def _plans(tx: Tx, subscription_ids: set[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    statement = select(Subscription.id, Subscription.plan_id).where(Subscription.id.in_(subscription_ids))
    return dict((await tx.execute(statement)).all())


async def _metrics(tx: Tx, fees: Sequence[FeeDraft]) -> dict[uuid.UUID, uuid.UUID]:
    charge_ids = {fee.charge_id for fee in fees if fee.charge_id is not None}
    statement = select(Charge.id, Charge.billable_metric_id).where(Charge.id.in_(charge_ids))
    return dict((await tx.execute(statement)).all())


async def _commitments(tx: Tx, plan_ids: set[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    statement = select(MinimumCommitment.plan_id, MinimumCommitment.id).where(MinimumCommitment.plan_id.in_(plan_ids))
    return dict((await tx.execute(statement)).all())


async def _named(tx: Tx, fee_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[TaxTerms]]:
    """fee -> the taxes it has already: those named for a line of a one-off invoice."""
    statement = select(FeeTax).where(FeeTax.fee_id.in_(fee_ids)).order_by(FeeTax.created_at, FeeTax.id)
    found: dict[uuid.UUID, list[TaxTerms]] = defaultdict(list)
    for row in await tx.scalars(statement):
        terms = TaxTerms(row.tax_id or row.id, row.tax_code, row.tax_name, row.tax_rate, row.tax_description)
        found[row.fee_id].append(terms)
    return found


def _source(
    row: Fee, plans: Mapping[uuid.UUID, uuid.UUID], commitments: Mapping[uuid.UUID, uuid.UUID]
) -> uuid.UUID | None:
    """What was sold, when it can have taxes of its own."""
    if row.fee_type == FeeType.COMMITMENT and row.subscription_id is not None:
        return commitments.get(plans[row.subscription_id])
    return row.charge_id or row.fixed_charge_id or row.add_on_id


async def _credits(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[InvoiceCredit]]:
    statement = (
        select(InvoiceCredit)
        .where(InvoiceCredit.invoice_id.in_(invoice_ids))
        .order_by(InvoiceCredit.created_at, InvoiceCredit.id)
    )
    found: dict[uuid.UUID, list[InvoiceCredit]] = defaultdict(list)
    for row in await tx.scalars(statement):
        found[row.invoice_id].append(row)
    return found


def _discount(fees: Sequence[FeeDraft], credits: Sequence[InvoiceCredit]) -> Discount:
    """The coupons that were applied before, which the lines bear."""
    coupons = [row for row in credits if row.kind == CreditKind.COUPON]
    return Discount(
        tuple(CouponCredit(row.source_id, row.amount_cents) for row in coupons),
        tuple(fee.precise_coupons_cents for fee in fees),
    )


def _billed_before(credits: Sequence[InvoiceCredit]) -> list[Credit]:
    return [
        Credit(CreditKind.INVOICE, row.source_id, row.amount_cents, before_taxes=True)
        for row in credits
        if row.kind == CreditKind.INVOICE
    ]


async def _recurring(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    statement = select(InvoiceSubscription.invoice_id).where(
        InvoiceSubscription.invoice_id.in_(invoice_ids), InvoiceSubscription.recurring
    )
    return set(await tx.scalars(statement))
