"""A document is mailed again by hand (dunning.md §7.4): who is asked for, what is refused, and the mail itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from tallystick.flows.mails.jobs import request_mails
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotAllowed, Problems
from tallystick.ground.tables import BillingEntity, Customer, Invoice
from tallystick.rooms.mails import store

#: what the billing entity must have switched on for mails about invoices
MAILED = "invoice.finalized"


async def resend_invoice(
    tx: Tx, invoice: Invoice, asked: Mapping[str, Sequence[str]], wrong: Mapping[str, str], at: dt.datetime
) -> None:
    """Mail an invoice to its customer, or to whom `asked` names under `to`, `cc` and `bcc`.

    `wrong` is what of them is no address. 405 `invoice_not_finalized`, `email_settings_disabled`; 422
    `billing_entity`, `to`, `cc`, `bcc`.
    """
    if invoice.status != "finalized":
        raise NotAllowed("invoice_not_finalized")
    entity = await tx.get_one(BillingEntity, invoice.billing_entity_id)
    if MAILED not in entity.email_settings:
        raise NotAllowed("email_settings_disabled")
    if not entity.email:
        raise Invalid.field("billing_entity", "must have email configured")
    customer = await tx.get_one(Customer, invoice.customer_id)
    own = [address.strip() for address in (customer.email or "").split(",") if address.strip()]
    if not asked["to"] and not own:
        raise Invalid.field("to", "must have at least one recipient")
    problems = Problems()
    for name, addresses in wrong.items():
        problems.add(name, f"invalid email format: {addresses}")
    problems.raise_if_any()
    mail = await store.add(
        tx,
        organization_id=invoice.organization_id,
        document_kind="invoice",
        document_id=invoice.id,
        to=list(asked["to"]) or own,
        cc=list(asked["cc"]),
        bcc=list(asked["bcc"]),
        created_at=at,
        updated_at=at,
    )
    await request_mails(tx, [(mail.organization_id, mail.id)])
