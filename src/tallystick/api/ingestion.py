"""`POST /events` and `POST /events/batch`: plain routes past everything that the other resources go through.

Decoded by msgspec, stored by group commit, answered after it. The rest of `/events` is in `v1/events.py`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import asyncpg
import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallystick.api.call import Identity
from tallystick.api.description import SECURITY, body_of, responses
from tallystick.api.event_bodies import read_event, read_events
from tallystick.api.event_fields import row_of, rows_of
from tallystick.api.key_memory import SECONDS, KeyMemory
from tallystick.api.parameters import read_body
from tallystick.api.routes import JSON_TYPE
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

    def __init__(self, installation: Installation, touched: Sequence[Touched]) -> None:
        self.installation = installation
        self.keys = KeyMemory(installation.database)
        self.computed: Memory[uuid.UUID, Mapping[str, Computed]] = Memory(SECONDS)
        self.intake = Intake(installation.database.url, touched)

    async def one(self, request: Request) -> Response:
        """Store an event (metering.md §1.5)."""
        identity, at = await self._identify(request)
        sent = read_event(await read_body(request))
        row = row_of(identity.organization_id, sent, at, await self._computed(identity))
        if not isinstance(row, EventRow):
            raise Invalid(row)
        if await self._store([row]):
            raise Invalid(_ALREADY_THERE)
        return Response(b'{"event":' + _encoder.encode(_json(row)) + b"}", media_type=JSON_TYPE)

    async def many(self, request: Request) -> Response:
        """Store up to 100 events, all or none (metering.md §1.6)."""
        identity, at = await self._identify(request)
        sent = read_events(await read_body(request), self.installation.settings.events_batch_limit)
        rows, errors = rows_of(identity.organization_id, sent, at, await self._computed(identity))
        if not errors:
            errors = dict.fromkeys(await self._store(rows), _ALREADY_THERE)
        if errors:
            raise Invalid({str(place): details for place, details in errors.items()})
        return Response(_encoder.encode({"events": [_json(row) for row in rows]}), media_type=JSON_TYPE)

    async def _identify(self, request: Request) -> tuple[Identity, dt.datetime]:
        identity, at = await self.keys.authenticate(request, "event")
        request.state.organization_id = identity.organization_id
        request.app.state.rate_limits.count(request, identity.organization_id)
        return identity, at

    async def _computed(self, identity: Identity) -> Mapping[str, Computed]:
        return await self.computed.recall(identity.organization_id, lambda: self._read_computed(identity)) or {}

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


def _json(row: EventRow) -> views.EventJson:
    return views.event(
        row.id,
        row.transaction_id,
        row.code,
        row.timestamp,
        row.precise_total_amount_cents,
        msgspec.Raw(row.properties.encode()),
        row.external_subscription_id,
        row.created_at,
    )


def mount_ingestion(app: FastAPI, prefix: str) -> None:
    """Add the routes in front of all others; their twins behind them are only there to be described."""

    async def create(request: Request) -> Response:
        ingestion: Ingestion = request.app.state.ingestion
        return await ingestion.one(request)

    async def create_batch(request: Request) -> Response:
        ingestion: Ingestion = request.app.state.ingestion
        return await ingestion.many(request)

    for path, endpoint, root, schema in (
        ("/events", create, "event", _EVENT_SCHEMA),
        ("/events/batch", create_batch, "events", {"type": "array", "items": _EVENT_SCHEMA}),
    ):
        app.router.routes.insert(0, Route(prefix + path, endpoint, methods=["POST"]))
        app.add_api_route(
            prefix + path,
            endpoint,
            methods=["POST"],
            operation_id=f"post_events_{endpoint.__name__}",
            summary="Store an event." if root == "event" else "Store several events, all or none.",
            tags=["event"],
            responses=responses("POST"),
            response_class=Response,
            openapi_extra={"security": SECURITY, "requestBody": body_of(schema, root)},
        )


@asynccontextmanager
async def ingesting(app: FastAPI, installation: Installation, *touched: Touched) -> AsyncIterator[None]:
    """While the block runs, the routes are served; at its end all accepted events are stored.

    Each of `touched` is told of stored events in their transaction.
    """
    checks = () if installation.settings.disable_events_validation else (health.Schedule(),)
    prompt = Prompt()
    watching = watch.Watch(installation.settings.subscription_activity_seconds)
    ingestion = Ingestion(installation, (*checks, prompt, watching, *touched))

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
