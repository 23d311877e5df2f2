"""SQL of deliveries on their way: what is due, what came back, and which dispatcher serves which endpoint.

Not for sending. `at` is always the clock of a sandbox organization, or None: then the database's clock counts, the one
machine clock that dispatchers on several machines share.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import text

from tallystick.ground.db import Tx, load_query
from tallystick.ground.ids import new_id

log = structlog.get_logger(__name__)

#: an endpoint that only failed for so long, with so many deliveries, is disabled (webhooks.md §1.6)
FAILING_DAYS = 5
FAILING_DELIVERIES = 20


@dataclass(frozen=True, slots=True)
class Due:
    """One delivery with all that an attempt needs, as the endpoint stands now (webhooks.md §1.3).

    `secrets` are the endpoint's Standard Webhooks secrets, the newest first.
    """

    id: uuid.UUID
    retries: int
    payload: bytes
    url: str
    algorithm: str
    hmac_key: str
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt brought. `wait` until the next one, if any; `response` is a body or an error text."""

    delivery_id: uuid.UUID
    url: str
    succeeded: bool
    http_status: int | None
    response: str
    error: str | None
    duration_ms: int
    wait: dt.timedelta | None


async def due(
    tx: Tx,
    endpoint_id: uuid.UUID,
    at: dt.datetime | None,
    *,
    holder: uuid.UUID | None,
    busy: Sequence[uuid.UUID],
    limit: int,
) -> list[Due]:
    """What to send next, in order; nothing when `holder` has lost the endpoint. `busy` deliveries are in flight."""
    values = {"endpoint": endpoint_id, "at": at, "holder": holder, "busy": list(busy), "limit": limit}
    return [
        Due(
            row.id,
            row.retries,
            row.payload,
            row.webhook_url,
            row.signature_algo,
            row.hmac_key,
            (row.secret,) if row.previous_secret is None else (row.secret, row.previous_secret),
        )
        for row in await tx.execute(_DUE, values)
    ]


async def record(tx: Tx, outcomes: Sequence[Outcome], at: dt.datetime | None) -> None:
    """Write what attempts brought, and what that says about their endpoints (webhooks.md §1.6)."""
    rows = await tx.execute(
        _RECORD,
        {
            "at": at,
            "ids": [outcome.delivery_id for outcome in outcomes],
            "attempts": [new_id() for _ in outcomes],
            "urls": [outcome.url for outcome in outcomes],
            "succeeded": [outcome.succeeded for outcome in outcomes],
            "statuses": [outcome.http_status for outcome in outcomes],
            "responses": [outcome.response for outcome in outcomes],
            "errors": [outcome.error for outcome in outcomes],
            "durations": [outcome.duration_ms for outcome in outcomes],
            "waits": [outcome.wait for outcome in outcomes],
        },
    )
    succeeded = {row.endpoint_id: row.succeeded for row in rows}
    if not succeeded:
        return
    await tx.execute(_FAILING, {"at": at, "ids": list(succeeded), "succeeded": list(succeeded.values())})
    failing = [endpoint_id for endpoint_id, answered in succeeded.items() if not answered]
    if failing:
        await _disable(tx, failing, at)


async def _disable(tx: Tx, endpoint_ids: Sequence[uuid.UUID], at: dt.datetime | None) -> None:
    values = {"at": at, "ids": list(endpoint_ids), "days": FAILING_DAYS, "deliveries": FAILING_DELIVERIES}
    for row in await tx.execute(_DISABLE, values):
        log.warning(
            "webhook endpoint disabled: it only failed",
            endpoint_id=str(row.id),
            organization_id=str(row.organization_id),
            url=row.webhook_url,
        )


async def next_due_at(tx: Tx, organization_id: uuid.UUID) -> dt.datetime | None:
    """When the organization has something to fan out or to send next; None: nothing waits."""
    found: dt.datetime | None = await tx.scalar(_NEXT_DUE, {"organization": organization_id})
    return found


async def due_endpoints(tx: Tx, organization_id: uuid.UUID, at: dt.datetime) -> list[uuid.UUID]:
    """Enabled endpoints of the organization with something due."""
    return list(await tx.scalars(_DUE_ENDPOINTS, {"organization": organization_id, "at": at}))


async def take(tx: Tx, holder: uuid.UUID, seconds: int, mine: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, bool]]:
    """Lease endpoints of live organizations with something due, and whether they failed lately.

    `mine` are those the holder serves already.
    """
    rows = await tx.execute(_TAKE, {"holder": holder, "seconds": seconds, "mine": list(mine)})
    return [(row.id, row.failing) for row in rows]


async def renew(tx: Tx, holder: uuid.UUID, seconds: int, endpoint_ids: Sequence[uuid.UUID]) -> None:
    """Keep endpoints that are still the holder's."""
    await tx.execute(_RENEW, {"holder": holder, "seconds": seconds, "ids": list(endpoint_ids)})


async def release(tx: Tx, holder: uuid.UUID, endpoint_ids: Sequence[uuid.UUID]) -> None:
    """Give endpoints back, for any dispatcher to take."""
    await tx.execute(_RELEASE, {"holder": holder, "ids": list(endpoint_ids)})


_DUE = load_query(__file__, "due")
_RECORD = load_query(__file__, "record")
_FAILING = load_query(__file__, "failing")
_DISABLE = load_query(__file__, "disable")
_NEXT_DUE = load_query(__file__, "next_due")
_DUE_ENDPOINTS = load_query(__file__, "due_endpoints")
_TAKE = load_query(__file__, "take")
_RENEW = text("""
    update webhook_endpoints set leased_until = now() + make_interval(secs => :seconds)
    where id = any(cast(:ids as uuid[])) and leased_by = :holder
""")
_RELEASE = text("""
    update webhook_endpoints set leased_by = null, leased_until = null
    where id = any(cast(:ids as uuid[])) and leased_by = :holder
""")
