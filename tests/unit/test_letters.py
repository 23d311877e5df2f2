"""Words of mails: nine locales, two forms, nothing of the callers' run as markup."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tallystick.providers.email import letters
from tallystick.providers.pdf.formats import STYLES
from tests.support.wire_invoices import ENTITY, wire_fee, wire_invoice

LINK = "http://api.test/files/abc"


def invoice(**own: Any) -> dict[str, Any]:
    return wire_invoice([wire_fee("subscription", "Scale", "1.0", "1234.5", 123450)], file_url=LINK, **own)


@pytest.mark.parametrize("locale", STYLES)
def test_every_locale_has_the_same_words(locale: str) -> None:
    folder = letters._HERE / "locales"
    english = json.loads((folder / "en.json").read_text())
    words = json.loads((folder / f"{locale}.json").read_text())
    assert list(words) == list(english)
    made = letters.invoice(invoice(), ENTITY, locale, marked=True)
    for said in (made.text, made.html):
        assert "NOR-001-042" in said
        assert LINK in said
        assert "{" not in said.split("</style>")[-1].replace("{{", "")
    assert "Northwind" in made.subject
    assert f'lang="{locale}"' in made.html


def test_in_english() -> None:
    made = letters.invoice(invoice(), ENTITY, "en", marked=False)
    assert made.subject == "Your Invoice from Northwind #NOR-001-042"
    assert made.text == (
        "Invoice from Northwind\n\n€1,481.40\nIssued on Feb 14, 2024\n\n"
        "Invoice number: NOR-001-042\nIssue date: Feb 14, 2024\n\n"
        f"Download the invoice:\n{LINK}\n\nQuestions? Contact us at billing@northwind.example\n"
    )


def test_amounts_and_days_read_as_on_the_document() -> None:
    said = letters.invoice(invoice(), ENTITY, "fr", marked=False).text
    assert "1\u202f481,40\u00a0€" in said
    assert "14 févr. 2024" in said


def test_an_unknown_locale_is_english() -> None:
    assert letters.invoice(invoice(), ENTITY, "xx", marked=False).subject.startswith("Your Invoice")


def test_names_are_never_markup_nor_headers() -> None:
    entity = ENTITY | {"name": "<b>A & B</b>\r\nBcc: x@y.test"}
    made = letters.invoice(invoice(), entity, "en", marked=True)
    assert "<b>" not in made.html
    assert "&lt;b&gt;A &amp; B" in made.html
    assert "\n" not in made.subject
    assert "Powered by Tallystick" in made.text


def test_without_a_document_there_is_no_link() -> None:
    made = letters.invoice(invoice() | {"file_url": None}, ENTITY | {"logo_url": "http://x/logo"}, "en", marked=False)
    assert "Download" not in made.text + made.html
    assert '<img src="http://x/logo"' in made.html
