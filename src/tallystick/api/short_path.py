"""Routes too busy for the framework: answered past its routing, middlewares and request objects.

Callers and operators see no difference: request ids, limits, errors, log lines and measures are those of all routes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send

from tallystick.api.access_log import Answered, Observe, note
from tallystick.api.application import request_id_of
from tallystick.api.failures import answer_to
from tallystick.api.routes import JSON_TYPE
from tallystick.ground.clock import machine_monotonic
from tallystick.ground.logging import bind_request_id

#: the JSON of the answer; raises what becomes an error
Endpoint: TypeAlias = Callable[[Scope, Receive], Awaitable[bytes]]
_CONTENT_TYPE = (b"content-type", JSON_TYPE.encode())


class ShortPath:
    """POST to one of these very paths goes to its endpoint; every other request to the application."""

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, Endpoint], observe: Observe) -> None:
        self._app = app
        self._endpoints = {path.encode(): endpoint for path, endpoint in endpoints.items()}
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoints.get(scope["raw_path"]) if scope.get("method") == "POST" else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        started = machine_monotonic()
        state = scope.setdefault("state", {})
        request_id = request_id_of(scope)
        status = 500
        with bind_request_id(request_id):
            try:
                try:
                    status, body = 200, await endpoint(scope, receive)
                except Exception as error:
                    answer = answer_to(error)
                    status, body = answer.status_code, bytes(answer.body)
                headers = [
                    _CONTENT_TYPE,
                    (b"content-length", b"%d" % len(body)),
                    (b"x-request-id", request_id.encode("latin-1")),
                    *state.get("rate_headers", ()),
                ]
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body})
            finally:
                seconds = machine_monotonic() - started
                organization_id = state.get("organization_id")
                note(Answered("POST", scope["path"], status, seconds, organization_id, request_id), self._observe)
