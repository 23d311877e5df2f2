"""`/api/v1/billing_entities` (customers_entitlements.md §3), and their logos, which documents and mails show."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import BeforeValidator
from starlette.requests import Request
from starlette.responses import Response

from tallystick.api.call import Call
from tallystick.api.inputs import Codes, Flag, Label, Shape, Text, one_of, up_to
from tallystick.api.issuers import MAX_NAME, IssuerInput, Logo
from tallystick.api.routes import Routes
from tallystick.flows.lifecycle import organizations as lifecycle
from tallystick.flows.wire.organizations import billing_entity
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound
from tallystick.ground.ids import parse_id
from tallystick.ground.installation import Installation
from tallystick.ground.tables import BillingEntity
from tallystick.rooms.organizations import store, verbs, views

routes = Routes("billing_entity")
MAX_CODES = 100


def _numbering(value: Any) -> Any:
    # whatever is not per_customer means the entity's own sequence (customers_entitlements.md §3)
    if value in (None, ""):
        return None
    return value if value == "per_customer" else "per_billing_entity"


class BillingEntityInput(IssuerInput):
    """Body of create and update; an update ignores `code`."""

    name: Annotated[Label, up_to(MAX_NAME)] = None
    code: Annotated[Label, up_to(MAX_NAME)] = None
    phone: Text = None
    document_numbering: Annotated[str | None, BeforeValidator(_numbering), Shape.SCALAR] = None
    eu_tax_management: Flag = None
    einvoicing: Flag = None
    logo: Logo = None
    tax_codes: Annotated[Codes, up_to(MAX_CODES)] = None
    invoice_custom_section_codes: Codes = None

    def settings(self) -> dict[str, Any]:
        """The given settings by column."""
        given = super().settings()
        if "logo" in given:
            given["logo_content_type"], given["logo"] = given["logo"] or (None, None)
        return given


class NewBillingEntityInput(BillingEntityInput):
    """Body of a create, which takes only the two numberings that exist."""

    document_numbering: Annotated[str | None, one_of("per_customer", "per_billing_entity"), Shape.SCALAR] = None


@routes.post("/billing_entities", root="billing_entity", model=NewBillingEntityInput)
async def create(call: Call, tx: Tx) -> Any:
    """Create another billing entity."""
    fields = call.read("billing_entity", NewBillingEntityInput, drop_nulls=True).settings()
    entity = await lifecycle.create_entity(tx, call.organization_id, call.at, fields)
    return {"billing_entity": await _single(call, tx, entity)}


@routes.get("/billing_entities")
async def listing(call: Call, tx: Tx) -> Any:
    """List all billing entities, oldest first, without pages."""
    rows = await store.entities(tx, call.organization_id)
    return {"billing_entities": views.billing_entities(rows, call.installation.settings.public_api_url)}


@routes.get("/billing_entities/{code}")
async def show(call: Call, tx: Tx) -> Any:
    """Find a billing entity by its code."""
    entity = await verbs.find_entity(tx, call.organization_id, call.path("code"))
    return {"billing_entity": await _single(call, tx, entity)}


@routes.put("/billing_entities/{code}", root="billing_entity", model=BillingEntityInput)
async def update(call: Call, tx: Tx) -> Any:
    """Change a billing entity; future invoices follow."""
    entity = await verbs.find_entity(tx, call.organization_id, call.path("code"))
    body = call.read("billing_entity", BillingEntityInput)
    await lifecycle.update_entity(tx, entity, call.at, body.settings(), body.tax_codes)
    return {"billing_entity": await _single(call, tx, entity)}


async def _single(call: Call, tx: Tx, entity: BillingEntity) -> dict[str, Any]:
    return await billing_entity(tx, entity, call.installation.settings.public_api_url)


def mount_logos(app: FastAPI) -> None:
    """Serve logos to everybody who knows the entity's id: mail readers and browsers have no key."""

    async def logo(request: Request) -> Response:
        installation: Installation = request.app.state.installation
        entity_id = parse_id(request.path_params["id"])
        async with installation.database.begin() as tx:
            entity = await tx.get(BillingEntity, entity_id) if entity_id else None
        if entity is None or entity.logo is None:
            raise NotFound("resource")
        headers = {"X-Content-Type-Options": "nosniff"}
        return Response(entity.logo, media_type=entity.logo_content_type, headers=headers)

    app.add_api_route(views.LOGO_PATH, logo, methods=["GET", "HEAD"], include_in_schema=False)
