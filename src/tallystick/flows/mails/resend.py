"""A document is mailed again by hand (dunning.md §7.4): who is asked for, what is refused, and the mail itself."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tallystick.flows.mails.jobs import request_mails
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotAllowed, Problems
from tallystick.ground.tables import BillingEntity, CreditNote, Customer, Invoice
from tallystick.rooms.mails import store


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who is asked for; `wrong` is what of each list is no address."""

    to: Sequence[str] = ()
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    wrong: Mapping[str, str] = field(default_factory=dict)


async def resend(
    tx: Tx, document: Invoice | CreditNote, entity_id: uuid.UUID, recipients: Recipients, at: dt.datetime
) -> None:
    """Mail a document to its customer, or to whom is asked for.

    405 `invoice_not_finalized`, `credit_note_not_finalized`, `email_settings_disabled`; 422 `billing_entity`, `to`,
    `cc`, `bcc`.
    """
    is_note = isinstance(document, CreditNote)
    kind, setting = ("credit_note", "credit_note.created") if is_note else ("invoice", "invoice.finalized")
    if document.status != "finalized":
        raise NotAllowed(f"{kind}_not_finalized")
    entity = await tx.get_one(BillingEntity, entity_id)
    if setting not in entity.email_settings:
        raise NotAllowed("email_settings_disabled")
    if not entity.email:
        raise Invalid.field("billing_entity", "must have email configured")
    customer = await tx.get_one(Customer, document.customer_id)
    own = [address.strip() for address in (customer.email or "").split(",") if address.strip()]
    if not recipients.to and not own:
        raise Invalid.field("to", "must have at least one recipient")
    problems = Problems()
    for name, addresses in recipients.wrong.items():
        problems.add(name, f"invalid email format: {addresses}")
    problems.raise_if_any()
    mail = await store.add(
        tx,
        organization_id=document.organization_id,
        document_kind=kind,
        document_id=document.id,
        to=list(recipients.to) or own,
        cc=list(recipients.cc),
        bcc=list(recipients.bcc),
        created_at=at,
        updated_at=at,
    )
    await request_mails(tx, [(mail.organization_id, mail.id)])
