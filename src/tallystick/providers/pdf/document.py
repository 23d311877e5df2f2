"""Draws documents with typst: one compiler per thread, bundled fonts only, the same bytes for the same input.

What a document says is decided in `layout.py`; nothing is fetched from the network or from the system's fonts.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import typst

from tallystick.providers.pdf.annex import lay_out_annex
from tallystick.providers.pdf.coverage import showable
from tallystick.providers.pdf.credit_note import lay_out_credit_note
from tallystick.providers.pdf.layout import lay_out_invoice
from tallystick.providers.pdf.model import Document
from tallystick.providers.pdf.setting import Wire

TEMPLATES = Path(__file__).with_name("templates")
FONTS = Path(__file__).with_name("fonts")
FAMILIES = (
    "Inter",
    "Noto Sans CJK TC",
    "Noto Sans Hebrew",
    "Noto Sans Arabic",
    "Noto Sans Thai",
    "Noto Sans Devanagari",
)

_local = threading.local()


class DrawingFailed(RuntimeError):
    """A document could not be drawn as designed, such as with a font that is not bundled."""


def render_invoice(
    invoice: Wire,
    billing_entity: Wire,
    locale: str,
    *,
    logo: bytes | None = None,
    marked: bool = True,
    archival: bool = False,
) -> bytes:
    """PDF of an invoice (invoicing.md §21): the REST object, its billing entity (api.md §15.5), a document locale.

    `logo` is the seller's picture (PNG, JPEG, GIF, WebP or SVG), left out on self-billed invoices; `archival` writes
    PDF/A-3b, the carrier of e-invoices. Raises `UnknownLocale`, `DrawingFailed`.
    """
    document = lay_out_invoice(invoice, billing_entity, locale, marked=marked)
    return draw(document, logo=None if invoice.get("self_billed") else logo, archival=archival)


def render_credit_note(
    note: Wire,
    billing_entity: Wire,
    locale: str,
    *,
    logo: bytes | None = None,
    marked: bool = True,
    archival: bool = False,
) -> bytes:
    """PDF of a credit note (invoicing.md §21.2): the REST object with items; the rest as for `render_invoice`."""
    document = lay_out_credit_note(note, billing_entity, locale, marked=marked)
    return draw(document, logo=None if note.get("self_billed") else logo, archival=archival)


def render_annex(
    invoice: Wire,
    sentences: Mapping[Any, Sequence[str]],
    billing_entity: Wire,
    locale: str,
    *,
    marked: bool = True,
) -> bytes:
    """PDF that explains the lines of an invoice: its REST object, the sentences of each fee by its id."""
    return draw(lay_out_annex(invoice, sentences, billing_entity, locale, marked=marked))


def draw(
    document: Document,
    *,
    logo: bytes | None = None,
    archival: bool = False,
    families: tuple[str, ...] = FAMILIES,
) -> bytes:
    """Draw a document in the given font families. Raises `DrawingFailed` for an unknown family or a broken logo."""
    content = showable(asdict(document)) | {"families": families, "logo": list(logo) if logo else None}
    options: dict[str, Any] = {"pdf_standards": ["a-3b"]} if archival else {}
    try:
        drawn, warnings = _compiler().compile_with_warnings(
            input=str(TEMPLATES / "invoice.typ"),
            sys_inputs={"content": json.dumps(content, ensure_ascii=False)},
            format="pdf",
            timestamp=0,  # a fixed creation date: the same input gives the same bytes
            **options,
        )
    except typst.TypstError as failure:
        raise DrawingFailed(failure.message) from failure
    # typst draws on with another font and only warns; a document in the wrong font must not leave the house.
    if unknown := [warning.message for warning in warnings if "unknown font" in warning.message]:
        raise DrawingFailed("; ".join(unknown))
    return cast(bytes, drawn)


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])


def _compiler() -> typst.Compiler:
    """The compiler of the calling thread; a compiler refuses to be shared between threads."""
    if not hasattr(_local, "compiler"):
        _local.compiler = typst.Compiler(root=str(TEMPLATES), font_paths=_fonts())
    compiler: typst.Compiler = _local.compiler
    return compiler
