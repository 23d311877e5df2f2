"""`invoices` through the official client."""

from __future__ import annotations

import httpx
from lago_python_client.models import CustomerBillingConfiguration, Invoice, InvoiceMetadata, InvoiceMetadataList

from tests.contract.refusals import coded, invalid, refused
from tests.contract.shop import Shop

STRANGER = "00000000-0000-7000-8000-000000000000"


def notes(**pairs: str) -> InvoiceMetadataList:
    """The metadata of an update."""
    return InvoiceMetadataList(__root__=[InvoiceMetadata(key=key, value=value) for key, value in pairs.items()])


def test_find(shop: Shop) -> None:
    shop.event(8)
    invoice = shop.invoice()
    assert (invoice.invoice_type, invoice.status, invoice.payment_status) == ("subscription", "finalized", "pending")
    assert (invoice.fees_amount_cents, invoice.taxes_amount_cents, invoice.total_amount_cents) == (2200, 440, 2640)
    assert (invoice.total_due_amount_cents, invoice.currency, invoice.issuing_date) == (2640, "EUR", "2025-07-01")
    assert (invoice.payment_overdue, invoice.version_number, invoice.prepaid_credit_amount_cents) == (False, 4, 0)
    assert invoice.customer.external_id == "acme"
    assert [row.external_id for row in invoice.subscriptions.__root__] == ["sub"]
    (period,) = invoice.billing_periods.__root__
    assert (period.external_subscription_id, period.invoicing_reason) == ("sub", "subscription_periodic")
    assert (period.subscription_from_datetime, period.subscription_to_datetime) == (
        "2025-06-01T00:00:00Z",
        "2025-06-30T23:59:59Z",
    )
    (tax,) = invoice.applied_taxes.__root__
    assert (tax.tax_code, tax.tax_rate, tax.amount_cents, tax.fees_amount_cents) == ("vat", 20.0, 440, 2200)
    assert (invoice.credits.__root__, invoice.metadata.__root__, invoice.error_details.__root__) == ([], [], [])


def test_fees_of_an_invoice(shop: Shop) -> None:
    shop.event(8)
    fees = {fee.item.type: fee for fee in shop.invoice().fees.__root__ if fee.amount_cents}
    assert {kind: fee.amount_cents for kind, fee in fees.items()} == {"subscription": 2000, "charge": 200}
    usage = fees["charge"]
    assert (usage.units, usage.events_count, usage.precise_unit_amount) == ("8.0", 1, "0.25")
    assert (usage.item.code, usage.item.item_type, usage.item.grouped_by) == ("calls", "BillableMetric", {})
    assert (usage.from_date, usage.to_date) == ("2025-06-01T00:00:00+00:00", "2025-06-30T23:59:59+00:00")


def test_find_all(shop: Shop) -> None:
    assert shop.lago.invoices.find_all({"page": 9})["invoices"] == []
    invoice = shop.invoice()
    options = {
        "statuses[]": ["draft", "finalized"],
        "payment_statuses[]": ["pending"],
        "self_billed": False,
        "payment_overdue": False,
        "metadata[k]": "",
        "external_customer_id": "acme",
    }
    (row,) = shop.lago.invoices.find_all(options)["invoices"]
    assert (row.lago_id, row.customer.external_id, row.total_amount_cents) == (invoice.lago_id, "acme", 2400)
    assert [tax.tax_code for tax in row.applied_taxes.__root__] == ["vat"]
    assert row.fees is None
    assert shop.lago.invoices.find_all({"statuses[]": ["voided"]})["invoices"] == []
    assert shop.lago.invoices.find_all({"self_billed": True})["meta"]["total_count"] == 0
    past = shop.lago.invoices.find_all({"page": 3, "per_page": 1})
    assert (past["invoices"], past["meta"]["total_count"]) == ([], 1)
    wrong = refused(shop.lago.invoices.find_all, {"self_billed": "maybe"})
    assert wrong["error_details"] == {"self_billed": ["must be boolean"]}


def test_update(shop: Shop) -> None:
    invoice = shop.invoice()
    paid = shop.lago.invoices.update(Invoice(payment_status="succeeded", metadata=notes(po="77")), invoice.lago_id)
    assert (paid.payment_status, paid.total_due_amount_cents) == ("succeeded", 2400)  # no payment was recorded
    assert [(note.key, note.value) for note in paid.metadata.__root__] == [("po", "77")]
    assert shop.lago.invoices.find_all({"metadata[po]": "77"})["meta"]["total_count"] == 1
    assert refused(shop.lago.invoices.update, Invoice(payment_status="lost"), invoice.lago_id) == invalid(
        payment_status=["value_is_invalid"]
    )


def test_download_sends_no_body(shop: Shop) -> None:
    invoice = shop.invoice()
    ready = shop.lago.invoices.download(invoice.lago_id)
    if ready is None:  # the file is being made
        shop.settle()
        ready = shop.lago.invoices.download(invoice.lago_id)
    assert ready.lago_id == invoice.lago_id
    document = shop.api.http.get(httpx.URL(ready.file_url).path)
    assert document.content.startswith(b"%PDF-")


def test_drafts(shop: Shop) -> None:
    shop.customer(billing_configuration=CustomerBillingConfiguration(invoice_grace_period=5))
    invoice = shop.invoice()
    assert (invoice.status, invoice.number.endswith("-DRAFT")) == ("draft", True)
    assert refused(shop.lago.invoices.download, invoice.lago_id) == coded(404, "invoice_not_found")
    paid = Invoice(payment_status="succeeded")
    assert refused(shop.lago.invoices.update, paid, invoice.lago_id) == coded(
        405, "payment_status_update_on_draft_invoice"
    )
    noted = Invoice(metadata=notes(a="1"))
    assert refused(shop.lago.invoices.update, noted, invoice.lago_id) == coded(405, "metadata_on_draft_invoice")


def test_unknown(shop: Shop) -> None:
    for call in (shop.lago.invoices.find, shop.lago.invoices.download):
        assert refused(call, STRANGER) == coded(404, "invoice_not_found")
        assert refused(call, "no-uuid") == coded(404, "invoice_not_found")
