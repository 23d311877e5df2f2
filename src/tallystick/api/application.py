"""The HTTP application: path decoding, request ids, errors as the contract's JSON, health. Routes come from outside."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

import structlog
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Lifespan

from tallystick import __version__
from tallystick.api.call import SLASH
from tallystick.api.description import SECURITY_SCHEMES
from tallystick.api.rate_limits import RateLimits
from tallystick.api.routes import answer
from tallystick.ground.errors import NotFound, TallystickError, Unavailable
from tallystick.ground.installation import Installation
from tallystick.ground.logging import bind_request_id

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


class Application(FastAPI):
    """FastAPI whose document knows how callers identify themselves."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        document = super().openapi()
        document.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
        return document


def build_application(installation: Installation, lifespan: Lifespan[FastAPI]) -> FastAPI:
    """An application without resources; `app.py` mounts them."""
    app = Application(
        title="Tallystick",
        version=__version__,
        description="Usage-based billing. Same API and webhooks as Lago, and more.",
        docs_url="/docs",
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.installation = installation
    app.state.rate_limits = RateLimits(installation.settings)
    app.add_exception_handler(TallystickError, _known_error)
    app.add_exception_handler(HTTPException, _router_error)
    app.add_exception_handler(OperationalError, _database_gone)
    app.add_exception_handler(InterfaceError, _database_gone)
    app.add_exception_handler(ConnectionError, _database_gone)
    app.add_exception_handler(Exception, _unknown_error)
    app.add_api_route("/health", _health, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/ready", _ready, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_middleware(RequestFrame)
    return app


class RequestFrame:
    """Outermost frame of a request: decodes the path by segments, drops a trailing slash, gives it an id."""

    def __init__(self, app: Asgi) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["path"] = decoded_path(scope.get("raw_path") or scope["path"].encode())
        request_id = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1") or str(uuid.uuid4())

        async def send_with_id(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = (b"x-request-id", request_id.encode("latin-1"))
                message["headers"] = [*message["headers"], own, *scope.get("state", {}).get("rate_headers", ())]
            await send(message)

        with bind_request_id(request_id):
            await self.app(scope, receive, send_with_id)


def decoded_path(raw: bytes) -> str:
    """Segments decoded one by one: an escaped slash stays inside its segment (api.md §1.1)."""
    path = raw.decode("latin-1").partition("?")[0]
    decoded = "/".join(unquote(segment).replace("/", SLASH).replace("\x00", "") for segment in path.split("/"))
    return decoded.rstrip("/") or "/"


async def _known_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, TallystickError)
    return answer(error.body(), error.status)


async def _router_error(request: Request, error: Exception) -> Response:
    # no such route, or a method that is not routed: both are missing routes (api.md §3)
    assert isinstance(error, HTTPException)
    if error.status_code in (404, 405):
        return await _known_error(request, NotFound("resource"))
    return answer({"status": error.status_code, "error": str(error.detail)}, error.status_code)


async def _database_gone(request: Request, error: Exception) -> Response:
    log.error("database unavailable", error=str(error))
    if isinstance(error, DBAPIError) and not error.connection_invalidated and not _is_connection_loss(error):
        return await _unknown_error(request, error)
    return await _known_error(request, Unavailable())


def _is_connection_loss(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None) or ""
    return state.startswith(("08", "57P")) or isinstance(error, InterfaceError)


async def _unknown_error(_: Request, error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    return answer(TallystickError().body(), 500)


async def _health(request: Request) -> Response:
    body = {"version": __version__, "github_url": "https://github.com/tallystick/tallystick", "message": "Success"}
    try:
        async with request.app.state.installation.database.begin() as tx:
            await tx.execute(text("select 1"))
    except (OSError, DBAPIError) as error:
        return answer({**body, "message": "Unhealthy", "details": type(error).__name__}, 500)
    return answer(body)


async def _ready(_: Request) -> Response:
    return answer({"status": "ok"})
