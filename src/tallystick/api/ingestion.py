"""`POST /events` and `POST /events/batch`, on the short path past everything that the other resources go through.

Decoded by msgspec, stored by group commit, answered after it. The rest of `/events` is in `v1/events.py`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from tallystick.api.call import Identity
from tallystick.api.description import SECURITY, body_of, responses
from tallystick.api.event_bodies import read_event, read_events
from tallystick.api.event_fields import row_of, rows_of
from tallystick.api.key_memory import SECONDS, KeyMemory
from tallystick.api.parameters import read_body
from tallystick.api.rate_limits import RateLimits
from tallystick.api.routes import JSON_TYPE
from tallystick.api.short_path import Endpoint
from tallystick.ground.errors import BadRequest, Invalid, Unavailable
from tallystick.ground.installation import Installation
from tallystick.ground.memory import Memory
from tallystick.ground.notices import listening
from tallystick.rooms.metering import expressions, health, views, watch
from tallystick.rooms.metering.expressions import Computed
from tallystick.rooms.metering.intake import Intake, Touched
from tallystick.rooms.metering.prompt import Prompt
from tallystick.rooms.metering.store import EventRow
from tallystick.rooms.organizations import keys

_ALREADY_THERE = {"transaction_id": ["value_already_exist"]}
_encoder = msgspec.json.Encoder()


class Ingestion:
    """What the two routes share in one process."""

    def __init__(self, installation: Installation, rate_limits: RateLimits, touched: Sequence[Touched]) -> None:
        self.installation = installation
        self.rate_limits = rate_limits
        self.keys = KeyMemory(installation.database)
        self.computed: Memory[uuid.UUID, Mapping[str, Computed]] = Memory(SECONDS)
        self.intake = Intake(installation.database.url, touched)

    async def one(self, scope: Scope, receive: Receive) -> bytes:
        """Store an event (metering.md §1.5)."""
        identity, at = await self._identify(scope)
        sent = read_event(await read_body(receive))
        row = row_of(identity.organization_id, sent, at, await self._computed(identity))
        if not isinstance(row, EventRow):
            raise Invalid(row)
        if await self._store([row]):
            raise Invalid(_ALREADY_THERE)
        return _encoder.encode({"event": views.accepted([row])[0]})

    async def many(self, scope: Scope, receive: Receive) -> bytes:
        """Store up to 100 events, all or none (metering.md §1.6)."""
        identity, at = await self._identify(scope)
        sent = read_events(await read_body(receive), self.installation.settings.events_batch_limit)
        rows, errors = rows_of(identity.organization_id, sent, at, await self._computed(identity))
        if not errors:
            errors = dict.fromkeys(await self._store(rows), _ALREADY_THERE)
        if errors:
            raise Invalid({str(place): details for place, details in errors.items()})
        return _encoder.encode({"events": views.accepted(rows)})

    async def _identify(self, scope: Scope) -> tuple[Identity, dt.datetime]:
        header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        identity, at = await self.keys.authenticate(header, "POST", "event")
        scope.setdefault("state", {})["organization_id"] = identity.organization_id
        self.rate_limits.count(scope, identity.organization_id)
        return identity, at

    async def _computed(self, identity: Identity) -> Mapping[str, Computed]:
        organization_id = identity.organization_id
        known = self.computed.get(organization_id)
        if known is None:
            known = await self.computed.recall(organization_id, lambda: self._read_computed(identity))
        return known or {}

    async def _read_computed(self, identity: Identity) -> Mapping[str, Computed]:
        generation = self.computed.generation
        async with self.installation.database.begin() as tx:
            found = await expressions.load(tx, identity.organization_id)
        if not identity.sandbox:
            self.computed.keep(identity.organization_id, found, generation)
        return found

    async def _store(self, rows: Sequence[EventRow]) -> list[int]:
        try:
            return await self.intake.store(rows)
        except (asyncpg.DataError, asyncpg.ProgramLimitExceededError) as error:
            raise BadRequest from error  # JSON that PostgreSQL cannot hold: numbers or nesting out of all bounds
        except (
            OSError,
            asyncpg.InterfaceError,
            asyncpg.PostgresConnectionError,
            asyncpg.OperatorInterventionError,
        ) as error:
            raise Unavailable from error


def mount_ingestion(app: FastAPI, prefix: str) -> dict[str, Endpoint]:
    """The endpoints by path, for the short path; their twins among all routes are described and serve odd spellings."""

    async def create(scope: Scope, receive: Receive) -> bytes:
        ingestion: Ingestion = app.state.ingestion
        return await ingestion.one(scope, receive)

    async def create_batch(scope: Scope, receive: Receive) -> bytes:
        ingestion: Ingestion = app.state.ingestion
        return await ingestion.many(scope, receive)

    _add_twin(app, prefix + "/events", create, "Store an event.", body_of(_EVENT_SCHEMA, "event"))
    several = body_of({"type": "array", "items": _EVENT_SCHEMA}, "events")
    _add_twin(app, prefix + "/events/batch", create_batch, "Store several events, all or none.", several)
    return {prefix + "/events": create, prefix + "/events/batch": create_batch}


def _add_twin(app: FastAPI, path: str, endpoint: Endpoint, summary: str, body: dict[str, Any]) -> None:
    async def twin(request: Request) -> Response:
        return Response(await endpoint(request.scope, request.receive), media_type=JSON_TYPE)

    app.add_api_route(
        path,
        twin,
        methods=["POST"],
        operation_id=f"post_events_{endpoint.__name__}",
        summary=summary,
        tags=["event"],
        responses=responses("POST"),
        response_class=Response,
        openapi_extra={"security": SECURITY, "requestBody": body},
    )


@asynccontextmanager
async def ingesting(app: FastAPI, installation: Installation, *touched: Touched) -> AsyncIterator[None]:
    """While the block runs, the routes are served; at its end all accepted events are stored.

    Each of `touched` is told of stored events in their transaction.
    """
    checks = () if installation.settings.disable_events_validation else (health.Schedule(),)
    prompt = Prompt()
    watching = watch.Watch(installation.settings.subscription_activity_seconds)
    ingestion = Ingestion(installation, app.state.rate_limits, (*checks, prompt, watching, *touched))

    def forget_metrics() -> None:
        ingestion.computed.forget()
        prompt.memory.forget()

    forgetting = {
        keys.CHANGED: ingestion.keys.memory.forget,
        expressions.CHANGED: forget_metrics,
        watch.CHANGED: watching.memory.forget,
    }
    async with listening(installation.database.url, forgetting):
        await ingestion.intake.open()
        app.state.ingestion = ingestion
        try:
            yield
        finally:
            await ingestion.intake.close()


_EVENT_SCHEMA = {
    "type": "object",
    "required": ["transaction_id", "code"],
    "properties": {
        "transaction_id": {"type": "string"},
        "external_subscription_id": {"type": "string"},
        "code": {"type": "string"},
        "timestamp": {"type": ["number", "string"], "description": "Epoch seconds, fractions allowed."},
        "properties": {"type": "object", "additionalProperties": True},
        "precise_total_amount_cents": {"type": ["string", "number", "null"]},
    },
}
