"""What is stored of invoices, to compute or issue them once more: their bills, lines and headers.

It reads and translates; what becomes of the invoices is for its callers to say.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select

from tallystick.core.contract import CustomerTerms, IssuerTerms, TaxTerms
from tallystick.core.invoice import Composition, FeeDraft, FeeType, Purpose
from tallystick.core.issuing import InvoiceDates, dates_at_finalization
from tallystick.core.occasion import Occasion, Reason
from tallystick.core.periods import local_date
from tallystick.core.windows import Window, Windows
from tallystick.flows.billing.due import Bill
from tallystick.flows.billing.load import load_contracts
from tallystick.ground.db import Tx
from tallystick.ground.tables import Fee, Invoice, InvoiceSubscription
from tallystick.rooms.invoices.ledger import Document


async def bills_of(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Bill]]:
    """invoice -> its bills, with the windows they were made for and the terms of today."""
    statement = (
        select(InvoiceSubscription)
        .where(InvoiceSubscription.invoice_id.in_(invoice_ids))
        .order_by(InvoiceSubscription.created_at, InvoiceSubscription.id)
    )
    rows = list(await tx.scalars(statement))
    contracts = {item.subscription_id: item for item in await load_contracts(tx, [row.subscription_id for row in rows])}
    found: dict[uuid.UUID, list[Bill]] = defaultdict(list)
    for row in rows:
        occasion = Occasion(row.subscription_id, Reason(row.invoicing_reason), row.billing_at)
        bill = Bill(contracts[row.subscription_id], occasion, _windows(row), row.plan_fee_due)
        found[row.invoice_id].append(bill)
    return found


def _windows(row: InvoiceSubscription) -> Windows:
    return Windows(
        plan=_window(row.plan_from_at, row.plan_to_at),
        charges=_window(row.charges_from_at, row.charges_to_at),
        fixed=_window(row.fixed_charges_from_at, row.fixed_charges_to_at),
        fixed_in_advance=_window(row.fixed_in_advance_from_at, row.fixed_in_advance_to_at),
        plan_fee_due=row.plan_fee_due,
        plan_days_in_full_period=row.plan_full_days,
        charges_duration_days=row.charges_full_days,
        fixed_duration_days=row.fixed_charges_full_days,
        fixed_in_advance_duration_days=row.fixed_in_advance_full_days,
    )


def _window(start_at: dt.datetime | None, end_at: dt.datetime | None) -> Window | None:
    return Window(start_at, end_at) if start_at is not None and end_at is not None else None


def line_of(row: Fee, taxes: tuple[TaxTerms, ...]) -> FeeDraft:
    """A stored line as far as its taxes, its messages and wallets need it."""
    return FeeDraft(
        id=row.id,
        subscription_id=row.subscription_id,
        fee_type=FeeType(row.fee_type),
        currency=row.currency,
        amount_cents=row.amount_cents,
        precise_amount_cents=row.precise_amount_cents,
        units=row.units,
        unit_amount=row.precise_unit_amount,
        taxes=taxes,
        purpose=Purpose(row.purpose),
        charge_id=row.charge_id,
        grouped_by=row.grouped_by,
        precise_coupons_cents=row.precise_coupons_amount_cents,
        pay_in_advance=row.pay_in_advance,
    )


def document_of(
    invoice: Invoice,
    composition: Composition,
    customer: CustomerTerms,
    issuer: IssuerTerms,
    at: dt.datetime,
    *,
    status: str,
    recurring: bool = False,
) -> Document:
    """A stored invoice, not issued so far, with the status it gets at `at` and the dates of that day (§4.3).

    What was paid of it stays. It still wants its number when it becomes final.
    """
    issuing_on, due_on = dates_at_finalization(
        invoice.issuing_date, local_date(at, customer.timezone), customer, recurring=recurring
    )
    final = status == "finalized"
    return Document(
        id=invoice.id,
        organization_id=invoice.organization_id,
        customer=customer,
        issuer=issuer,
        invoice_type=invoice.invoice_type,
        status=status,
        payment_status="succeeded" if final and composition.total_amount_cents == 0 else invoice.payment_status,
        number=invoice.number,
        sequential_id=None,
        currency=invoice.currency,
        purchase_order_number=invoice.purchase_order_number,
        skip_automatic_payment=invoice.skip_automatic_payment,
        dates=InvoiceDates(issuing_on, invoice.expected_finalization_date, due_on),
        composition=composition,
        periods=(),
        at=invoice.created_at,
        written_at=at,
        finalized_at=at if final else None,
        tax_status=invoice.tax_status,
        paid_cents=invoice.total_paid_amount_cents,
        voided_invoice_id=invoice.voided_invoice_id,
    )
