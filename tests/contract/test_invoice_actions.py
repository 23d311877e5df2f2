"""What the official client can do with an invoice, mostly without a body."""

from __future__ import annotations

import pytest
from lago_python_client.models import Coupon, CouponsList, Customer, CustomerBillingConfiguration
from lago_python_client.models.invoice import InvoicePreview
from lago_python_client.models.subscription import Subscriptions

from tests.contract.refusals import coded, invalid, refused
from tests.contract.shop import Shop


@pytest.fixture
def draft(shop: Shop) -> str:
    """The id of a draft."""
    shop.customer(billing_configuration=CustomerBillingConfiguration(invoice_grace_period=5))
    invoice = shop.invoice()
    assert invoice.status == "draft"
    lago_id: str = invoice.lago_id
    return lago_id


def test_refresh_and_finalize(shop: Shop, draft: str) -> None:
    late = 1_750_000_000  # June 2025
    shop.event(4, timestamp=late)
    assert shop.lago.invoices.refresh(draft).fees_amount_cents == 2100
    final = shop.lago.invoices.finalize(draft)
    assert (final.status, final.fees_amount_cents, final.sequential_id) == ("finalized", 2100, 1)
    assert refused(shop.lago.invoices.finalize, draft) == coded(404, "invoice_not_found")


def test_destroy(shop: Shop, draft: str) -> None:
    assert shop.lago.invoices.destroy(draft).status == "deleted"
    assert refused(shop.lago.invoices.find, draft) == coded(404, "invoice_not_found")


def test_an_issued_invoice(shop: Shop) -> None:
    lago, lago_id = shop.lago, shop.invoice().lago_id
    assert refused(lago.invoices.destroy, lago_id) == coded(405, "not_deletable")
    assert refused(lago.invoices.retry, lago_id) == coded(405, "invalid_status")
    assert refused(lago.invoices.payment_url, lago_id) == invalid(base=["no_linked_payment_provider"])
    assert lago.invoices.lose_dispute(lago_id).payment_dispute_lost_at == "2025-07-01T06:00:00.000Z"


@pytest.mark.parametrize("method", ["void", "void_invoice"])
def test_void(shop: Shop, method: str) -> None:
    invoice = shop.invoice()
    voided = getattr(shop.lago.invoices, method)(invoice.lago_id)
    assert (voided.status, voided.total_due_amount_cents) == ("voided", 0)
    assert refused(shop.lago.invoices.void, invoice.lago_id) == coded(405, "not_voidable")


def test_preview(shop: Shop) -> None:
    """The client sends every optional key as a null."""
    asked = InvoicePreview(
        plan_code="basic",
        billing_time="anniversary",
        customer=Customer(external_id="", name="Nobody yet", timezone="Asia/Tokyo"),
        coupons=CouponsList(__root__=[Coupon(coupon_type="percentage", percentage_rate=10.0)]),
    )
    seen = shop.lago.invoices.preview(asked)
    assert (seen.number, seen.sequential_id, seen.customer.external_id) == ("", None, "")
    assert seen.coupons_amount_cents == seen.fees_amount_cents // 10
    assert seen.fees.__root__[0].lago_id is None

    running = Subscriptions(external_ids=["sub"], terminated_at="2099-06-15T00:00:00Z")
    ended = shop.lago.invoices.preview(InvoicePreview(customer=Customer(external_id="acme"), subscriptions=running))
    assert ended.subscriptions.__root__[0].status == "terminated"
    nobody = InvoicePreview(customer=Customer(external_id="nobody"), plan_code="basic")
    assert refused(shop.lago.invoices.preview, nobody) == coded(404, "customer_not_found")
