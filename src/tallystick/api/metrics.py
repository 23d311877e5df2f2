"""`/metrics` for Prometheus, without a key: requests of this process, and what waits in the installation's database.

It holds figures of the whole installation only, nothing of an organization. Keep it off the public internet.
"""

from __future__ import annotations

from functools import lru_cache

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response

from tallystick.api.access_log import Answered
from tallystick.ground.db import Tx

LATENCY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
#: methods, routes and statuses remembered
MOST_COUNTED = 5_000


class Metrics:
    """The metrics of one application, in a registry of their own."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        labels = ["method", "route", "status"]
        self._requests = Counter("tallystick_http_requests", "Answered requests.", labels, registry=registry)
        self._latency = Histogram(
            "tallystick_http_request_seconds",
            "Time from the request to the end of its answer.",
            ["method", "route"],
            buckets=LATENCY_SECONDS,
            registry=registry,
        )
        #: children of the two by labels: finding them costs more than counting
        self._counted = lru_cache(MOST_COUNTED)(self._find)
        self._gauges = {
            name: Gauge(f"tallystick_{name}", words, labels, registry=registry) for name, labels, words, _ in _GAUGES
        }

    def observe(self, answered: Answered) -> None:
        """Count a request of this process."""
        requests, latency = self._counted(answered.method, answered.route, answered.status)
        requests.inc()
        latency.observe(answered.seconds)

    def _find(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(method, route, status), self._latency.labels(method, route)

    async def render(self, tx: Tx) -> bytes:
        """The text of an answer, after a look at the database."""
        for name, labels, _, query in _GAUGES:
            gauge = self._gauges[name]
            if labels:
                gauge.clear()
            for row in await tx.execute(text(query)):
                *values, number = row
                (gauge.labels(*values) if values else gauge).set(float(number))
        answer: bytes = generate_latest(self.registry)
        return answer


def mount_metrics(app: FastAPI) -> Metrics:
    """Add the route; the caller hands `observe` of the result to the access log."""
    metrics = Metrics()

    async def show(request: Request) -> Response:
        async with request.app.state.installation.database.begin() as tx:
            return Response(await metrics.render(tx), headers={"content-type": CONTENT_TYPE_LATEST})

    app.add_api_route("/metrics", show, methods=["GET"], include_in_schema=False)
    return metrics


# name, labels, help, and one query that reads few rows: label values first, the number last
_GAUGES: tuple[tuple[str, list[str], str, str], ...] = (
    (
        "events_stored",
        [],
        "Events written since PostgreSQL's statistics began.",
        "select coalesce(sum(n_tup_ins), 0) from pg_stat_user_tables where relname = 'event_keys'",
    ),
    (
        "agenda_lag_seconds",
        [],
        "How long the oldest entry of a live organization has been due.",
        """
        select coalesce(extract(epoch from now() - min(a.due_at)), 0)
        from agenda a join organizations o on o.id = a.organization_id
        where a.failed_at is null and a.due_at <= now() and not o.sandbox
        """,
    ),
    (
        "agenda_failed",
        [],
        "Entries set aside with an error.",
        "select count(*) from agenda where failed_at is not null",
    ),
    (
        "outbox_messages",
        ["state"],
        "Messages not yet fanned out, by state (waiting, failed).",
        "select case when failed_at is null then 'waiting' else 'failed' end, count(*) from outbox group by 1",
    ),
    (
        "webhook_deliveries",
        ["status"],
        "Deliveries with an attempt still to come, by status (pending, retrying).",
        "select status, count(*) from webhook_deliveries where next_attempt_at is not null group by 1",
    ),
    (
        "webhook_endpoints",
        ["state"],
        "Endpoints by state (working, failing, disabled).",
        """
        select case when disabled_at is not null then 'disabled'
                    when failing_since_at is not null then 'failing' else 'working' end, count(*)
        from webhook_endpoints group by 1
        """,
    ),
    (
        "jobs",
        ["status"],
        "Jobs by status (todo, doing, failed).",
        "select status::text, count(*) from procrastinate_jobs where status in ('todo', 'doing', 'failed') group by 1",
    ),
)
