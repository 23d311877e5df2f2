"""The trace annex of an invoice: a PDF that explains each line, made only when somebody asks for it.

What it says comes from the traces that were stored with the lines (docs/user/explain.md).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import select

from tallystick.core.line_sentences import discount_sentence, sentences_of, tax_sentences
from tallystick.core.money import EXACT
from tallystick.flows.documents.generate import file_key
from tallystick.flows.documents.kinds import INVOICES
from tallystick.flows.documents.press import Press
from tallystick.ground.db import Tx
from tallystick.ground.jobs import Job, enqueue, queue_of
from tallystick.ground.tables import Fee, FeeTax, Invoice, Organization
from tallystick.rooms.invoices import store
from tallystick.rooms.organizations import views as organization_views

TASK = "generate_annex"


def annex_key(invoice: Invoice) -> str:
    """Where the annex of an invoice is kept."""
    return file_key(INVOICES, invoice).replace(".pdf", "-annex.pdf")


async def request_annex(tx: Tx, invoice: Invoice) -> None:
    """Ask for the annex of an issued invoice."""
    organization = await tx.get_one(Organization, invoice.organization_id)
    queue = queue_of(organization.id, organization.sandbox)
    await enqueue(tx, [Job(TASK, {"ids": [invoice.id]}, queue)])


async def run(press: Press, ids: Sequence[str]) -> None:
    """The job."""
    if press.documents is None:
        return
    async with press.database.begin() as tx:
        found = await INVOICES.find(tx, [uuid.UUID(text) for text in ids])
        bodies = await INVOICES.bodies(tx, [one.row for one in found], press.public_api_url)
        sentences = await _sentences(tx, [one.row.id for one in found])
    issuers = organization_views.billing_entities([one.entity for one in found], press.public_api_url)
    loop = asyncio.get_running_loop()
    for one, body, issuer in zip(found, bodies, issuers, strict=True):
        draw = partial(press.documents.render_annex, body, sentences, issuer, one.locale, marked=one.marked)
        content = await loop.run_in_executor(press.threads, draw)
        assert isinstance(one.row, Invoice)
        await press.storage.put(annex_key(one.row), content)


async def _sentences(tx: Tx, invoice_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, tuple[str, ...]]:
    """fee -> how it came to its amount."""
    fees = await store.fees_of(tx, invoice_ids)
    statement = select(FeeTax).where(FeeTax.fee_id.in_([fee.id for fee in fees]))
    taxes: dict[uuid.UUID, list[FeeTax]] = {}
    for tax in await tx.scalars(statement.order_by(FeeTax.created_at, FeeTax.id)):
        taxes.setdefault(tax.fee_id, []).append(tax)
    return {fee.id: _of(fee, taxes.get(fee.id, ())) for fee in fees}


def _share(base: Decimal, rate: Decimal) -> Decimal:
    return EXACT.divide(EXACT.multiply(base, rate), Decimal(100))


def _of(fee: Fee, taxes: Sequence[Any]) -> tuple[str, ...]:
    base = EXACT.subtract(Decimal(fee.amount_cents), fee.precise_coupons_amount_cents)
    rows = [(tax.tax_name, tax.tax_rate, _share(base, tax.tax_rate)) for tax in taxes]
    told = sentences_of(fee.trace) if fee.trace else ()
    return (*told, *discount_sentence(fee.precise_coupons_amount_cents), *tax_sentences(base, rows))
