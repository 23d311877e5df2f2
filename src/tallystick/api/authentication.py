"""From the Authorization header to an identity and its permissions (api.md §2). Issues no keys."""

from __future__ import annotations

import datetime as dt

from starlette.requests import Request

from tallystick.api.call import Identity
from tallystick.ground.clock import machine_now
from tallystick.ground.db import Tx
from tallystick.ground.errors import Forbidden, Unauthorized
from tallystick.rooms.organizations import keys


async def authenticate(tx: Tx, request: Request) -> tuple[Identity, dt.datetime]:
    """The caller and its organization's now; raises `Unauthorized`."""
    words = request.headers.get("authorization", "").split()
    if len(words) < 2:
        raise Unauthorized
    found = await keys.identify(tx, words[1], machine_now())
    if found is None:
        raise Unauthorized
    identity = Identity(found.key_id, found.organization_id, found.sandbox, found.permissions)
    return identity, found.now


def authorize(identity: Identity, method: str, resource: str) -> None:
    """Raise `Forbidden` unless the key may read (GET, HEAD) or write (all else) the resource."""
    mode = "read" if method in ("GET", "HEAD") else "write"
    if identity.permissions is not None and mode not in identity.permissions.get(resource, ()):
        raise Forbidden(f"{mode}_action_not_allowed_for_{resource}")
