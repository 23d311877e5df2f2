"""`/api/v1/webhooks`: the public key with which receivers check `jwt` signatures (webhooks.md §1.5)."""

from __future__ import annotations

from typing import Any

from starlette.responses import PlainTextResponse

from tallystick.api.call import Call
from tallystick.api.routes import Routes
from tallystick.ground.db import Tx

routes = Routes("webhook_jwt_public_key")


@routes.get("/webhooks/json_public_key")
async def json_public_key(call: Call, tx: Tx) -> Any:
    """The public key: base64 of its PEM text."""
    return {"webhook": {"public_key": call.installation.key.public_key_base64()}}


@routes.get("/webhooks/public_key")
async def public_key(call: Call, tx: Tx) -> Any:
    """The same key as plain text (deprecated)."""
    return PlainTextResponse(call.installation.key.public_key_base64())
