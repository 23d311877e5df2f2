"""Write composed invoices as sets: COPY of lines first, headers last, so that issued lines are frozen (money.sql).

The only writer of new invoices and their lines; it computes nothing.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import delete, select, update

from tallystick.core.contract import CustomerTerms, IssuerTerms, TaxTerms
from tallystick.core.invoice import Composition, FeeBreakdown, TaxedFee
from tallystick.core.issuing import InvoiceDates
from tallystick.core.money import dec_text
from tallystick.core.pricing_units import InUnits
from tallystick.core.windows import Windows
from tallystick.ground import json
from tallystick.ground.db import Tx, copy
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Fee, FeeTax, Invoice, InvoiceCredit, InvoiceTax

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Period:
    """A billing period of an invoice: the windows of one subscription."""

    subscription_id: uuid.UUID
    reason: str
    recurring: bool
    billing_at: dt.datetime
    billing_on: dt.date
    windows: Windows
    plan_fee_due: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A composed invoice with its identity, dates, status and number, ready to be stored.

    `at` is when it was made and stays; `written_at` is now, later than `at` when a draft is written again.
    """

    id: uuid.UUID
    organization_id: uuid.UUID
    customer: CustomerTerms
    issuer: IssuerTerms
    invoice_type: str
    status: str
    payment_status: str
    number: str
    sequential_id: int | None
    currency: str
    purchase_order_number: str | None
    skip_automatic_payment: bool
    dates: InvoiceDates
    composition: Composition
    periods: tuple[Period, ...]
    at: dt.datetime
    written_at: dt.datetime
    finalized_at: dt.datetime | None
    #: pending while it waits for its taxes, succeeded when it did (invoicing.md §7.3)
    tax_status: str | None = None
    #: paid outside before there was an invoice
    paid_cents: int = 0
    #: the invoice in whose place this one was made
    voided_invoice_id: uuid.UUID | None = None


async def write(tx: Tx, documents: Sequence[Document]) -> None:
    """Store a set of invoices with fees, taxes, credits and billing periods."""
    await _write_lines(tx, documents)
    await copy(tx, "invoice_subscriptions", [row for document in documents for row in _period_rows(document)])
    await copy(tx, "invoices", [invoice_row(document) for document in documents])


async def rewrite(tx: Tx, documents: Sequence[Document]) -> None:
    """Replace lines, taxes, credits, totals, dates, number and status of drafts; their billing periods stay."""
    ids = [document.id for document in documents]
    await tx.execute(delete(FeeTax).where(FeeTax.fee_id.in_(select(Fee.id).where(Fee.invoice_id.in_(ids)))))
    await tx.execute(delete(Fee).where(Fee.invoice_id.in_(ids)))
    await tx.execute(delete(InvoiceTax).where(InvoiceTax.invoice_id.in_(ids)))
    await tx.execute(delete(InvoiceCredit).where(InvoiceCredit.invoice_id.in_(ids)))
    await _write_lines(tx, documents)
    await write_headers(tx, documents)


async def write_taxes(tx: Tx, documents: Sequence[Document]) -> None:
    """Give stored invoices that are not issued the taxes of their composition and what was credited after them.

    Totals, dates, number and status follow; lines and the credits before taxes stay.
    """
    fees = [taxed for document in documents for taxed in document.composition.fees]
    await tx.execute(delete(FeeTax).where(FeeTax.fee_id.in_([taxed.fee.id for taxed in fees])))
    await tx.execute(delete(InvoiceTax).where(InvoiceTax.invoice_id.in_([document.id for document in documents])))
    rows = [row for item in documents for taxed in item.composition.fees for row in fee_tax_rows(item, taxed)]
    await copy(tx, "fee_taxes", rows)
    await copy(tx, "invoice_taxes", [row for document in documents for row in tax_rows(document)])
    credits = [row for document in documents for row in credit_rows(document) if not row["before_taxes"]]
    await copy(tx, "invoice_credits", credits)
    payment_status = {taxed.fee.id: item.payment_status for item in documents for taxed in item.composition.fees}
    if fees:
        await tx.execute(update(Fee), [_taxes_of_fee(taxed, payment_status[taxed.fee.id]) for taxed in fees])
    await write_headers(tx, documents)


async def write_headers(tx: Tx, documents: Sequence[Document]) -> None:
    """Give stored invoices that are not issued the totals, dates, number and status of their documents."""
    if documents:
        await tx.execute(update(Invoice), [invoice_row(document) for document in documents])


def _taxes_of_fee(taxed: TaxedFee, payment_status: str) -> Row:
    taxes = taxed.taxes
    return {
        "id": taxed.fee.id,
        "taxes_amount_cents": taxes.amount_cents,
        "taxes_precise_amount_cents": taxes.precise_amount_cents,
        "taxes_rate": taxes.rate,
        "precise_credit_notes_amount_cents": taxed.fee.precise_credit_notes_cents,
        "payment_status": payment_status,
    }


async def _write_lines(tx: Tx, documents: Sequence[Document]) -> None:
    fees = [(document, taxed) for document in documents for taxed in document.composition.fees]
    await copy(tx, "fees", [_fee_row(document, taxed) for document, taxed in fees])
    await copy(tx, "fee_taxes", [row for document, taxed in fees for row in fee_tax_rows(document, taxed)])
    await copy(tx, "invoice_taxes", [row for document in documents for row in tax_rows(document)])
    await copy(tx, "invoice_credits", [row for document in documents for row in credit_rows(document)])


CALCULATION_VERSION = 4  # `version_number`, invoicing.md §1


def invoice_row(document: Document) -> Row:
    """The columns of a header."""
    composition, customer, dates = document.composition, document.customer, document.dates
    return {
        "id": document.id,
        "organization_id": document.organization_id,
        "customer_id": customer.id,
        "billing_entity_id": document.issuer.id,
        "invoice_type": document.invoice_type,
        "status": document.status,
        "payment_status": document.payment_status,
        "tax_status": document.tax_status,
        "number": document.number,
        "sequential_id": document.sequential_id,
        "currency": document.currency,
        "timezone": customer.timezone,
        "issuing_date": dates.issuing_on,
        "expected_finalization_date": dates.finalization_on,
        "payment_due_date": dates.due_on,
        "net_payment_term": customer.net_payment_term,
        "payment_overdue": False,
        **amounts(composition),
        "total_paid_amount_cents": document.paid_cents,
        "offset_amount_cents": 0,
        "self_billed": customer.self_billed,
        "skip_automatic_payment": document.skip_automatic_payment,
        "version_number": CALCULATION_VERSION,
        "purchase_order_number": document.purchase_order_number,
        "ready_to_be_refreshed": False,
        "voided_invoice_id": document.voided_invoice_id,
        "finalized_at": document.finalized_at,
        "created_at": document.at,
        "updated_at": document.written_at,
    }


def amounts(composition: Composition) -> Row:
    """The amount columns of an invoice."""
    return {
        "fees_amount_cents": composition.fees_amount_cents,
        "progressive_billing_credit_amount_cents": composition.progressive_billing_credit_amount_cents,
        "coupons_amount_cents": composition.coupons_amount_cents,
        "sub_total_excluding_taxes_amount_cents": composition.sub_total_excluding_taxes_amount_cents,
        "taxes_amount_cents": composition.taxes_amount_cents,
        "taxes_rate": composition.taxes.rate,
        "sub_total_including_taxes_amount_cents": composition.sub_total_including_taxes_amount_cents,
        "credit_notes_amount_cents": composition.credit_notes_amount_cents,
        "prepaid_credit_amount_cents": composition.prepaid_credit_amount_cents,
        "prepaid_granted_credit_amount_cents": composition.prepaid_cents(granted=True),
        "prepaid_purchased_credit_amount_cents": composition.prepaid_cents(granted=False),
        "total_amount_cents": composition.total_amount_cents,
    }


class Bearer(Protocol):
    """Whose line it is and when it was made."""

    @property
    def organization_id(self) -> uuid.UUID: ...
    @property
    def currency(self) -> str: ...
    @property
    def at(self) -> dt.datetime: ...


def _fee_row(document: Document, taxed: TaxedFee) -> Row:
    return fee_row(document, taxed, document.customer.id, document.id, document.payment_status)


def fee_row(
    bearer: Bearer, taxed: TaxedFee, customer_id: uuid.UUID, invoice_id: uuid.UUID | None, payment_status: str
) -> Row:
    """The columns of a new fee, on an invoice or alone."""
    fee, taxes = taxed.fee, taxed.taxes
    return {
        "id": fee.id,
        "organization_id": bearer.organization_id,
        "customer_id": customer_id,
        "invoice_id": invoice_id,
        "subscription_id": fee.subscription_id,
        "charge_id": fee.charge_id,
        "charge_filter_id": fee.filter_id,
        "fixed_charge_id": fee.fixed_charge_id,
        "add_on_id": fee.add_on_id,
        "fee_type": fee.fee_type.value,
        "purpose": fee.purpose.value,
        "live": True,
        "currency": fee.currency,
        "amount_cents": fee.amount_cents,
        "precise_amount_cents": fee.precise_amount_cents,
        "units": fee.units,
        "total_aggregated_units": fee.total_aggregated_units,
        "events_count": fee.events_count,
        "precise_unit_amount": fee.unit_amount,
        "precise_coupons_amount_cents": fee.precise_coupons_cents,
        "precise_credit_notes_amount_cents": fee.precise_credit_notes_cents,
        "taxes_amount_cents": taxes.amount_cents,
        "taxes_precise_amount_cents": taxes.precise_amount_cents,
        "taxes_rate": taxes.rate,
        "payment_status": payment_status,
        "pay_in_advance": fee.pay_in_advance,
        "invoice_display_name": fee.invoice_display_name,
        "description": fee.description,
        "grouped_by": json.dump_text(fee.grouped_by),
        "amount_details": json.dump_text(fee.details),
        "pricing_unit_details": json.dump_text(_in_units(fee.in_units)) if fee.in_units else None,
        "presentation_breakdowns": json.dump_text([_breakdown(one) for one in fee.breakdowns]),
        "period_from_at": fee.period_from_at,
        "period_to_at": fee.period_to_at,
        "event_transaction_id": fee.event_transaction_id,
        "true_up_parent_fee_id": fee.parent_id,
        "original_fee_id": fee.original_id,
        "trace": json.dump_text(fee.trace),
        "created_at": bearer.at,
        "updated_at": bearer.at,
    }


def _in_units(priced: InUnits) -> Row:
    """As fees show it for ever (webhooks.md §4.3): the unit and its rate are copied."""
    unit, amounts = priced.unit, priced.amounts
    return {
        "lago_pricing_unit_id": unit.id,
        "pricing_unit_code": unit.code,
        "short_name": unit.short_name,
        "amount_cents": amounts.amount_cents,
        "precise_amount_cents": dec_text(amounts.precise_amount_cents),
        "unit_amount_cents": amounts.unit_amount_cents,
        "precise_unit_amount": dec_text(amounts.precise_unit_amount),
        "conversion_rate": dec_text(unit.conversion_rate),
    }


def _breakdown(part: FeeBreakdown) -> Row:
    return {
        "presentation_by": part.presentation_by,
        "units": dec_text(part.units),
        "displayed": part.displayed,
    }


def fee_tax_rows(bearer: Bearer, taxed: TaxedFee) -> Iterator[Row]:
    """The columns of a fee's taxes."""
    for row in taxed.taxes.rows:
        yield {
            "id": new_id(),
            "fee_id": taxed.fee.id,
            **_tax_copy(bearer, row.tax),
            "amount_cents": row.amount_cents,
            "precise_amount_cents": row.precise_amount_cents,
        }


def tax_rows(document: Document) -> Iterator[Row]:
    """The columns of an invoice's taxes."""
    for row in document.composition.taxes.rows:
        yield {
            "id": new_id(),
            "invoice_id": document.id,
            **_tax_copy(document, row.tax),
            "fees_amount_cents": row.fees_amount_cents,
            "amount_cents": row.amount_cents,
        }


def _tax_copy(bearer: Bearer, tax: TaxTerms) -> Row:
    """Rows on documents carry their own copy of the tax (credits.md §2.5)."""
    return {
        "organization_id": bearer.organization_id,
        "tax_id": tax.id,
        "tax_name": tax.name,
        "tax_code": tax.code,
        "tax_rate": tax.rate,
        "tax_description": tax.description,
        "currency": bearer.currency,
        "created_at": bearer.at,
    }


def credit_rows(document: Document) -> Iterator[Row]:
    """The columns of an invoice's credits."""
    for credit in document.composition.credits:
        yield {
            "id": new_id(),
            "organization_id": document.organization_id,
            "invoice_id": document.id,
            "kind": credit.kind.value,
            "source_id": credit.source_id,
            "amount_cents": credit.amount_cents,
            "currency": document.currency,
            "before_taxes": credit.before_taxes,
            "created_at": document.written_at,
        }


def _period_rows(document: Document) -> Iterator[Row]:
    for period in document.periods:
        windows = period.windows
        yield {
            "id": new_id(),
            "organization_id": document.organization_id,
            "invoice_id": document.id,
            "subscription_id": period.subscription_id,
            "invoicing_reason": period.reason,
            "recurring": period.recurring,
            "replaced": False,
            "billing_at": period.billing_at,
            "billing_on": period.billing_on,
            "timezone": document.customer.timezone,
            "plan_fee_due": period.plan_fee_due,
            "plan_from_at": windows.plan.start_at if windows.plan else None,
            "plan_to_at": windows.plan.end_at if windows.plan else None,
            "plan_full_days": windows.plan_days_in_full_period,
            "charges_from_at": windows.charges.start_at if windows.charges else None,
            "charges_to_at": windows.charges.end_at if windows.charges else None,
            "charges_full_days": windows.charges_duration_days,
            "fixed_charges_from_at": windows.fixed.start_at if windows.fixed else None,
            "fixed_charges_to_at": windows.fixed.end_at if windows.fixed else None,
            "fixed_charges_full_days": windows.fixed_duration_days,
            "fixed_in_advance_from_at": windows.fixed_in_advance.start_at if windows.fixed_in_advance else None,
            "fixed_in_advance_to_at": windows.fixed_in_advance.end_at if windows.fixed_in_advance else None,
            "fixed_in_advance_full_days": windows.fixed_in_advance_duration_days,
            "created_at": document.at,
        }
