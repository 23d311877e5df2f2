"""Checks of the work that waits in the database: agenda, jobs, outbox, webhook endpoints.

Each is one query; a few minutes of waiting are normal, more mean that no worker does it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.sql.elements import TextClause

from tallystick.cli.doctor.findings import Finding
from tallystick.ground.db import Tx, load_query

WORKER = "Start `tallystick serve` or `tallystick worker`, and read its log."
AGAIN = "Mend the cause, then run `tallystick retry`."


async def agenda(tx: Tx) -> list[Finding]:
    """Entries of live organizations that are long due, and entries set aside with an error."""
    row = await _row(tx, _AGENDA)
    late = Finding("agenda", f"{row.late} entries are overdue, the oldest since {row.oldest}", WORKER)
    findings = [late if row.late else Finding("agenda", "nothing is overdue")]
    if row.failed:
        findings.append(Finding("agenda", f"{row.failed} entries failed, one of them: {row.example}", AGAIN))
    return findings


async def jobs(tx: Tx) -> list[Finding]:
    """Jobs that wait too long, whose worker died, or that failed for good."""
    row = await _row(tx, _JOBS)
    findings = []
    if row.waiting:
        findings.append(Finding("jobs", f"{row.waiting} jobs have been waiting for more than 5 minutes", WORKER))
    if row.stuck:
        findings.append(Finding("jobs", f"{row.stuck} jobs belong to a worker that died", WORKER))
    if row.failed:
        mend = "Read the worker's log; retry one with: select procrastinate_retry_job_v2(id, now(), null, null, null)"
        findings.append(Finding("jobs", f"{row.failed} jobs failed for good, one of them: {row.example}", mend))
    return findings or [Finding("jobs", "none is stuck or failed")]


async def outbox(tx: Tx) -> list[Finding]:
    """Messages that are not fanned out, or cannot be."""
    row = await _row(tx, _OUTBOX)
    findings = [
        Finding("outbox", f"{row.late} messages have been waiting for more than 5 minutes", WORKER)
        if row.late
        else Finding("outbox", "no message waits")
    ]
    if row.failed:
        failed = f"{row.failed} messages cannot be rendered, one of them: {row.example}"
        findings.append(Finding("outbox", failed, AGAIN))
    return findings


async def endpoints(tx: Tx) -> list[Finding]:
    """Endpoints to which every delivery fails, and endpoints that were disabled for it."""
    rows = list(await tx.execute(_ENDPOINTS))
    mend = "Its owner has to mend it and replay what failed."
    return [
        Finding("webhooks", f"{row.webhook_url} {row.state} since {row.since} (organization {row.slug})", mend)
        for row in rows
    ] or [Finding("webhooks", "every endpoint answers")]


ALL = (agenda, jobs, outbox, endpoints)


async def _row(tx: Tx, query: TextClause) -> Any:
    return (await tx.execute(query)).one()


_AGENDA = load_query(__file__, "agenda")
_JOBS = load_query(__file__, "jobs")
_OUTBOX = load_query(__file__, "outbox")
_ENDPOINTS = load_query(__file__, "endpoints")
