"""Credit notes as documents: PDF, e-invoice, mail and their addresses, over HTTP (credits.md §3.13)."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

from tests.standins.smtp import MailServer
from tests.support.api import Api
from tests.support.coupons import apply, coupon
from tests.support.einvoices import CII_RULES, UBL_RULES, broken_rules, text_at, texts
from tests.support.server import Running, settings_for

SELLER = {
    "country": "FR",
    "legal_name": "Northwind SAS",
    "tax_identification_number": "FR40812345678",
    "email": "billing@northwind.example",
    "einvoicing": True,
    "email_settings": ["credit_note.created"],
}


@pytest.fixture
def mailbox() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture
def shop(database_url: str, mailbox: MailServer, tmp_path: Path) -> Iterator[Api]:
    """A French seller with mails, and an issued invoice of a plan at 20 % and usage at 5.5 %, with a coupon."""
    smtp = {"smtp_host": "127.0.0.1", "smtp_port": mailbox.port, "smtp_security": "none"}
    server = Running(settings_for(database_url, tmp_path, **smtp))
    server.start()
    api = Api(server.url)
    api.put(f"/billing_entities/{api.organization['slug']}", {"billing_entity": SELLER})
    api.at("2025-05-10T00:00:00Z")
    api.post("/taxes", {"tax": {"name": "TVA", "code": "tva", "rate": "20", "applied_to_organization": True}})
    api.post("/taxes", {"tax": {"name": "Réduit", "code": "low", "rate": "5.5"}})
    for code, cents, taxes in (("setup", 10050, []), ("book", 1999, ["low"])):
        body = {"name": code.title(), "code": code, "amount_cents": cents, "amount_currency": "EUR", "tax_codes": taxes}
        api.post("/add_ons", {"add_on": body})
    api.post(
        "/customers",
        {
            "customer": {
                "external_id": "cust",
                "name": "Acme",
                "country": "FR",
                "currency": "EUR",
                "email": "a@acme.test",
            }
        },
    )
    yield api
    server.stop()


def sell(api: Api) -> dict[str, Any]:
    fees = [{"add_on_code": "setup"}, {"add_on_code": "book", "units": 3}]
    made = api.post("/invoices", {"invoice": {"external_customer_id": "cust", "currency": "EUR", "fees": fees}})
    return made["invoice"]  # type: ignore[no-any-return]


def give_back(api: Api, invoice: dict[str, Any], *cents: int, **more: Any) -> dict[str, Any]:
    items = [{"fee_id": fee["lago_id"], "amount_cents": part} for fee, part in zip(invoice["fees"], cents, strict=True)]
    asked = {"invoice_id": invoice["lago_id"], "items": items}
    estimated = api.post("/credit_notes/estimate", {"credit_note": asked})["estimated_credit_note"]
    body = {**asked, "reason": "order_change", "credit_amount_cents": estimated["max_creditable_amount_cents"], **more}
    return api.post("/credit_notes", {"credit_note": body})["credit_note"]  # type: ignore[no-any-return]


def fetch(api: Api, url: str) -> httpx.Response:
    return httpx.get(f"{str(api.http.base_url).rstrip('/')}/files/{url.rsplit('/', 1)[1]}")


def test_a_note_has_its_documents_and_is_mailed(shop: Api, mailbox: MailServer) -> None:
    sold = sell(shop)
    note = give_back(shop, sold, *(fee["amount_cents"] for fee in sold["fees"]))
    assert (note["file_url"], note["xml_url"]) == (None, None)
    shop.at("2025-05-10T00:00:01Z")
    path = f"/credit_notes/{note['lago_id']}"
    shown = shop.post(f"{path}/download")["credit_note"]
    assert "items" not in shown
    assert shop.post(f"{path}/download_pdf")["credit_note"] == shown
    assert shop.post(f"{path}/download_xml")["credit_note"] == shown
    pdf = fetch(shop, shown["file_url"])
    assert pdf.headers["content-disposition"] == f'inline; filename="{note["number"]}.pdf"'
    reader = PdfReader(BytesIO(pdf.content))
    said = " ".join(reader.pages[0].extract_text().split())
    for words in ("Credit note", note["number"], sold["number"], "Credited to the customer", "Book", "Setup"):
        assert words in said
    assert f"€{note['total_amount_cents'] / 100:.2f}" in said
    (inside,) = reader.attachments["factur-x.xml"]
    xml = fetch(shop, shown["xml_url"]).content
    assert broken_rules(xml, UBL_RULES) == []
    assert broken_rules(inside, CII_RULES) == []
    (taken,) = mailbox.taken
    assert note["number"] in taken.message["Subject"]
    assert [part.get_filename() for part in taken.message.iter_attachments()] == [f"credit_note-{note['number']}.pdf"]


def test_its_amounts_are_positive_and_its_own(shop: Api) -> None:
    sold = sell(shop)
    note = give_back(shop, sold, 333, 1234)
    shop.at("2025-05-10T00:00:01Z")
    xml = fetch(shop, shop.get(f"/credit_notes/{note['lago_id']}")["credit_note"]["xml_url"]).content
    assert broken_rules(xml, UBL_RULES) == []
    assert text_at(xml, "CreditNoteTypeCode") == "381"
    assert text_at(xml, "PayableAmount") == f"{note['total_amount_cents'] / 100:.2f}"
    assert texts(xml, "TaxAmount")[0] == f"{note['taxes_amount_cents'] / 100:.2f}"
    assert text_at(xml, "InvoiceDocumentReference", "ID") == sold["number"]
    assert texts(xml, "CreditedQuantity") == ["1", "1"]
    assert sorted(texts(xml, "PriceAmount")) == ["12.34", "3.33"]
    assert not any(text.startswith("-") for text in texts(xml, "LineExtensionAmount"))


def test_a_note_over_discounted_fees(shop: Api) -> None:
    coupon(shop, "c", percentage_rate="12.5")
    apply(shop, "c")
    plan = {"name": "P", "code": "p", "interval": "monthly", "amount_cents": 3333, "amount_currency": "EUR"}
    shop.post("/plans", {"plan": {**plan, "pay_in_advance": True}})
    body = {"external_customer_id": "cust", "plan_code": "p", "external_id": "s"}
    shop.post("/subscriptions", {"subscription": body})
    (listed,) = shop.get("/invoices")["invoices"]
    sold = shop.get(f"/invoices/{listed['lago_id']}")["invoice"]
    note = give_back(shop, sold, 1000)
    shop.at("2025-05-10T00:00:01Z")
    xml = fetch(shop, shop.get(f"/credit_notes/{note['lago_id']}")["credit_note"]["xml_url"]).content
    assert broken_rules(xml, UBL_RULES) == []
    assert text_at(xml, "AllowanceTotalAmount") == f"{note['coupons_adjustment_amount_cents'] / 100:.2f}"
    assert text_at(xml, "PayableAmount") == f"{note['total_amount_cents'] / 100:.2f}"


def test_by_hand(shop: Api, mailbox: MailServer) -> None:
    note = give_back(shop, sell(shop), 100, 0)
    path = f"/credit_notes/{note['lago_id']}/resend_email"
    assert shop.post(path, {"to": ["x@y.test"]}) is None
    refused = shop.post(path, {"cc": ["nobody", "@"]}, 422)
    assert refused["error_details"] == {"cc": ["invalid email format: nobody, @"]}
    shop.at("2025-05-10T00:00:01Z")
    assert [taken.recipients for taken in mailbox.taken] in (
        [("a@acme.test",), ("x@y.test",)],
        [("x@y.test",), ("a@acme.test",)],
    )
    shop.put(f"/billing_entities/{shop.organization['slug']}", {"billing_entity": {"email_settings": []}})
    assert shop.post(path, status=405)["code"] == "email_settings_disabled"
    assert shop.post("/credit_notes/nonsense/resend_email", status=404)["code"] == "credit_note_not_found"
