"""One structured log line for each answered request, and the measure of it for whoever counts. Reads no bodies.

It is not the API log, a table that organizations can read.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import structlog

from tallystick.ground.clock import machine_monotonic

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

#: asked for by machines all the time: logged only when the level is debug
QUIET = frozenset({"/health", "/ready", "/metrics", "/api/v1/events", "/api/v1/events/batch"})
NO_ROUTE = "none"


@dataclass(frozen=True, slots=True)
class Answered:
    """A request and its answer. `route` is the template of the path, so that there are few; `none` for a stray one."""

    method: str
    route: str
    status: int
    seconds: float
    organization_id: uuid.UUID | None
    request_id: str | None


class AccessLog:
    """Outermost middleware: sees the answers of everything inside, also of errors."""

    def __init__(self, app: Asgi, observe: Callable[[Answered], None]) -> None:
        self.app = app
        self.observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = machine_monotonic()
        status, request_id = 500, None

        async def noting(message: MutableMapping[str, Any]) -> None:
            nonlocal status, request_id
            if message["type"] == "http.response.start":
                status = message["status"]
                request_id = dict(message["headers"]).get(b"x-request-id", b"").decode("latin-1") or None
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            seconds = machine_monotonic() - started
            self._note(Answered(scope["method"], _route(scope), status, seconds, _organization(scope), request_id))

    def _note(self, answered: Answered) -> None:
        self.observe(answered)
        write = log.debug if answered.route in QUIET else log.info
        write(
            "request",
            method=answered.method,
            route=answered.route,
            status=answered.status,
            ms=round(answered.seconds * 1000, 1),
            organization_id=str(answered.organization_id) if answered.organization_id else None,
            request_id=answered.request_id,
        )


def _route(scope: Scope) -> str:
    """FastAPI leaves the matched route in the scope, a plain route of Starlette only its endpoint and parameters."""
    path: str | None = getattr(scope.get("route"), "path", None)
    if path is None and "endpoint" in scope and not scope.get("path_params"):
        path = scope["path"]
    return path or NO_ROUTE


def _organization(scope: Scope) -> uuid.UUID | None:
    found: uuid.UUID | None = scope.get("state", {}).get("organization_id")
    return found
