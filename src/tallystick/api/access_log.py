"""One structured log line for each answered request, and the measure of it for whoever counts. Reads no bodies.

It is not the API log, a table that organizations can read.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import TypeAlias

import msgspec
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tallystick.ground.clock import machine_monotonic

log = structlog.get_logger(__name__)
_lines = logging.getLogger(__name__)

#: asked for by machines all the time: logged only when the level is debug
QUIET = frozenset({"/health", "/ready", "/metrics", "/api/v1/events", "/api/v1/events/batch"})
NO_ROUTE = "none"


class Answered(msgspec.Struct, frozen=True, gc=False):
    """A request and its answer. `route` is the template of the path, so that there are few; `none` for a stray one."""

    method: str
    route: str
    status: int
    seconds: float
    organization_id: uuid.UUID | None
    request_id: str | None


#: told of every answered request
Observe: TypeAlias = Callable[[Answered], None]


def note(answered: Answered, observe: Observe) -> None:
    """Write the line of a request, and hand it to who counts."""
    observe(answered)
    level = logging.DEBUG if answered.route in QUIET else logging.INFO
    if not _lines.isEnabledFor(level):
        return
    log.log(
        level,
        "request",
        method=answered.method,
        route=answered.route,
        status=answered.status,
        ms=round(answered.seconds * 1000, 1),
        organization_id=str(answered.organization_id) if answered.organization_id else None,
        request_id=answered.request_id,
    )


class AccessLog:
    """Outermost middleware: sees the answers of everything inside, also of errors."""

    def __init__(self, app: ASGIApp, observe: Observe) -> None:
        self.app = app
        self.observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = machine_monotonic()
        status, request_id = 500, None

        async def noting(message: Message) -> None:
            nonlocal status, request_id
            if message["type"] == "http.response.start":
                status = message["status"]
                request_id = dict(message["headers"]).get(b"x-request-id", b"").decode("latin-1") or None
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            seconds = machine_monotonic() - started
            organization_id = scope.get("state", {}).get("organization_id")
            note(Answered(scope["method"], _route(scope), status, seconds, organization_id, request_id), self.observe)


def _route(scope: Scope) -> str:
    """The template that FastAPI found for the path."""
    return getattr(scope.get("route"), "path", NO_ROUTE)
