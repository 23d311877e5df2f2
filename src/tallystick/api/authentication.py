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
    found = await keys.identify(tx, key_of(request.headers.get("authorization", "")), machine_now())
    if found is None:
        raise Unauthorized
    identity = Identity(found.key_id, found.organization_id, found.sandbox, found.permissions)
    return identity, found.now


def key_of(header: str) -> str:
    """The key in an Authorization header: its second word, whatever the first; raises `Unauthorized`."""
    words = header.split(maxsplit=2)
    if len(words) < 2:
        raise Unauthorized
    return words[1]


def authorize(identity: Identity, method: str, resource: str) -> None:
    """Raise `Forbidden` unless the key may read (GET, HEAD) or write (all else) the resource."""
    mode = "read" if method in ("GET", "HEAD") else "write"
    if identity.permissions is not None and mode not in identity.permissions.get(resource, ()):
        raise Forbidden(f"{mode}_action_not_allowed_for_{resource}")
