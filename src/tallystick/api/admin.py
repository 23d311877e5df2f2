"""`/admin`: the operator makes organizations and their API keys, with the installation's token instead of a key.

Not part of the wire-compatible API; answers and errors look the same.
"""

from __future__ import annotations

import datetime as dt
import hmac
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from tallystick.api.description import ADMIN_SECURITY, describe, responses
from tallystick.api.inputs import Flag, Input, Label, Moment, Object, Text, read, up_to
from tallystick.api.issuers import MAX_NAME
from tallystick.api.paging import Page, fetch_page
from tallystick.api.parameters import read_parameters
from tallystick.api.routes import LIST_QUERY, answer
from tallystick.api.v1.organizations import OrganizationInput
from tallystick.flows.lifecycle import organizations as lifecycle
from tallystick.ground.clock import machine_now
from tallystick.ground.db import Tx
from tallystick.ground.errors import MissingRoot, NotFound, Unauthorized
from tallystick.ground.ids import parse_id
from tallystick.ground.installation import Installation
from tallystick.ground.kept_secrets import admin_token
from tallystick.ground.tables import ApiKey, Organization
from tallystick.rooms.organizations import keys, store, verbs, views


class NewOrganization(OrganizationInput):
    """Body of `POST /admin/organizations`."""

    name: Annotated[Label, up_to(MAX_NAME)] = None
    sandbox: Flag = None


class NewKey(Input):
    """Body of a new API key; without `permissions` it may do everything."""

    name: Text = None
    permissions: Object = None
    expires_at: Moment = None


class Rotation(Input):
    """Body of a rotation: when the old key ends, now if absent."""

    expires_at: Moment = None


@dataclass(frozen=True, slots=True)
class AdminCall:
    """A request of the operator; keys live on the machine's time, which is `at`."""

    request: Request
    at: dt.datetime
    params: Mapping[str, Any]

    def id(self, name: str, thing: str) -> uuid.UUID:
        """An identifier of the path; 404 when malformed."""
        found = parse_id(self.request.path_params[name])
        if found is None:
            raise NotFound(thing)
        return found

    async def organization(self, tx: Tx) -> Organization:
        """The organization that the path names."""
        return await verbs.organization(tx, self.id("id", "organization"))


async def create_organization(call: AdminCall, tx: Tx) -> Any:
    """Make an organization with its default billing entity and one API key, shown only now."""
    root = call.params.get("organization")
    if not isinstance(root, dict) or not root:
        raise MissingRoot("organization")
    body = read(NewOrganization, root, drop_nulls=True)
    made, key = await lifecycle.create(tx, call.at, body.name, bool(body.sandbox), body.settings())
    return {"organization": {**(await views.organizations(tx, [made]))[0], "hmac_key": made.hmac_key}, "api_key": key}


async def list_organizations(call: AdminCall, tx: Tx) -> Any:
    """All organizations, newest first."""
    page = Page.asked(call.params.get("page"), call.params.get("per_page"))
    rows, meta = await fetch_page(tx, store.organizations(), page)
    bodies = await views.organizations(tx, rows)
    return {
        "organizations": [{**body, "sandbox": row.sandbox} for row, body in zip(rows, bodies, strict=True)],
        "meta": meta,
    }


async def list_keys(call: AdminCall, tx: Tx) -> Any:
    """The valid API keys of an organization, by their last characters."""
    organization = await call.organization(tx)
    return {"api_keys": views.api_keys(await keys.list_keys(tx, organization.id, call.at))}


async def create_key(call: AdminCall, tx: Tx) -> Any:
    """Make another API key; its value is shown only now."""
    organization = await call.organization(tx)
    given = read(NewKey, _optional_root(call), drop_nulls=True).given()
    return _shown(*await keys.create_key(tx, organization.id, call.at, **given))


async def rotate_key(call: AdminCall, tx: Tx) -> Any:
    """Replace an API key by a new one that may do everything."""
    organization = await call.organization(tx)
    ends_at = read(Rotation, _optional_root(call)).expires_at
    key_id = call.id("key_id", "api_key")
    return _shown(*await keys.rotate_key(tx, organization.id, key_id, call.at, ends_at))


async def revoke_key(call: AdminCall, tx: Tx) -> Any:
    """End an API key now."""
    organization = await call.organization(tx)
    key = await keys.revoke_key(tx, organization.id, call.id("key_id", "api_key"), call.at)
    return {"api_key": views.api_keys([key])[0]}


def _optional_root(call: AdminCall) -> dict[str, Any]:
    root = call.params.get("api_key")
    return root if isinstance(root, dict) else {}


def _shown(key: ApiKey, value: str) -> dict[str, Any]:
    return {"api_key": {**views.api_keys([key])[0], "value": value}}


AdminHandler = Callable[[AdminCall, Tx], Awaitable[Any]]
_KEYS = "/admin/organizations/{id}/api_keys"
#: method, path, handler, and the root key and model of the body
_DOORS: tuple[tuple[str, str, AdminHandler, str | None, type[Input] | None], ...] = (
    ("POST", "/admin/organizations", create_organization, "organization", NewOrganization),
    ("GET", "/admin/organizations", list_organizations, None, None),
    ("GET", _KEYS, list_keys, None, None),
    ("POST", _KEYS, create_key, "api_key", NewKey),
    ("POST", _KEYS + "/{key_id}/rotate", rotate_key, "api_key", Rotation),
    ("DELETE", _KEYS + "/{key_id}", revoke_key, None, None),
)


def mount_admin(app: FastAPI) -> None:
    """Add the operator's routes; the token is made now when the installation has none yet."""
    installation: Installation = app.state.installation
    token = admin_token(installation.settings).encode()
    for method, path, handler, root, model in _DOORS:
        endpoint = _endpoint(installation, token, handler)
        query = LIST_QUERY if handler is list_organizations else ()
        app.add_api_route(
            path,
            endpoint,
            methods=[method],
            operation_id=f"admin_{handler.__name__}",
            summary=handler.__doc__,
            tags=["admin"],
            openapi_extra={**describe(path, query, root, model), "security": ADMIN_SECURITY},
            responses=responses(method),
            response_class=Response,
        )
        if method == "GET":
            app.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)


def _endpoint(installation: Installation, token: bytes, handler: AdminHandler) -> Callable[..., Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        words = request.headers.get("authorization", "").split()
        if len(words) < 2 or not hmac.compare_digest(words[1].encode(), token):
            raise Unauthorized
        async with installation.database.begin() as tx:
            body = await handler(AdminCall(request, machine_now(), await read_parameters(request)), tx)
        return answer(body)

    return endpoint
