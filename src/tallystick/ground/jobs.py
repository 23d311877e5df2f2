"""Jobs: work outside the transaction that asks for it, committed with it, run by procrastinate on the same PostgreSQL.

A job is a chunk of ids, never a row, and runs at least once: what it does must be safe to repeat. Domain dates are not
jobs but agenda entries.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from procrastinate import App, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job as StoredJob
from procrastinate.retry import BaseRetryStrategy
from procrastinate.worker import Worker
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tallystick.ground import json
from tallystick.ground.db import Database, Tx

log = structlog.get_logger(__name__)

#: queue of all live organizations; a sandbox organization has one of its own, which its clock drains
LIVE = "live"
#: short, because PostgreSQL cuts the names of channels at 63 characters and the queue is part of one
SANDBOX_PREFIX = "sandbox-"

#: runs of a job before it is left to the operator as failed; about eight hours for a live one
MAX_ATTEMPTS = 10
SANDBOX_ATTEMPTS = 3
FIRST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS = 2 * 60 * 60

#: a worker without a sign of life for so long is dead; its jobs are given back
DEAD_AFTER_SECONDS = 30
RESCUE_EVERY_SECONDS = 10
#: what running jobs may still take when the worker is told to end
GRACE_SECONDS = 25
_POLL_SECONDS = 0.2
_RESTART_SECONDS = 1

Task = Callable[..., Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Job:
    """A task's name with its arguments (plain JSON). Jobs with one `lock` run one after another, in order."""

    task: str
    args: Mapping[str, Any]
    queue: str
    lock: str | None = None


def queue_of(organization_id: uuid.UUID, sandbox: bool) -> str:
    """The queue of an organization's jobs."""
    return f"{SANDBOX_PREFIX}{organization_id.hex}" if sandbox else LIVE


async def enqueue(tx: Tx, jobs: Sequence[Job]) -> None:
    """Ask for work in the caller's transaction: without its commit there is no job."""
    if jobs:
        await tx.flush()
        await tx.execute(
            _ENQUEUE,
            {
                "queues": [job.queue for job in jobs],
                "tasks": [job.task for job in jobs],
                "locks": [job.lock for job in jobs],
                "args": [json.dump_text(dict(job.args)) for job in jobs],
            },
        )


class Jobs:
    """The tasks of this process and the workers that run them. `add` them before anything runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # connections are made when a worker needs them: most processes only enqueue
        self._app = App(connector=PsycopgConnector(conninfo=database.url, min_size=0, max_size=4))
        self._opening = asyncio.Lock()
        self._open = False

    def add(self, name: str, task: Task) -> None:
        """Make a task known under the name that jobs carry."""

        async def run(**args: Any) -> None:
            await task(**args)

        self._app.task(name=name, retry=Patience())(run)

    async def run_worker(self, concurrency: int) -> None:
        """Run live jobs until cancelled, and give back the jobs of dead workers. Outlives a lost database."""
        while True:
            try:
                await self._ensure_open()
                worker = self._worker(LIVE, concurrency, wait=True)
                async with _in_background(self._look_after(worker)):
                    await worker.run()
            except (ConnectorException, DBAPIError, OSError) as error:
                log.warning("the worker lost the database", error=str(error))
            await asyncio.sleep(_RESTART_SECONDS)

    async def drain(self, queue: str) -> bool:
        """Run all jobs of a sandbox queue, retries at once; returns when none is left, whether there were any.

        Failed jobs stay for the operator and are not waited for. One call at a time for each queue.
        """
        found = False
        while await self._pending(queue):
            found = True
            await self.rescue()
            await self._ensure_open()
            await self._worker(queue, 1, wait=False).run()
            if await self._pending(queue):
                await asyncio.sleep(_POLL_SECONDS)
        return found

    async def rescue(self) -> int:
        """Give back jobs whose worker died; returns how many. One that has killed its workers too often fails."""
        async with self._database.begin() as tx:
            rows = (await tx.execute(_RESCUE, {"seconds": DEAD_AFTER_SECONDS, "most": MAX_ATTEMPTS})).all()
        for job_id, task, status in rows:
            log.warning("a job's worker died", job_id=job_id, task=task, status=status)
        return len(rows)

    async def close(self) -> None:
        """Give all connections back."""
        async with self._opening:
            if self._open:
                await self._app.close_async()
                self._open = False

    def _worker(self, queue: str, concurrency: int, *, wait: bool) -> Worker:
        return Worker(
            app=self._app,
            queues=[queue],
            name=queue,
            concurrency=concurrency,
            wait=wait,
            listen_notify=wait,
            delete_jobs="successful",
            install_signal_handlers=False,
            shutdown_graceful_timeout=GRACE_SECONDS,
            stalled_worker_timeout=DEAD_AFTER_SECONDS,
        )

    async def _ensure_open(self) -> None:
        async with self._opening:
            if not self._open:
                await self._app.open_async()
                self._open = True

    async def _pending(self, queue: str) -> int:
        async with self._database.begin() as tx:
            return await tx.scalar(_PENDING, {"queue": queue}) or 0

    async def _look_after(self, worker: Worker) -> None:
        """Rescue, and the worker's sign of life: procrastinate's own ends for good with the first lost connection."""
        while True:
            try:
                if worker.worker_id is not None:
                    await self._app.job_manager.update_heartbeat(worker.worker_id)
                await self.rescue()
            except (ConnectorException, DBAPIError, OSError) as error:
                log.warning("jobs of dead workers cannot be given back now", error=str(error))
            await asyncio.sleep(RESCUE_EVERY_SECONDS)


@asynccontextmanager
async def _in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Patience(BaseRetryStrategy):  # type: ignore[misc]  # procrastinate is not followed by mypy
    """When a job that failed runs again: later and later; in a sandbox at once, because its clock waits."""

    def get_retry_decision(self, *, exception: BaseException, job: StoredJob) -> RetryDecision | None:
        """The next run, None when it has been tried often enough."""
        sandbox = job.queue.startswith(SANDBOX_PREFIX)
        if job.attempts + 1 >= (SANDBOX_ATTEMPTS if sandbox else MAX_ATTEMPTS):
            return None
        return RetryDecision(retry_in={"seconds": 0 if sandbox else wait_seconds(job.attempts)})


def wait_seconds(attempts: int) -> int:
    """How long a live job rests after so many earlier runs: 5 s, 20 s, 80 s, … two hours."""
    return int(min(FIRST_WAIT_SECONDS * 4**attempts, LONGEST_WAIT_SECONDS))


_ENQUEUE = text("""
    select procrastinate_defer_jobs_v1(array(
      select row(j.queue, j.task, 0, j.lock, null, j.args, null)::procrastinate_job_to_defer_v1
      from unnest(
        cast(:queues as text[]), cast(:tasks as text[]), cast(:locks as text[]), cast(:args as jsonb[])
      ) with ordinality as j(queue, task, lock, args, place)
      order by j.place
    ))
""")

_PENDING = text("select count(*) from procrastinate_jobs where queue_name = :queue and status in ('todo', 'doing')")

# one statement, so that two rescuers never give back the same run twice
_RESCUE = text("""
    update procrastinate_jobs j set
      status = cast(case when j.attempts + 1 >= :most then 'failed' else 'todo' end as procrastinate_job_status),
      attempts = j.attempts + 1, worker_id = null, abort_requested = false, scheduled_at = now()
    where j.status = 'doing' and not exists (
      select from procrastinate_workers w
      where w.id = j.worker_id and w.last_heartbeat > now() - make_interval(secs => :seconds)
    )
    returning j.id, j.task_name, cast(j.status as text)
""")
