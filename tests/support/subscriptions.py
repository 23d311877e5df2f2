"""Builders of subscriptions over HTTP, and what the agenda and the outbox hold about them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import text

from tallystick.flows.clockwork.sandbox import advance
from tallystick.ground import agenda
from tallystick.ground.installation import Installation
from tallystick.ground.outlets import NoOutlets
from tests.support.api import Api


def customer(api: Api, external_id: str = "c", **more: Any) -> dict[str, Any]:
    """A customer."""
    made: dict[str, Any] = api.post("/customers", {"customer": {"external_id": external_id, **more}})["customer"]
    return made


def body(plan: str = "p", of: str = "c", external_id: str = "s", **more: Any) -> dict[str, Any]:
    """The body of a subscription."""
    return {"subscription": {"external_customer_id": of, "plan_code": plan, "external_id": external_id, **more}}


def subscribe(api: Api, plan: str = "p", of: str = "c", external_id: str = "s", **more: Any) -> dict[str, Any]:
    """A subscription, or a change of its plan."""
    made: dict[str, Any] = api.post("/subscriptions", body(plan, of, external_id, **more))["subscription"]
    return made


def found(api: Api, external_id: str = "s", status: str = "active") -> dict[str, Any]:
    """The row of a chain that has this status."""
    row: dict[str, Any] = api.get(f"/subscriptions/{external_id}?status={status}")["subscription"]
    return row


def change(api: Api, external_id: str = "s", **fields: Any) -> dict[str, Any]:
    """The subscription after an edit."""
    row: dict[str, Any] = api.put(f"/subscriptions/{external_id}", {"subscription": fields})["subscription"]
    return row


def listen(api: Api) -> None:
    """An endpoint nobody answers at: without one no message is kept."""
    url = f"https://example.invalid/{uuid.uuid4()}"
    api.post("/webhook_endpoints", {"webhook_endpoint": {"webhook_url": url}})


async def at(installation: Installation, api: Api, moment: str) -> None:
    """Move the organization's clock with the work on the way; messages and jobs stay where they are."""
    organization_id = uuid.UUID(api.organization["lago_id"])
    await advance(installation.database, NoOutlets(), organization_id, dt.datetime.fromisoformat(moment))


async def due(installation: Installation, row: dict[str, Any]) -> dict[str, str]:
    """kind -> when it happens to the subscription."""
    async with installation.database.begin() as tx:
        entries = await agenda.of_subjects(tx, [uuid.UUID(row["lago_id"])])
    return {entry.kind.value: entry.due_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for entry in entries}


async def told(installation: Installation, api: Api) -> list[tuple[str, str]]:
    """(type, subject) of the messages that wait in the outbox, in order; they are taken away."""
    taken = text("delete from outbox where organization_id = :id returning position, webhook_type, subject_id")
    async with installation.database.begin() as tx:
        rows = (await tx.execute(taken, {"id": uuid.UUID(api.organization["lago_id"])})).all()
    return [(row.webhook_type, str(row.subject_id)) for row in sorted(rows, key=lambda row: row.position)]
