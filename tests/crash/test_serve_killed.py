"""`kill -9` of the processes of `tallystick serve`: nothing is left behind, nothing is lost, and the rest goes on."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tallystick.ground.postgres.processes import running_postmaster
from tests.support.command import START_SECONDS, Serving, command, data_directory, wait_until_gone

pytestmark = pytest.mark.slow


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with data_directory() as directory:
        yield directory


def worker_of(serving: Serving) -> int:
    """Process id of the worker that was started last."""
    serving.wait_for("the worker is started")
    lines = [line for line in serving.output().splitlines() if "the worker is started" in line]
    return int(json.loads(lines[-1])["pid"])


def test_killed_parent_takes_its_worker_along(data_dir: Path) -> None:
    first = Serving(data_dir)
    first.url()
    worker = worker_of(first)
    made = command(data_dir, "org", "create", "Kept", "--json")
    api_key = json.loads(made.stdout)["api_key"]
    first.kill()
    wait_until_gone(worker)

    again = Serving(data_dir)
    try:
        url = again.url()
        headers = {"Authorization": f"Bearer {api_key}"}
        assert httpx.get(f"{url}/api/v1/customers", headers=headers, timeout=30).status_code == 200
    finally:
        assert again.stop() == 0, again.output()


def test_killed_worker_is_started_again(data_dir: Path) -> None:
    serving = Serving(data_dir)
    try:
        serving.url()
        first = worker_of(serving)
        os.kill(first, signal.SIGKILL)
        serving.wait_for("the worker died and is started again")
        wait_until_gone(first)
        while worker_of(serving) == first:
            assert serving.process.poll() is None, serving.output()
    finally:
        assert serving.stop() == 0, serving.output()


def test_killed_postgres_is_started_again(data_dir: Path) -> None:
    serving = Serving(data_dir)
    try:
        url = serving.url()
        cluster = (data_dir / "postgres").resolve()
        first = running_postmaster(cluster)
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        # by the parent or by the worker, whoever looks first
        deadline = time.monotonic() + START_SECONDS
        while (now := running_postmaster(cluster)) is None or now.pid == first.pid or now.status != "ready":
            assert time.monotonic() < deadline, serving.output()
            time.sleep(0.05)
        assert serving.url() == url
        assert command(data_dir, "doctor").returncode == 0
    finally:
        assert serving.stop() == 0, serving.output()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://tally@127.0.0.1:{(data_dir / 'postgres.port').read_text().strip()}/postgres")
