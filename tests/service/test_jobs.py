"""Jobs on a real queue: committed with their transaction, run again when they fail, given back when a worker dies."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from tallystick.ground import jobs as ground_jobs
from tallystick.ground.db import Database
from tallystick.ground.jobs import LIVE, MAX_ATTEMPTS, SANDBOX_ATTEMPTS, Job, Jobs, Patience, enqueue, queue_of
from tallystick.ground.jobs import wait_seconds as rest_of


class Desk:
    """A queue of its own with a task that writes down what it was given; `faults` are raised first."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.jobs = Jobs(database)
        self.queue = queue_of(uuid.uuid4(), sandbox=True)
        self.done: list[Any] = []
        self.faults: list[Exception] = []
        self.jobs.add("note", self.note)

    async def note(self, what: Any) -> None:
        if self.faults:
            raise self.faults.pop()
        self.done.append(what)

    async def ask(self, *whats: Any, queue: str | None = None, task: str = "note", lock: str | None = None) -> None:
        async with self.database.begin() as tx:
            await enqueue(tx, [Job(task, {"what": what}, queue or self.queue, lock) for what in whats])

    async def statuses(self, queue: str | None = None) -> list[tuple[str, int]]:
        """(status, attempts) of what the queue holds."""
        async with self.database.begin() as tx:
            rows = await tx.execute(
                text("select status::text, attempts from procrastinate_jobs where queue_name = :queue order by id"),
                {"queue": queue or self.queue},
            )
            return [(row.status, row.attempts) for row in rows]

    async def abandon(self, heartbeat_seconds_ago: int | None) -> None:
        """Make the queue's jobs look taken by a worker that was last seen so long ago; None: by one that is gone."""
        async with self.database.begin() as tx:
            worker_id = None
            if heartbeat_seconds_ago is not None:
                worker_id = await tx.scalar(
                    text(
                        "insert into procrastinate_workers (last_heartbeat)"
                        " values (now() - make_interval(secs => :ago)) returning id"
                    ),
                    {"ago": heartbeat_seconds_ago},
                )
            await tx.execute(
                text("update procrastinate_jobs set status = 'doing', worker_id = :worker where queue_name = :queue"),
                {"worker": worker_id, "queue": self.queue},
            )


@pytest_asyncio.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    made = Desk(database)
    yield made
    await made.jobs.close()
    async with database.begin() as tx:
        await tx.execute(
            text("delete from procrastinate_jobs where queue_name in (:queue, 'live')"), {"queue": made.queue}
        )


async def test_jobs_run_in_order_with_their_arguments(desk: Desk) -> None:
    await desk.ask(1, "zwei", [3], {"four": None}, lock="one after another")
    assert await desk.jobs.drain(desk.queue) is True
    assert desk.done == [1, "zwei", [3], {"four": None}]
    assert await desk.statuses() == []


async def test_without_its_commit_there_is_no_job(desk: Desk) -> None:
    async with desk.database.begin() as tx:
        await enqueue(tx, [Job("note", {"what": 1}, desk.queue)])
        await tx.rollback()
    assert await desk.statuses() == []
    assert await desk.jobs.drain(desk.queue) is False


async def test_nothing_asked_is_nothing_done(desk: Desk) -> None:
    await desk.ask()
    assert await desk.statuses() == []


async def test_a_drain_leaves_other_queues_alone(desk: Desk) -> None:
    other = queue_of(uuid.uuid4(), sandbox=True)
    await desk.ask("other", queue=other)
    await desk.ask("mine")
    await desk.jobs.drain(desk.queue)
    assert desk.done == ["mine"]
    assert await desk.statuses(other) == [("todo", 0)]
    await desk.jobs.drain(other)


async def test_a_drain_runs_what_jobs_ask_for(desk: Desk) -> None:
    async def more(what: int) -> None:
        await desk.ask(what + 1)

    desk.jobs.add("more", more)
    await desk.ask(1, task="more")
    await desk.jobs.drain(desk.queue)
    assert desk.done == [2]


async def test_in_a_sandbox_a_failed_job_runs_again_at_once(desk: Desk) -> None:
    desk.faults = [RuntimeError("once")]
    await desk.ask("again")
    await desk.jobs.drain(desk.queue)
    assert desk.done == ["again"]


async def test_a_job_that_always_fails_is_left_to_the_operator(desk: Desk) -> None:
    desk.faults = [RuntimeError(str(n)) for n in range(SANDBOX_ATTEMPTS)]
    await desk.ask("never", "next")
    await desk.jobs.drain(desk.queue)
    assert desk.done == ["next"]
    assert await desk.statuses() == [("failed", SANDBOX_ATTEMPTS)]
    assert await desk.jobs.drain(desk.queue) is False


async def test_an_unknown_task_fails(desk: Desk) -> None:
    await desk.ask("x", task="nobody knows")
    await desk.jobs.drain(desk.queue)
    assert [status for status, _ in await desk.statuses()] == ["failed"]


@pytest.mark.parametrize("heartbeat_seconds_ago", [ground_jobs.DEAD_AFTER_SECONDS + 5, None])
async def test_a_drain_gives_back_and_runs_the_jobs_of_dead_workers(
    desk: Desk, heartbeat_seconds_ago: int | None
) -> None:
    await desk.ask("rescued")
    await desk.abandon(heartbeat_seconds_ago)
    assert await desk.jobs.drain(desk.queue) is True
    assert desk.done == ["rescued"]


async def test_the_jobs_of_living_workers_are_theirs(desk: Desk) -> None:
    await desk.ask("theirs")
    await desk.abandon(heartbeat_seconds_ago=1)
    await desk.jobs.rescue()
    assert await desk.statuses() == [("doing", 0)]


async def test_a_job_that_kills_its_workers_is_left_to_the_operator(desk: Desk) -> None:
    await desk.ask("poison")
    for _ in range(MAX_ATTEMPTS):
        await desk.abandon(None)
        await desk.jobs.rescue()
    assert await desk.statuses() == [("failed", MAX_ATTEMPTS)]


async def test_a_worker_runs_live_jobs_until_it_is_cancelled(desk: Desk) -> None:
    ran = asyncio.Event()

    async def signal(what: str) -> None:
        desk.done.append(what)
        ran.set()

    desk.jobs.add("signal", signal)
    worker = asyncio.create_task(desk.jobs.run_worker(concurrency=2))
    try:
        await desk.ask("live", queue=LIVE, task="signal")
        await asyncio.wait_for(ran.wait(), 30)
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    assert desk.done == ["live"]
    assert await desk.statuses(LIVE) == []


async def test_a_cancelled_worker_lets_its_job_finish(desk: Desk) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow(what: str) -> None:
        started.set()
        await go_on.wait()
        desk.done.append(what)

    desk.jobs.add("slow", slow)
    worker = asyncio.create_task(desk.jobs.run_worker(concurrency=1))
    await desk.ask("whole", queue=LIVE, task="slow")
    await asyncio.wait_for(started.wait(), 30)
    worker.cancel()
    go_on.set()
    await asyncio.gather(worker, return_exceptions=True)
    assert desk.done == ["whole"]
    assert await desk.statuses(LIVE) == []


def test_live_jobs_rest_longer_and_longer() -> None:
    assert [rest_of(attempts) for attempts in range(7)] == [5, 20, 80, 320, 1280, 5120, 7200]


def test_queue_names_fit_the_channels_of_postgresql() -> None:
    longest = f"procrastinate_queue_v1#{queue_of(uuid.uuid4(), sandbox=True)}"
    assert len(longest) <= 63
    assert queue_of(uuid.uuid4(), sandbox=False) == LIVE


def test_patience_ends() -> None:
    class Stored:
        def __init__(self, queue: str, attempts: int) -> None:
            self.queue, self.attempts = queue, attempts

    patience, error = Patience(), RuntimeError()
    for queue, most in ((LIVE, MAX_ATTEMPTS), (queue_of(uuid.uuid4(), sandbox=True), SANDBOX_ATTEMPTS)):
        tries = [patience.get_retry_decision(exception=error, job=Stored(queue, n)) for n in range(most)]
        assert [decision is None for decision in tries] == [False] * (most - 1) + [True]
