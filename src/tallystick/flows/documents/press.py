"""What makes files: the installation's press, and orders carried out on it. Who orders is not known here.

Safe to repeat and to be killed at any instruction: a subject has its files under keys of its own, written whole.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from tallystick.ground.db import Database
from tallystick.ground.storage import Storage
from tallystick.rooms.invoices.ports import Documents, Einvoices

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Press:
    """What it takes to make documents. `documents` is None when the installation makes no PDF."""

    database: Database
    storage: Storage
    documents: Documents | None
    einvoices: Einvoices
    public_api_url: str
    #: drawing leaves the event loop alone; each thread has its own compiler, so there are few
    threads: ThreadPoolExecutor


class DocumentsMissing(RuntimeError):
    """Some documents of a job could not be made; the others are done."""


@dataclass(frozen=True, slots=True)
class EinvoiceOrder:
    """An e-invoice to be made: the key of its file (None when it exists), how to write both files, how to embed one."""

    key: str | None
    write: Callable[[], tuple[bytes, bytes]]
    embed: Callable[[bytes, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made of one subject. `pdf_key` is None when there is a PDF already, or none is wanted.

    `draw` takes whether the PDF has to carry an e-invoice.
    """

    subject_id: uuid.UUID
    pdf_key: str | None
    draw: Callable[[bool], bytes]
    einvoice: EinvoiceOrder | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What became of an order: the keys of new files, and what went wrong. A PDF is made even without its e-invoice."""

    subject_id: uuid.UUID
    pdf_key: str | None
    xml_key: str | None
    failure: Exception | None


async def make_all(press: Press, orders: Sequence[Order]) -> list[Made]:
    """Carry out orders side by side; their files are kept when this returns."""
    return list(await asyncio.gather(*(_make(press, order) for order in orders)))


def complain(made: Sequence[Made]) -> None:
    """Raise `DocumentsMissing` when something could not be made, so that its job runs again."""
    failed = [one for one in made if one.failure is not None]
    for one in failed:
        log.error("a document cannot be made", subject_id=str(one.subject_id), exc_info=one.failure)
    if failed:
        raise DocumentsMissing(f"{len(failed)} of {len(made)}") from failed[0].failure


async def _make(press: Press, order: Order) -> Made:
    loop = asyncio.get_running_loop()
    try:
        pdf, xml, failure = await loop.run_in_executor(press.threads, _files, order)
        xml_key = order.einvoice.key if order.einvoice and xml is not None else None
        if xml_key is not None and xml is not None:
            await press.storage.put(xml_key, xml)
        if order.pdf_key is not None and pdf is not None:
            await press.storage.put(order.pdf_key, pdf)
    except Exception as error:
        return Made(order.subject_id, None, None, error)
    return Made(order.subject_id, order.pdf_key if pdf is not None else None, xml_key, failure)


def _files(order: Order) -> tuple[bytes | None, bytes | None, Exception | None]:
    """The PDF and the e-invoice, in that thread; an e-invoice that fails leaves the PDF without it (§11.4)."""
    xml, inside, failure = None, None, None
    if order.einvoice is not None:
        try:
            xml, inside = order.einvoice.write()
        except Exception as error:
            failure = error
    if order.pdf_key is None:
        return None, xml, failure
    if order.einvoice is None or inside is None:
        return order.draw(False), xml, failure
    return order.einvoice.embed(order.draw(True), inside), xml, failure
