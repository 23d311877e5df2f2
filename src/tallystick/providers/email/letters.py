"""Words of mails (dunning.md §7.5): subject, plain text and HTML in the customer's locale. Sends nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from tallystick.providers.pdf.credit_note import notice_of
from tallystick.providers.pdf.formats import STYLES, Formats
from tallystick.providers.pdf.setting import Wire, setting_of
from tallystick.rooms.mails.ports import Wording

_HERE = Path(__file__).parent
#: locale of what has none of its own (dunning.md §7.3)
FALLBACK = "en"


def invoice(invoice: Wire, billing_entity: Wire, locale: str, *, marked: bool) -> Wording:
    """The mail of an issued invoice: its REST object with the customer, its issuer's, a document locale."""
    locale = locale if locale in STYLES else FALLBACK
    say, formats = _words(locale), Formats(locale, invoice["currency"])
    day = formats.day(invoice["issuing_date"])
    content = {
        "title": say["invoice_title"].format(seller=billing_entity["name"]),
        "amount": formats.money(invoice["total_amount_cents"]),
        "notice": say["issued_on"].format(date=day),
        "rows": [(say["invoice_number"], invoice["number"]), (say["issue_date"], day)],
        "link": invoice["file_url"],
        "download": say["download"],
    }
    subject = say["invoice_subject"].format(seller=billing_entity["name"], number=invoice["number"])
    return _wording(subject, content, billing_entity, locale, marked)


def credit_note(note: Wire, billing_entity: Wire, locale: str, *, marked: bool) -> Wording:
    """The mail of an issued credit note, which says what became of its amount as the document does."""
    locale = locale if locale in STYLES else FALLBACK
    say, setting = _words(locale), setting_of(note, locale)
    content = {
        "title": say["credit_note_title"].format(seller=billing_entity["name"]),
        "amount": setting.formats.money(note["total_amount_cents"]),
        "notice": notice_of(note, setting),
        "rows": [
            (setting.words.say("credit_note_number"), note["number"]),
            (say["invoice_number"], note["invoice_number"]),
            (say["issue_date"], setting.formats.day(note["issuing_date"])),
        ],
        "link": note["file_url"],
        "download": say["credit_note_download"],
    }
    subject = say["credit_note_subject"].format(seller=billing_entity["name"], number=note["number"])
    return _wording(subject, content, billing_entity, locale, marked)


def _wording(subject: str, content: Mapping[str, Any], issuer: Wire, locale: str, marked: bool) -> Wording:
    say = _words(locale)
    places = {
        **content,
        "subject": subject,
        "language": locale,
        "seller": issuer["name"],
        "logo_url": issuer["logo_url"],
        "questions": say["questions"].format(email=issuer["email"]) if issuer["email"] else "",
        "powered": say["powered"] if marked else "",
    }
    text = _templates().get_template("document.txt").render(places)
    html = _templates().get_template("document.html").render(places)
    return Wording(" ".join(subject.split()), text, html)


@lru_cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@lru_cache
def _words(locale: str) -> dict[str, str]:
    words: dict[str, str] = json.loads((_HERE / "locales" / f"{locale}.json").read_text(encoding="utf-8"))
    return words
