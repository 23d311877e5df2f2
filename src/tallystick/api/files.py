"""`/files/{token}`: documents for everybody who was given their address; no API key (api.md §11)."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound
from tallystick.ground.installation import Installation
from tallystick.ground.tables import Invoice, Organization
from tallystick.rooms.invoices import links
from tallystick.rooms.invoices.store import ISSUED

NO_GUESSING = {"X-Content-Type-Options": "nosniff", "X-Robots-Tag": "noindex"}


def mount_files(app: FastAPI) -> None:
    """Serve the documents of the installation's storage."""

    async def file(request: Request) -> Response:
        installation: Installation = request.app.state.installation
        async with installation.database.begin() as tx:
            invoice = await _invoice(tx, request.path_params["token"])
        content = await installation.storage.get(invoice.file_key) if invoice and invoice.file_key else None
        if invoice is None or content is None:
            raise NotFound("resource")
        named = {"Content-Disposition": f'inline; filename="{_plain(invoice.number)}.pdf"'}
        return Response(content, media_type="application/pdf", headers={**NO_GUESSING, **named})

    app.add_api_route(links.FILE_PATH, file, methods=["GET", "HEAD"], include_in_schema=False)


async def _invoice(tx: Tx, token: str) -> Invoice | None:
    invoice_id = links.invoice_of_token(token)
    invoice = await tx.get(Invoice, invoice_id) if invoice_id else None
    if invoice is None or invoice.status not in ISSUED:
        return None
    organization = await tx.get_one(Organization, invoice.organization_id)
    return invoice if links.is_genuine(token, invoice.id, organization.hmac_key) else None


def _plain(name: str) -> str:
    """A file name without what a header or a file system would read otherwise."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "-" for letter in name)
