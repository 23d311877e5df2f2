"""A loopback receiver of webhooks, and organizations with endpoints and messages written straight to the database."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, select

from tallystick.ground import outbox
from tallystick.ground.db import Database
from tallystick.ground.ids import new_id
from tallystick.ground.outbox import Message
from tallystick.ground.tables import (
    Organization,
    OutboxMessage,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
)
from tallystick.rooms.webhooks import verbs

START = dt.datetime(2025, 6, 1, tzinfo=dt.UTC)
#: whose object is its options, so any content can be sent
TYPE = "events.errors"


@dataclass(frozen=True)
class Reply:
    """What a receiver answers; with `hold` only once that is set."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    hold: asyncio.Event | None = None


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def number(self) -> int:
        """Of the message, as `World.emit` counts them."""
        found: int = json.loads(self.body)["events_errors"]["number"]
        return found


class Receiver:
    """An HTTP server on loopback. `reply` decides, by request and how many came before it on this path."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.reply: Callable[[Received, int], Reply] = lambda request, earlier: Reply()
        self.in_flight: dict[str, int] = {}
        self.most_in_flight: dict[str, int] = {}
        self.port = 0
        self._arrived = asyncio.Event()

    async def until(self, count: int, path: str | None = None) -> None:
        """Wait until so many requests came, to one path or to all."""
        while len(self.received if path is None else self.at(path)) < count:
            self._arrived.clear()
            await self._arrived.wait()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Received]:
        """What came to a path, in order."""
        return [request for request in self.received if request.path == path]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await self._exchange(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        path = first.split(" ")[1]
        request = Received(path, headers, await reader.readexactly(int(headers["content-length"])))
        reply = self.reply(request, len(self.at(path)))
        self.received.append(request)
        self._arrived.set()
        self.in_flight[path] = self.in_flight.get(path, 0) + 1
        self.most_in_flight[path] = max(self.most_in_flight.get(path, 0), self.in_flight[path])
        try:
            if reply.hold is not None:
                await reply.hold.wait()
            await asyncio.sleep(0)  # others may arrive while this one is being answered
        finally:
            self.in_flight[path] -= 1
        head = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
        start = f"HTTP/1.1 {reply.status} X\r\nContent-Length: {len(reply.body)}\r\n{head}\r\n"
        writer.write(start.encode() + reply.body)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A started receiver."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


class World:
    """One organization."""

    def __init__(self, database: Database, *, sandbox: bool = True) -> None:
        self.database = database
        self.id = new_id()
        self.sandbox = sandbox
        self.hmac_key = str(uuid.uuid4())
        self.emitted = 0

    async def create(self) -> World:
        async with self.database.begin() as tx:
            tx.add(
                Organization(
                    id=self.id,
                    name="test",
                    slug=str(self.id),
                    sandbox=self.sandbox,
                    hmac_key=self.hmac_key,
                    created_at=START,
                    updated_at=START,
                )
            )
        return self

    async def endpoint(self, url: str, at: dt.datetime = START, **fields: Any) -> uuid.UUID:
        async with self.database.begin() as tx:
            made = await verbs.create(tx, self.id, at, {"webhook_url": url, "signature_algo": "hmac", **fields})
            return made.id

    async def emit(self, count: int = 1, at: dt.datetime = START, webhook_type: str = TYPE, **options: Any) -> None:
        """Messages numbered on from the last one."""
        numbers = range(self.emitted, self.emitted + count)
        self.emitted += count
        subject = self.id
        async with self.database.begin() as tx:
            messages = [Message(self.id, webhook_type, subject, at, {"number": n, **options}) for n in numbers]
            await outbox.emit(tx, messages)

    async def outbox(self) -> list[OutboxMessage]:
        async with self.database.begin() as tx:
            found = select(OutboxMessage).where(OutboxMessage.organization_id == self.id)
            return list(await tx.scalars(found.order_by(OutboxMessage.position)))

    async def messages(self) -> list[WebhookMessage]:
        async with self.database.begin() as tx:
            found = select(WebhookMessage).where(WebhookMessage.organization_id == self.id)
            return list(await tx.scalars(found.order_by(WebhookMessage.id)))

    async def deliveries(self) -> list[WebhookDelivery]:
        async with self.database.begin() as tx:
            found = select(WebhookDelivery).where(WebhookDelivery.organization_id == self.id)
            return list(await tx.scalars(found.order_by(WebhookDelivery.position, WebhookDelivery.id)))

    async def attempts(self) -> int:
        async with self.database.begin() as tx:
            counted = select(func.count()).where(WebhookAttempt.organization_id == self.id)
            return await tx.scalar(counted) or 0

    async def endpoint_row(self, endpoint_id: uuid.UUID) -> WebhookEndpoint:
        async with self.database.begin() as tx:
            return await tx.get_one(WebhookEndpoint, endpoint_id)

    async def forget(self) -> None:
        """Nothing of it is delivered any more."""
        async with self.database.begin() as tx:
            await tx.execute(delete(WebhookEndpoint).where(WebhookEndpoint.organization_id == self.id))
            await tx.execute(delete(OutboxMessage).where(OutboxMessage.organization_id == self.id))
