"""Store a set of drafted invoices with everything that must commit with them: numbers, next dates, messages, jobs."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import replace

from tallystick.core.invoice import FeeDraft, FeeType, Purpose
from tallystick.core.issuing import draft_number, overdue_at
from tallystick.core.occasion import Reason
from tallystick.core.periods import local_midnight
from tallystick.flows.billing.awaited import tax_status
from tallystick.flows.billing.compose import Draft
from tallystick.flows.billing.due import Bill
from tallystick.flows.billing.sections import Computed, apply_sections
from tallystick.flows.billing.wallets.consumption import take_prepaid
from tallystick.flows.documents.generate import request_documents
from tallystick.flows.usage.marks import mark
from tallystick.ground import agenda, outbox
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx
from tallystick.ground.outbox import Message
from tallystick.rooms.invoices import ledger, numbers
from tallystick.rooms.invoices.ledger import Document, Period
from tallystick.rooms.mails import store as mails


async def write(tx: Tx, drafts: Sequence[Draft]) -> list[Document]:
    """Store the invoices of these drafts and announce them."""
    documents = await _documents(tx, drafts)
    await ledger.write(tx, documents)
    await apply_sections(tx, [_computed(draft) for draft in drafts])
    await take_prepaid(tx, documents)
    await announce(tx, documents)
    await mark(tx, _invoiced(documents))
    return documents


def _computed(draft: Draft) -> Computed:
    header = draft.header
    return Computed(
        id=draft.id,
        organization_id=header.organization_id,
        customer_id=header.customer.id,
        billing_entity_id=header.issuer.id,
        subscription_ids=tuple(dict.fromkeys(item.bill.contract.subscription_id for item in draft.rated)),
        at=header.at,
        choice=header.sections,
    )


def _invoiced(documents: Sequence[Document]) -> dict[uuid.UUID, dt.datetime]:
    """subscription -> when more of its usage was invoiced (subscriptions.md §5.2)."""
    invoices = [document for document in documents if document.invoice_type == "subscription"]
    return {period.subscription_id: item.written_at for item in invoices for period in item.periods}


async def numbered(tx: Tx, documents: Sequence[Document]) -> list[Document]:
    """The documents with numbers for those that become final."""
    final = [document for document in documents if document.finalized_at is not None]
    wanted = [
        numbers.Wanted(item.customer, item.issuer, item.finalized_at) for item in final if item.finalized_at is not None
    ]
    drawn = {item.id: found for item, found in zip(final, await numbers.draw(tx, wanted), strict=True)}
    return [
        replace(item, number=drawn[item.id].number, sequential_id=drawn[item.id].sequential_id)
        if item.id in drawn
        else item
        for item in documents
    ]


async def announce(tx: Tx, documents: Sequence[Document]) -> None:
    """Agenda entries, messages, mails and document jobs of invoices that were just stored (invoicing.md §19)."""
    await agenda.put(tx, [due for document in documents for due in next_dates(document)])
    await outbox.emit(tx, [message for document in documents for message in _messages(document)])
    issued = [item for item in documents if item.status == "finalized"]
    await mails.note(tx, "invoice", [(item.id, item.written_at) for item in issued])
    await request_documents(tx, [(item.organization_id, item.id) for item in issued])


async def _documents(tx: Tx, drafts: Sequence[Draft]) -> list[Document]:
    final = [draft for draft in drafts if draft.status == "finalized"]
    wanted = [numbers.Wanted(draft.header.customer, draft.header.issuer, draft.header.at) for draft in final]
    drawn = dict(zip((id(draft) for draft in final), await numbers.draw(tx, wanted), strict=True))
    return [document_of(draft, drawn.get(id(draft))) for draft in drafts]


def document_of(draft: Draft, numbered: numbers.Numbered | None) -> Document:
    """A draft as it is stored, with its number once it is final."""
    header = draft.header
    total_cents = draft.composition.total_amount_cents
    settled = header.paid or (draft.status == "finalized" and total_cents == 0)
    return Document(
        id=draft.id,
        organization_id=header.organization_id,
        customer=header.customer,
        issuer=header.issuer,
        invoice_type=header.invoice_type,
        status=draft.status,
        payment_status="succeeded" if settled else "pending",
        number=numbered.number if numbered else draft_number(header.issuer.number_prefix),
        sequential_id=numbered.sequential_id if numbered else None,
        currency=header.currency,
        purchase_order_number=header.purchase_order_number,
        skip_automatic_payment=header.skip_automatic_payment,
        dates=draft.dates,
        composition=draft.composition,
        periods=tuple(_period(item.bill) for item in draft.rated),
        at=header.at,
        written_at=header.at,
        finalized_at=header.at if draft.status == "finalized" else None,
        tax_status=tax_status(draft.status, header.customer),
        paid_cents=total_cents if header.paid else 0,
        voided_invoice_id=header.voided_invoice_id,
    )


def _period(bill: Bill) -> Period:
    occasion = bill.occasion
    return Period(
        subscription_id=bill.contract.subscription_id,
        reason=occasion.reason.value,
        recurring=occasion.reason is Reason.PERIODIC,
        billing_at=occasion.at,
        billing_on=bill.billed_on,
        windows=bill.windows,
        plan_fee_due=bill.plan_fee_due,
    )


def next_dates(document: Document) -> list[Due]:
    """When a draft becomes final, or when an unpaid invoice turns overdue (UTC midnight after its due date)."""
    if document.status == "draft":
        due_at = local_midnight(document.dates.finalization_on, document.customer.timezone)
        return [Due(Kind.FINALIZE_INVOICE, document.id, document.organization_id, due_at)]
    if document.status == "finalized" and document.payment_status != "succeeded":
        due_at = overdue_at(document.dates.due_on)
        return [Due(Kind.OVERDUE_INVOICE, document.id, document.organization_id, due_at)]
    return []


#: what is told of an invoice of this type when it is issued; `invoice.created` of all others
_ISSUED = {"one_off": "invoice.one_off_created", "credit": "invoice.paid_credit_added"}


def _is_told_of(fee: FeeDraft) -> bool:
    """Fees of events, and of fixed charges paid in advance."""
    return fee.purpose is Purpose.EVENT or (fee.fee_type is FeeType.FIXED_CHARGE and fee.pay_in_advance)


def _messages(document: Document) -> list[Message]:
    told: list[tuple[str, uuid.UUID]] = []
    if document.status == "draft":
        told = [("invoice.drafted", document.id)]
        if document.tax_status is None:
            told.append(("invoice.ready_to_finalize", document.id))
    elif document.status == "finalized" and document.voided_invoice_id is not None:
        # whatever its type; its fees were told of before (invoicing.md §16.2)
        told = [("invoice.created", document.id)]
    elif document.status == "finalized":
        # fees paid in advance are told of before their invoice (webhooks.md §2.2, 26)
        fees = (taxed.fee for taxed in document.composition.fees)
        told = [("fee.created", fee.id) for fee in fees if _is_told_of(fee)]
        told.append((_ISSUED.get(document.invoice_type, "invoice.created"), document.id))
    return [Message(document.organization_id, name, subject_id, document.written_at) for name, subject_id in told]
