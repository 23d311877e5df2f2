"""E-invoices over HTTP: made with the PDF of sellers that issue them, served by link, valid whatever was billed."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

from tallystick.flows.documents.generate import generate_documents
from tallystick.flows.documents.press import DocumentsMissing, Press
from tallystick.ground.installation import Installation
from tallystick.ground.tables import Invoice
from tallystick.providers import einvoice, pdf
from tallystick.providers.storage.files import Files
from tests.support.api import Api
from tests.support.coupons import apply, coupon
from tests.support.einvoices import UBL_RULES, broken_rules, text_at, texts
from tests.support.invoices import Books
from tests.support.server import Running

SELLER = {
    "country": "FR",
    "legal_name": "Northwind SAS",
    "tax_identification_number": "FR40812345678",
    "email": "billing@northwind.example",
    "address_line1": "12 rue des Tanneurs",
    "zipcode": "69002",
    "city": "Lyon",
}


def issue_einvoices(api: Api, on: bool = True) -> None:
    path = f"/billing_entities/{api.organization['slug']}"
    api.put(path, {"billing_entity": {**SELLER, "einvoicing": on}})


def sell(api: Api) -> dict[str, Any]:
    """A one-off invoice of two add-ons, and a subscription with a coupon and a tax, both issued."""
    api.at("2025-05-10T00:00:00Z")
    api.post("/taxes", {"tax": {"name": "TVA", "code": "tva", "rate": "20", "applied_to_organization": True}})
    api.post("/taxes", {"tax": {"name": "Réduit", "code": "low", "rate": "5.5"}})
    for code, cents, taxes in (("setup", 10050, []), ("book", 1999, ["low"])):
        body = {"name": code, "code": code, "amount_cents": cents, "amount_currency": "EUR", "tax_codes": taxes}
        api.post("/add_ons", {"add_on": body})
    api.post("/customers", {"customer": {"external_id": "cust", "name": "Acme", "country": "FR", "currency": "EUR"}})
    fees = [{"add_on_code": "setup", "units": "1.5"}, {"add_on_code": "book", "units": 3}]
    made = api.post("/invoices", {"invoice": {"external_customer_id": "cust", "currency": "EUR", "fees": fees}})
    api.at("2025-05-10T00:00:01Z")
    return made["invoice"]  # type: ignore[no-any-return]


def file_of(running: Running, url: str) -> httpx.Response:
    return httpx.get(url.replace(running.settings.public_api_url, running.url))


def test_an_issued_invoice_has_its_file(api: Api, running: Running) -> None:
    issue_einvoices(api)
    made = sell(api)
    assert made["xml_url"] is None
    shown = api.post(f"/invoices/{made['lago_id']}/download_xml")["invoice"]
    assert "fees" not in shown
    answer = file_of(running, shown["xml_url"])
    assert answer.headers["content-type"] == "application/xml"
    assert answer.headers["content-disposition"] == f'inline; filename="{made["number"]}.xml"'
    xml = answer.content
    assert broken_rules(xml, UBL_RULES) == []
    assert text_at(xml, "PayableAmount") == f"{made['total_amount_cents'] / 100:.2f}"
    assert texts(xml, "TaxAmount")[0] == f"{made['taxes_amount_cents'] / 100:.2f}"
    document = PdfReader(BytesIO(file_of(running, shown["file_url"]).content))
    assert list(document.attachments) == ["factur-x.xml"]
    assert made["number"] in document.pages[0].extract_text()


def test_discounts_of_a_subscription(api: Api, running: Running) -> None:
    issue_einvoices(api)
    sell(api)
    coupon(api, "c", percentage_rate="12.5")
    apply(api, "c")
    plan = {"name": "P", "code": "p", "interval": "monthly", "amount_cents": 3333, "amount_currency": "EUR"}
    api.post("/plans", {"plan": {**plan, "pay_in_advance": True}})
    api.post("/subscriptions", {"subscription": {"external_customer_id": "cust", "plan_code": "p", "external_id": "s"}})
    api.at("2025-06-01T01:00:00Z")
    (newest, first, _) = api.get("/invoices", customer_external_id="cust")["invoices"]
    for listed in (newest, first):
        xml = file_of(running, listed["xml_url"]).content
        assert broken_rules(xml, UBL_RULES) == []
        assert text_at(xml, "AllowanceTotalAmount") == f"{listed['coupons_amount_cents'] / 100:.2f}"
        assert text_at(xml, "PayableAmount") == f"{listed['total_amount_cents'] / 100:.2f}"


def test_without_the_setting_there_is_none(api: Api) -> None:
    made = sell(api)
    path = f"/invoices/{made['lago_id']}/download_xml"
    assert api.post(path) is None
    api.at("2025-05-10T01:00:00Z")
    assert api.post(path) is None
    assert api.post(f"/invoices/{made['lago_id']}/download")["invoice"]["xml_url"] is None
    # asked for once the seller issues them, it is made
    issue_einvoices(api)
    assert api.post(path) is None
    api.at("2025-05-10T02:00:00Z")
    assert api.post(path)["invoice"]["xml_url"] is not None


def test_only_issued_invoices_have_files(api: Api) -> None:
    for missing in ("nonsense", "01890000-0000-7000-8000-000000000001"):
        assert api.post(f"/invoices/{missing}/download_xml", status=404)["code"] == "invoice_not_found"


class Refusing:
    """Writes no e-invoice, as when a schema refuses it."""

    def invoice_files(self, invoice: Mapping[str, Any], entity: Mapping[str, Any], locale: str) -> tuple[bytes, bytes]:
        raise einvoice.InvalidXml("refused")

    credit_note_files = invoice_files

    def embed(self, pdf: bytes, content: bytes, number: str, entity: Mapping[str, Any], locale: str) -> bytes:
        raise AssertionError("there is nothing to embed")


async def test_one_that_fails_leaves_the_pdf_and_is_tried_again(
    installation: Installation, api: Api, tmp_path: Path
) -> None:
    issue_einvoices(api)
    books = await Books.of(installation.database, api)
    made = await books.invoice([books.fee(100)])

    async def keys() -> tuple[str | None, str | None]:
        async with books.database.begin() as tx:
            row = await tx.get_one(Invoice, made.id)
            return row.file_key, row.xml_key

    with ThreadPoolExecutor(1) as threads:
        press = Press(installation.database, Files(tmp_path), pdf, Refusing(), "http://api.test", threads)
        with pytest.raises(DocumentsMissing):
            await generate_documents(press, [made.id])
        file_key, xml_key = await keys()
        assert file_key is not None
        assert xml_key is None
        press = Press(installation.database, Files(tmp_path), pdf, einvoice, "http://api.test", threads)
        await generate_documents(press, [made.id])
    assert (await keys())[1] == f"invoices/{books.organization_id}/{made.id}.xml"
