"""The HTTP application: path decoding, request ids, errors as the contract's JSON, health. Routes come from outside."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from tallystick import __version__
from tallystick.api.call import SLASH
from tallystick.api.description import SECURITY_SCHEMES
from tallystick.api.failures import KNOWN, answer_to
from tallystick.api.rate_limits import RateLimits
from tallystick.api.routes import answer
from tallystick.ground.ids import new_id
from tallystick.ground.installation import Installation
from tallystick.ground.logging import bind_request_id


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
    for error in (*KNOWN, Exception):
        app.add_exception_handler(error, _failed)
    app.add_api_route("/health", _health, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/ready", _ready, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_middleware(RequestFrame)
    return app


class RequestFrame:
    """Outermost frame of a request: decodes the path by segments, drops a trailing slash, gives it an id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["path"] = decoded_path(scope.get("raw_path") or scope["path"].encode())
        request_id = request_id_of(scope)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = (b"x-request-id", request_id.encode("latin-1"))
                message["headers"] = [*message["headers"], own, *scope.get("state", {}).get("rate_headers", ())]
            await send(message)

        with bind_request_id(request_id):
            await self.app(scope, receive, send_with_id)


def request_id_of(scope: Scope) -> str:
    """The caller's own id of the request, else a new one."""
    return dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1") or str(new_id())


def decoded_path(raw: bytes) -> str:
    """Segments decoded one by one: an escaped slash stays inside its segment (api.md §1.1)."""
    path = raw.decode("latin-1").partition("?")[0]
    decoded = "/".join(unquote(segment).replace("/", SLASH).replace("\x00", "") for segment in path.split("/"))
    return decoded.rstrip("/") or "/"


async def _failed(_: Request, error: Exception) -> Response:
    return answer_to(error)


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
