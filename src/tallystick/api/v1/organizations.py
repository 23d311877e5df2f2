"""`/api/v1/organizations`: the caller's own organization (customers_entitlements.md §4, api.md §11)."""

from __future__ import annotations

from typing import Annotated, Any

from tallystick.api.call import Call
from tallystick.api.inputs import Flag, Label, Shape, one_of, up_to
from tallystick.api.issuers import MAX_NAME, IssuerInput
from tallystick.api.routes import Routes
from tallystick.flows.lifecycle import organizations as lifecycle
from tallystick.flows.wire.organizations import organizations_with_taxes
from tallystick.ground.db import Tx
from tallystick.ground.errors import Forbidden
from tallystick.rooms.organizations import verbs, views

routes = Routes("organization")

PER_ORGANIZATION = "per_organization"


class OrganizationInput(IssuerInput):
    """Body of an update; every setting is one of the default billing entity."""

    slug: Annotated[Label, up_to(MAX_NAME)] = None
    webhook_url: Label = None
    from_email: Flag = None
    remove_branding_watermark: Flag = None
    document_numbering: Annotated[str | None, one_of("per_customer", PER_ORGANIZATION), Shape.SCALAR] = None

    def settings(self) -> dict[str, Any]:
        """The given settings by column; what organizations call `per_organization` is the entity's own sequence."""
        given = super().settings()
        if given.get("document_numbering") == PER_ORGANIZATION:
            given["document_numbering"] = "per_billing_entity"
        return given


@routes.get("/organizations")
async def show(call: Call, tx: Tx) -> Any:
    """Show the organization of the API key."""
    organization = await verbs.organization(tx, call.organization_id)
    return {"organization": (await views.organizations(tx, [organization]))[0]}


@routes.put("/organizations", root="organization", model=OrganizationInput)
async def update(call: Call, tx: Tx) -> Any:
    """Change settings, for the default billing entity too."""
    organization = await verbs.organization(tx, call.organization_id)
    await lifecycle.update(tx, organization, call.at, call.read("organization", OrganizationInput).settings())
    return {"organization": (await organizations_with_taxes(tx, [organization]))[0]}


@routes.get("/organizations/grpc_token")
async def grpc_token(call: Call, tx: Tx) -> Any:
    """There is no gRPC service: always 403 `endpoint_not_available` (api.md §11)."""
    raise Forbidden("endpoint_not_available")
