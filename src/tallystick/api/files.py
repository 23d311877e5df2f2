"""`/files/{token}`: documents for everybody who was given their address; no API key (api.md §11)."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tallystick.flows.documents.annex import annex_key
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound
from tallystick.ground.file_links import FILE_PATH, FileKind, kind_of_token, subject_of_token
from tallystick.ground.installation import Installation
from tallystick.ground.tables import CreditNote, Invoice, Organization
from tallystick.rooms.invoices.store import ISSUED

NO_GUESSING = {"X-Content-Type-Options": "nosniff", "X-Robots-Tag": "noindex"}


@dataclass(frozen=True, slots=True)
class _File:
    """A file that an address names: where it is kept, what it is called, what it is."""

    key: str
    name: str
    media_type: str


def mount_files(app: FastAPI) -> None:
    """Serve the documents of the installation's storage."""

    async def file(request: Request) -> Response:
        installation: Installation = request.app.state.installation
        async with installation.database.begin() as tx:
            found = await _named(tx, request.path_params["token"])
        address = await installation.storage.address(found.key) if found else None
        if address is not None:
            return RedirectResponse(address, 302, {**NO_GUESSING, "Cache-Control": "no-store"})
        content = await installation.storage.get(found.key) if found else None
        if found is None or content is None:
            raise NotFound("resource")
        headers = {**NO_GUESSING, "Content-Disposition": f'inline; filename="{found.name}"'}
        return Response(content, media_type=found.media_type, headers=headers)

    app.add_api_route(FILE_PATH, file, methods=["GET", "HEAD"], include_in_schema=False)


async def _named(tx: Tx, token: str) -> _File | None:
    subject_id = subject_of_token(token)
    if subject_id is None:
        return None
    row: Invoice | CreditNote | None = await tx.get(Invoice, subject_id) or await tx.get(CreditNote, subject_id)
    if row is None or row.status not in ISSUED:
        return None
    organization = await tx.get_one(Organization, row.organization_id)
    match kind_of_token(token, row.id, organization.hmac_key):
        case FileKind.INVOICE_PDF | FileKind.CREDIT_NOTE_PDF if row.file_key:
            return _File(row.file_key, f"{_plain(row.number)}.pdf", "application/pdf")
        case FileKind.INVOICE_XML | FileKind.CREDIT_NOTE_XML if row.xml_key:
            return _File(row.xml_key, f"{_plain(row.number)}.xml", "application/xml")
        case FileKind.INVOICE_ANNEX if isinstance(row, Invoice):
            return _File(annex_key(row), f"{_plain(row.number)}-annex.pdf", "application/pdf")
        case _:
            return None


def _plain(name: str) -> str:
    """A file name without what a header or a file system would read otherwise."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "-" for letter in name)
