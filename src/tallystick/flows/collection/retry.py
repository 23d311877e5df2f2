"""Asking for money again by hand: another payment attempt, a payment page (payments.md §3.6, §3.12).

Checks, and what is told when nobody can collect; the attempts themselves are the payment providers'.
"""

from __future__ import annotations

import datetime as dt

from tallystick.ground import outbox
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotAllowed
from tallystick.ground.outbox import Message
from tallystick.ground.tables import Customer, Invoice

#: providers without a page of their own
PAGELESS = ("gocardless",)


async def retry_payment(tx: Tx, invoice: Invoice, at: dt.datetime) -> None:
    """Try to collect again; 405 `invalid_status`. Without a provider only `invoice.payment_failure` follows."""
    if not _is_payable(invoice):
        raise NotAllowed("invalid_status")
    customer = await tx.get_one(Customer, invoice.customer_id)
    if customer.payment_provider is None:
        await outbox.emit(tx, [_nobody_collects(invoice, customer, at)])


def _is_payable(invoice: Invoice) -> bool:
    return invoice.status not in ("draft", "voided") and invoice.payment_status != "succeeded"


def _nobody_collects(invoice: Invoice, customer: Customer, at: dt.datetime) -> Message:
    """The message of webhooks.md §3.3 for a customer without provider."""
    options = {
        "lago_invoice_id": invoice.id,
        "lago_customer_id": customer.id,
        "external_customer_id": customer.external_id,
        "provider_customer_id": None,
        "payment_provider": None,
        "payment_provider_code": None,
        "provider_error": None,
        "error_details": {"code": "customer_must_have_payment_provider"},
    }
    return Message(invoice.organization_id, "invoice.payment_failure", invoice.id, at, options)


async def check_payment_page(tx: Tx, invoice: Invoice) -> None:
    """Refuse a payment page, in the order of payments.md §3.6: always, as long as no provider is connected."""
    customer = await tx.get_one(Customer, invoice.customer_id)
    if customer.payment_provider is None:
        code = "no_linked_payment_provider"
    elif customer.payment_provider in PAGELESS:
        code = "invalid_payment_provider"
    elif not _is_payable(invoice):
        code = "invalid_invoice_status_or_payment_status"
    else:
        code = "missing_payment_provider"
    raise Invalid.field("base", code)
