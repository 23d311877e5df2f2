"""Invoice documents as drawn: real typst, real fonts, the text read back from the PDF."""

from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier
from typing import Any

import pytest
from pypdf import PdfReader

from tallystick.providers.pdf import DrawingFailed, render_invoice
from tallystick.providers.pdf.document import draw
from tallystick.providers.pdf.layout import lay_out_invoice
from tests.support.wire_invoices import CUSTOMER, ENTITY, wire_fee, wire_invoice

LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10"><rect width="40" height="10" fill="#246"/></svg>'


def usage_invoice(lines: int = 3, **own: Any) -> dict[str, Any]:
    fees = [wire_fee("charge", f"Service {n:02d}", "10.0", "0.5", 500) for n in range(1, lines + 1)]
    return wire_invoice([wire_fee("subscription", "Scale", "1.0", "1234.5", 123450), *fees], **own)


def pages_of(pdf: bytes) -> list[str]:
    """Text of each page, ligatures and spaces made plain."""
    texts = [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]
    return [" ".join(unicodedata.normalize("NFKC", text).split()) for text in texts]


def test_a_drawn_invoice_is_a_pdf_with_number_customer_and_totals() -> None:
    pdf = render_invoice(usage_invoice(), ENTITY, "en", logo=LOGO)
    assert pdf.startswith(b"%PDF-")
    (text,) = pages_of(pdf)
    for words in ("NOR-001-042", "Acme Robotics GmbH - Lena Vogel", "€1,249.50", "€1,499.40", "Page 1 of 1"):
        assert words in text


def test_a_long_invoice_repeats_the_heading_of_its_table() -> None:
    pages = pages_of(render_invoice(usage_invoice(40), ENTITY, "en"))
    assert len(pages) == 2
    assert all("Unit price" in page and "Fees from Jan 1, 2024" in page for page in pages)
    assert "Page 2 of 2" in pages[1]


def test_the_same_invoice_gives_the_same_bytes() -> None:
    invoice = usage_invoice()
    assert render_invoice(invoice, ENTITY, "fr") == render_invoice(invoice, ENTITY, "fr")
    assert render_invoice(invoice, ENTITY, "fr") != render_invoice(invoice, ENTITY, "de")


@pytest.mark.parametrize("name", ["臺灣機器人股份有限公司", "חברת הרובוטים", "شركة الروبوت", "로봇 주식회사", "บริษัท"])
def test_names_in_other_scripts_are_shown_without_gaps(name: str) -> None:
    customer = CUSTOMER | {"legal_name": name, "firstname": None, "lastname": None}
    # PDF/A refuses a text without glyphs, so this also says that every character has one.
    pdf = render_invoice(usage_invoice(customer=customer), ENTITY, "zh-TW", archival=True)
    assert "□" not in pages_of(pdf)[0]
    assert "發票" in pages_of(pdf)[0]


def test_characters_without_a_glyph_have_a_stand_in() -> None:
    customer = CUSTOMER | {"legal_name": "Rocket \U0001f680\ufe0f Ltd\u0001"}
    assert "Rocket □ Ltd - Lena" in pages_of(render_invoice(usage_invoice(customer=customer), ENTITY, "en"))[0]
    assert render_invoice(usage_invoice(customer=customer), ENTITY, "en", archival=True).startswith(b"%PDF-")


def test_texts_are_never_run_as_markup() -> None:
    customer = CUSTOMER | {"legal_name": '#panic("x") $a^2$ *b* _c_ @d <e>'}
    assert (
        '#panic("x") $a^2$ *b* _c_ @d <e>'
        in pages_of(render_invoice(usage_invoice(customer=customer), ENTITY, "en"))[0]
    )


def test_an_unknown_font_fails() -> None:
    document = lay_out_invoice(usage_invoice(), ENTITY, "en")
    with pytest.raises(DrawingFailed, match="unknown font"):
        draw(document, families=("Comic Sans MS", "Inter"))


def test_a_broken_logo_fails() -> None:
    with pytest.raises(DrawingFailed):
        render_invoice(usage_invoice(), ENTITY, "en", logo=b"not a picture")


def test_every_thread_draws_with_its_own_compiler() -> None:
    invoice = usage_invoice()
    threads = 4
    together = Barrier(threads)

    def render(_: int) -> bytes:
        together.wait()
        return render_invoice(invoice, ENTITY, "en")

    with ThreadPoolExecutor(threads) as pool:
        assert set(pool.map(render, range(threads))) == {render_invoice(invoice, ENTITY, "en")}
