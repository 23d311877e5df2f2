"""One attempt of one delivery: signs the stored bytes, sends them once, and judges what came back.

Nothing is read or written in the database here, so no transaction is open while a receiver thinks.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import Callable
from functools import lru_cache

import structlog

from tallystick.core import backoff, signing
from tallystick.ground.clock import machine_monotonic, machine_now
from tallystick.ground.egress import Answer, Egress
from tallystick.ground.installation import Installation
from tallystick.rooms.webhooks.queue import Due, Outcome

log = structlog.get_logger(__name__)

SUCCESS = frozenset({200, 201, 202, 204})
#: statuses whose `Retry-After` is honoured
PATIENCE = frozenset({429, 503})
#: requests of this process at one time, to all endpoints together: each is a socket
MOST_IN_FLIGHT = 512
#: signing takes most of an attempt's own time, and all endpoints and retries of a message share the signature
KEPT_SIGNATURES = 512


class Sender:
    """Sends attempts with the installation's settings and key."""

    def __init__(self, installation: Installation, jitter: Callable[[], float] = random.random) -> None:
        """`jitter` returns random numbers in [0, 1)."""
        settings = installation.settings
        self._schedule: backoff.Schedule = settings.webhook_schedule
        self._timeout_seconds = float(settings.webhook_timeout_seconds)
        self._egress = Egress(settings.webhook_block_private)
        self._jitter = jitter
        self._in_flight = asyncio.Semaphore(MOST_IN_FLIGHT)

        @lru_cache(KEPT_SIGNATURES)
        def jwt_signature(body: bytes) -> str:
            return installation.key.jwt_signature(body, settings.public_api_url)

        self._jwt_signature = jwt_signature

    async def attempt(self, due: Due) -> Outcome:
        """Send once. Whatever goes wrong is an outcome, never an exception (webhooks.md §1.6)."""
        async with self._in_flight:
            started = machine_monotonic()
            try:
                answer = await self._egress.post(due.url, due.payload, self._headers(due), self._timeout_seconds)
            except Exception as error:
                log.error("webhook attempt broke", delivery_id=str(due.id), exc_info=error)
                answer = Answer(None, error=f"{type(error).__name__}: {error}")
            return self._judged(due, answer, round((machine_monotonic() - started) * 1000))

    async def close(self) -> None:
        """Close all connections."""
        await self._egress.close()

    def _headers(self, due: Due) -> dict[str, str]:
        """The headers of webhooks.md §1.3; only the Standard Webhooks ones change with the attempt."""
        hmac = due.algorithm == "hmac"
        signature = signing.hmac_signature(due.hmac_key, due.payload) if hmac else self._jwt_signature(due.payload)
        return {
            "Content-Type": "application/json",
            "X-Lago-Signature": signature,
            "X-Lago-Signature-Algorithm": due.algorithm,
            "X-Lago-Unique-Key": str(due.id),
            **signing.standard_headers(str(due.id), int(machine_now().timestamp()), due.payload, due.secrets),
        }

    def _judged(self, due: Due, answer: Answer, duration_ms: int) -> Outcome:
        succeeded = answer.status in SUCCESS
        # PostgreSQL text holds no NUL characters
        body = answer.body.decode(errors="replace").replace("\x00", "")
        return Outcome(
            delivery_id=due.id,
            url=due.url,
            succeeded=succeeded,
            http_status=answer.status,
            response=(answer.error or "").replace("\x00", "") if answer.status is None else body.strip() or "{}",
            error=answer.error and answer.error.replace("\x00", ""),
            duration_ms=duration_ms,
            wait=None if succeeded else self._wait(due, answer),
        )

    def _wait(self, due: Due, answer: Answer) -> dt.timedelta | None:
        """How long until the next attempt; `Retry-After` can only make it longer, and adds no attempt."""
        wait = backoff.next_delay(self._schedule, due.retries + 1, self._jitter())
        header = answer.headers.get("Retry-After") if answer.status in PATIENCE else None
        asked = backoff.retry_after(header, machine_now()) if header is not None else None
        return wait if wait is None or asked is None else max(wait, asked)
