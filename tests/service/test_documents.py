"""Documents of invoices: asked for in a transaction, drawn by typst, stored once, announced once, served by link."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pypdf import PdfReader
from sqlalchemy import text

from tallystick.flows.documents.generate import CHUNK, generate_documents, request_documents
from tallystick.flows.documents.kinds import INVOICES
from tallystick.flows.documents.press import DocumentsMissing, Press
from tallystick.ground.file_links import file_token
from tallystick.ground.installation import Installation
from tallystick.ground.jobs import LIVE, queue_of
from tallystick.ground.tables import Invoice
from tallystick.providers import einvoice, pdf
from tallystick.providers.storage.files import Files
from tests.support.api import Api
from tests.support.invoices import Books
from tests.support.server import Running


@dataclass
class Pages:
    """Draws without drawing; fails for the numbers in `broken`."""

    broken: set[str] = field(default_factory=set)
    drawn: list[tuple[str, str]] = field(default_factory=list)

    def render_invoice(
        self,
        invoice: Mapping[str, Any],
        billing_entity: Mapping[str, Any],
        locale: str,
        *,
        logo: bytes | None = None,
        marked: bool = True,
        archival: bool = False,
    ) -> bytes:
        if invoice["number"] in self.broken:
            raise pdf.DrawingFailed("broken")
        self.drawn.append((invoice["number"], locale))
        return f"{invoice['number']} {invoice['total_amount_cents']}".encode()

    render_credit_note = render_invoice

    def render_annex(
        self,
        invoice: Mapping[str, Any],
        sentences: Mapping[uuid.UUID, Sequence[str]],
        billing_entity: Mapping[str, Any],
        locale: str,
        *,
        marked: bool = True,
    ) -> bytes:
        raise AssertionError("nobody asked for an annex")


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest_asyncio.fixture
async def press(installation: Installation, pages: Pages, tmp_path: Path) -> AsyncIterator[Press]:
    with ThreadPoolExecutor(2) as threads:
        yield Press(installation.database, Files(tmp_path), pages, einvoice, "http://api.test", threads)


@pytest_asyncio.fixture
async def books(installation: Installation, api: Api) -> Books:
    return await Books.of(installation.database, api)


def subscribe_to_messages(api: Api) -> None:
    api.post("/webhook_endpoints", {"webhook_endpoint": {"webhook_url": "http://127.0.0.1:9/"}})


def fetch(url: str) -> httpx.Response:
    """What a stranger without API key gets."""
    return httpx.get(url)


async def announced(books: Books) -> list[uuid.UUID]:
    """The invoices whose documents were announced, in order."""
    async with books.database.begin() as tx:
        rows = await tx.execute(
            text(
                "select subject_id from outbox where organization_id = :organization"
                " and webhook_type = 'invoice.generated' order by position"
            ),
            {"organization": books.organization_id},
        )
        return [row.subject_id for row in rows]


async def key_of(books: Books, invoice: Invoice) -> str | None:
    async with books.database.begin() as tx:
        return (await tx.get_one(Invoice, invoice.id)).file_key


async def test_documents_are_made_kept_and_announced_in_order(press: Press, books: Books, api: Api) -> None:
    subscribe_to_messages(api)
    made = [await books.invoice([books.usage(100 * n, live=False)], period=False) for n in range(1, 4)]
    await generate_documents(press, [invoice.id for invoice in reversed(made)])
    for invoice in made:
        key = await key_of(books, invoice)
        assert key == f"invoices/{books.organization_id}/{invoice.id}.pdf"
        assert await press.storage.get(key) == f"{invoice.number} {invoice.total_amount_cents}".encode()
    assert await announced(books) == [invoice.id for invoice in made]


async def test_a_repeated_job_does_nothing(press: Press, pages: Pages, books: Books, api: Api) -> None:
    subscribe_to_messages(api)
    invoice = await books.invoice([books.fee(100)])
    for _ in range(2):
        await generate_documents(press, [invoice.id])
    assert len(pages.drawn) == 1
    assert await announced(books) == [invoice.id]


async def test_a_job_killed_before_its_note_is_made_whole_by_the_next(press: Press, books: Books, api: Api) -> None:
    subscribe_to_messages(api)
    invoice = await books.invoice([books.fee(100)])
    key = f"invoices/{books.organization_id}/{invoice.id}.pdf"
    await press.storage.put(key, b"half a story")
    assert await announced(books) == []
    await generate_documents(press, [invoice.id])
    assert await press.storage.get(key) == f"{invoice.number} 100".encode()
    assert await announced(books) == [invoice.id]


async def test_a_lost_file_is_made_again_and_not_announced_again(press: Press, books: Books, api: Api) -> None:
    subscribe_to_messages(api)
    invoice = await books.invoice([books.fee(100)])
    await generate_documents(press, [invoice.id])
    elsewhere = replace(press, storage=Files(Path(press.storage.directory) / "elsewhere"))  # type: ignore[attr-defined]
    await generate_documents(elsewhere, [invoice.id])
    key = await key_of(books, invoice)
    assert key is not None
    assert await elsewhere.storage.exists(key)
    assert await announced(books) == [invoice.id]


async def test_one_that_cannot_be_drawn_does_not_stop_the_others(
    press: Press, pages: Pages, books: Books, api: Api
) -> None:
    good, bad = [await books.invoice([books.usage(n, live=False)], period=False) for n in (1, 2)]
    pages.broken = {bad.number}
    with pytest.raises(DocumentsMissing, match="1 of 2"):
        await generate_documents(press, [good.id, bad.id])
    assert await key_of(books, good) is not None
    assert await key_of(books, bad) is None
    pages.broken = set()
    await generate_documents(press, [good.id, bad.id])
    assert await key_of(books, bad) is not None


async def test_only_issued_invoices_have_documents(press: Press, books: Books) -> None:
    draft = await books.invoice([books.fee(1)], status="draft", sequential_id=None)
    await generate_documents(press, [draft.id])
    assert await key_of(books, draft) is None


async def test_an_installation_may_make_none(press: Press, books: Books) -> None:
    invoice = await books.invoice([books.fee(1)])
    await generate_documents(replace(press, documents=None), [invoice.id])
    assert await key_of(books, invoice) is None


async def test_the_locale_is_the_customers_else_the_issuers(press: Press, pages: Pages, books: Books, api: Api) -> None:
    api.put("/organizations", {"organization": {"billing_configuration": {"document_locale": "fr"}}})
    first = await books.invoice([books.fee(1)])
    await generate_documents(press, [first.id])
    api.post("/customers", {"customer": {"external_id": "acme", "billing_configuration": {"document_locale": "de"}}})
    second = await books.invoice([books.usage(1)], period=False)
    await generate_documents(press, [second.id])
    assert [locale for _, locale in pages.drawn] == ["fr", "de"]


async def test_documents_are_asked_for_in_chunks_on_the_organizations_queue(books: Books) -> None:
    ids = [uuid.uuid4() for _ in range(CHUNK + 1)]
    async with books.database.begin() as tx:
        await request_documents(tx, [(books.organization_id, invoice_id) for invoice_id in ids])
        await request_documents(tx, [])
        rows = (
            await tx.execute(
                text("select args, task_name from procrastinate_jobs where queue_name = :queue order by id"),
                {"queue": queue_of(books.organization_id, sandbox=True)},
            )
        ).all()
        await tx.rollback()
    assert [row.task_name for row in rows] == [INVOICES.task] * 2
    assert queue_of(books.organization_id, sandbox=False) == LIVE


# -- over HTTP, with the real drawing --------------------------------------------------------------


async def test_download(installation: Installation, running: Running, books: Books, api: Api) -> None:
    subscribe_to_messages(api)
    invoice = await books.invoice([books.fee(2100, taxes_amount_cents=420), books.usage(200, units=8)])
    path = f"/invoices/{invoice.id}/download"
    assert api.post(path) is None
    api.put("/test_clock", {"test_clock": {"now": "2025-06-01T06:00:00Z"}})
    for way in ("download", "download_pdf"):
        shown = api.post(f"/invoices/{invoice.id}/{way}")["invoice"]
    assert "customer" not in shown
    answer = fetch(shown["file_url"].replace(running.settings.public_api_url, running.url))
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == f'inline; filename="{invoice.number}.pdf"'
    said = PdfReader(BytesIO(answer.content)).pages[0].extract_text()
    for words in (invoice.number, "Acme", "Basic plan", "Calls"):
        assert words in said


async def test_only_finalized_invoices_are_downloaded(books: Books, api: Api) -> None:
    draft = await books.invoice([books.fee(1)], status="draft", sequential_id=None)
    voided = await books.invoice([books.usage(1)], period=False, status="voided")
    for missing in (draft.id, voided.id, uuid.uuid4(), "nonsense"):
        answer = api.post(f"/invoices/{missing}/download", status=404)
        assert answer["code"] == "invoice_not_found"


async def test_files_are_found_only_by_their_genuine_address(books: Books, api: Api, running: Running) -> None:
    invoice = await books.invoice([books.fee(1)])
    token = file_token(invoice.id, api.organization["hmac_key"])
    wrong = [
        token,  # genuine, but nothing is there yet
        file_token(invoice.id, "another key"),
        file_token(uuid.uuid4(), api.organization["hmac_key"]),
        token[:-1],
        token + "A",
        "",
        "..%2F..%2Fsecret",
        "ünsinn",
    ]
    for unknown in wrong:
        assert fetch(f"{running.url}/files/{unknown}").status_code == 404


# -- the storage of files --------------------------------------------------------------------------


async def test_files_are_replaced_whole(tmp_path: Path) -> None:
    files = Files(tmp_path / "new")
    assert await files.get("a/b.pdf") is None
    assert not await files.exists("a/b.pdf")
    await files.put("a/b.pdf", b"one")
    await files.put("a/b.pdf", b"two")
    assert await files.get("a/b.pdf") == b"two"
    assert [path.name for path in (tmp_path / "new" / "a").iterdir()] == ["b.pdf"]


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "a/../b", "", "a//b", ".hidden", "a\x00b", "a/b/"])
async def test_keys_never_leave_the_directory(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="no key of a file"):
        await Files(tmp_path).put(key, b"x")


# -- the trace annex -------------------------------------------------------------------------------


def test_an_annex_explains_each_line(api: Api, running: Running) -> None:
    api.at("2025-05-10T00:00:00Z")
    add_on = {"name": "Setup", "code": "setup", "amount_cents": 1999, "amount_currency": "EUR"}
    api.post("/add_ons", {"add_on": add_on})
    api.post("/customers", {"customer": {"external_id": "c", "currency": "EUR"}})
    fees = [{"add_on_code": "setup", "units": "2.5"}]
    made = api.post("/invoices", {"invoice": {"external_customer_id": "c", "currency": "EUR", "fees": fees}})["invoice"]
    path = f"/invoices/{made['lago_id']}/download_pdf"
    assert api.call("POST", path, annex="true") is None
    api.at("2025-05-10T00:00:01Z")
    annex = api.call("POST", path, annex="true")["invoice"]["file_url"]
    assert annex != api.post(path)["invoice"]["file_url"]
    answer = fetch(annex.replace(running.settings.public_api_url, running.url))
    assert answer.headers["content-disposition"] == f'inline; filename="{made["number"]}-annex.pdf"'
    said = PdfReader(BytesIO(answer.content)).pages[0].extract_text()
    for words in (made["number"], "Setup", "2.5 units at 1999 cents.", "4997.5 cents rounded half away from zero"):
        assert words in said
