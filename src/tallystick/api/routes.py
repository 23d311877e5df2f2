"""How a resource file declares its routes; `mount` turns them into the application and its OpenAPI document.

A handler is `async def handler(call, tx) -> answer`: it runs in one transaction that is committed before the answer
leaves. It returns what becomes JSON, or a Response of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError, IntegrityError
from starlette.requests import Request
from starlette.responses import Response

from tallystick.api.authentication import authenticate, authorize
from tallystick.api.call import Call
from tallystick.api.description import describe, responses
from tallystick.api.inputs import Input
from tallystick.api.parameters import read_parameters
from tallystick.ground import json
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid
from tallystick.ground.installation import Installation

Handler = Callable[[Call, Tx], Awaitable[Any]]
#: a handler that opens transactions of its own, after the one that checked the key has ended
Detached = Callable[[Call], Awaitable[Any]]
JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path. `root` and `model` describe the body; `query` names the parameters of a list."""

    method: str
    path: str
    handler: Handler | Detached
    resource: str
    root: str | None = None
    model: type[Input] | None = None
    query: Sequence[str] = ()
    detached: bool = False


@dataclass(slots=True)
class Routes:
    """The routes of one resource; `resource` is what the key must be permitted for (api.md §2)."""

    resource: str
    found: list[Route] = field(default_factory=list)

    def route(
        self,
        method: str,
        path: str,
        *,
        root: str | None = None,
        model: type[Input] | None = None,
        query: Sequence[str] = (),
        resource: str | None = None,
    ) -> Callable[[Handler], Handler]:
        """Declare one route; PUT declares its PATCH twin too (api.md §1)."""

        def declare(handler: Handler) -> Handler:
            for verb in ("PUT", "PATCH") if method == "PUT" else (method,):
                self.found.append(Route(verb, path, handler, resource or self.resource, root, model, query))
            return handler

        return declare

    def detached(
        self, method: str, path: str, *, root: str | None = None, model: type[Input] | None = None
    ) -> Callable[[Detached], Detached]:
        """Declare a route whose handler takes no transaction: its work is long and commits on the way."""

        def declare(handler: Detached) -> Detached:
            self.found.append(Route(method, path, handler, self.resource, root, model, detached=True))
            return handler

        return declare

    def get(self, path: str, **more: Any) -> Callable[[Handler], Handler]:
        """GET, and HEAD with it."""
        return self.route("GET", path, **more)

    def post(self, path: str, **more: Any) -> Callable[[Handler], Handler]:
        """POST."""
        return self.route("POST", path, **more)

    def put(self, path: str, **more: Any) -> Callable[[Handler], Handler]:
        """PUT and PATCH."""
        return self.route("PUT", path, **more)

    def delete(self, path: str, **more: Any) -> Callable[[Handler], Handler]:
        """DELETE."""
        return self.route("DELETE", path, **more)


def answer(body: Any, status: int = 200) -> Response:
    """A JSON answer; a handler's own Response passes through."""
    if isinstance(body, Response):
        return body
    return Response(json.dumps(body), status_code=status, media_type=JSON_TYPE)


def mount(app: FastAPI, prefix: str, *all_routes: Routes) -> None:
    """Add routes; static siblings first, so that `events/batch` wins over `events/{id}` (api.md §1.1)."""
    found = [route for routes in all_routes for route in routes.found]
    uses = Counter((route.method, route.handler) for route in found)
    for route in sorted(found, key=lambda route: [segment.startswith("{") for segment in route.path.split("/")]):
        endpoint = _endpoint(route)
        app.add_api_route(
            prefix + route.path,
            endpoint,
            methods=[route.method],
            openapi_extra=describe(route.path, route.query, route.root, route.model),
            operation_id=_operation_id(route, alone=uses[route.method, route.handler] == 1),
            summary=(route.handler.__doc__ or route.handler.__name__).strip().split("\n")[0],
            description=route.handler.__doc__,
            tags=[route.resource],
            responses=responses(route.method),
            response_class=Response,
        )
        if route.method == "GET":
            app.add_api_route(prefix + route.path, endpoint, methods=["HEAD"], include_in_schema=False)


def _operation_id(route: Route, *, alone: bool) -> str:
    """From the handler's name; of a handler that serves several paths, from the last word of each."""
    module = route.handler.__module__.rsplit(".", 1)[-1]
    return "_".join((route.method.lower(), module, route.handler.__name__ if alone else route.path.rsplit("/", 1)[-1]))


#: how often a request is tried when it lost a deadlock or a serialization race; its transaction left no trace
ATTEMPTS = 3


def _endpoint(route: Route) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return answer(await _attempt(route, request))
            except IntegrityError as error:
                raise _conflict(error) from error
            except DBAPIError as error:
                if attempt == ATTEMPTS or not (getattr(error.orig, "sqlstate", None) or "").startswith("40"):
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    return endpoint


async def _attempt(route: Route, request: Request) -> Any:
    installation: Installation = request.app.state.installation
    async with installation.database.begin() as tx:
        identity, at = await authenticate(tx, request)
        authorize(identity, request.method, route.resource)
        request.state.organization_id = identity.organization_id
        if not hasattr(request.state, "parameters"):
            request.app.state.rate_limits.count(request.scope, identity.organization_id)
            request.state.parameters = await read_parameters(request)
        call = Call(request, installation, identity, at, request.state.parameters)
        if not route.detached:
            return await cast(Handler, route.handler)(call, tx)
    return await cast(Detached, route.handler)(call)


def _conflict(error: IntegrityError) -> Exception:
    """A lost race on a unique key is a 422; every other broken constraint is a fault of ours and stays one."""
    if getattr(error.orig, "sqlstate", None) == "23505":
        return Invalid.field("base", "concurrency_conflict")
    return error


LIST_QUERY = ("page", "per_page")
