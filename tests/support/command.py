"""The command `tallystick` as a child process, with a data directory and ports of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

COMMAND = (sys.executable, "-m", "tallystick")
START_SECONDS = 90
STOP_SECONDS = 60


@contextmanager
def data_directory() -> Iterator[Path]:
    """A directory that any user can enter: started as root, PostgreSQL runs as another one. Removed at the end."""
    with tempfile.TemporaryDirectory(prefix="tallystick-test-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """What the command reads: this data directory and none of the tester's own settings."""
    # without bytecode every command would compile the product again
    left_out = ("TALLYSTICK_", "PYTHONDONTWRITEBYTECODE")
    own = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**own, "TALLYSTICK_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1", **more}


def command(data_dir: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *words], env=environment(data_dir, **more), capture_output=True, text=True, timeout=120, check=False
    )


class Serving:
    """A running `tallystick serve` (or `api`, `worker`); what it says is in `log`."""

    def __init__(self, data_dir: Path, *words: str, **more: str) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.data_dir = data_dir
        self.log = data_dir / "test.log"
        with self.log.open("a") as log:
            self._read_from = log.tell()
            self.process = subprocess.Popen(
                [*COMMAND, *(words or ("serve", "--port", "0"))],
                env=environment(data_dir, **more),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def output(self) -> str:
        """What this process has said so far."""
        return self.log.read_bytes()[self._read_from :].decode()

    def wait_for(self, words: str) -> str:
        """The first line that has these words."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for line in self.output().splitlines():
                if words in line:
                    return line
            assert self.process.poll() is None or words in self.output(), self.output()
            time.sleep(0.05)
        raise AssertionError(f"{words!r} was not said: {self.output()}")

    def url(self) -> str:
        """Where it listens, once it answers."""
        url = self.wait_for("  URL ").split()[1]
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{url}/health", timeout=30).status_code == 200:
                    return url
            except httpx.HTTPError:
                assert self.process.poll() is None, self.output()
            time.sleep(0.1)
        raise AssertionError(f"{url} is not healthy: {self.output()}")

    def stop(self) -> int:
        """End it as a service manager does; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)


def is_running(pid: int) -> bool:
    """Whether there is such a process, zombies not counted."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_gone(pid: int) -> None:
    """Until the process has ended."""
    deadline = time.monotonic() + STOP_SECONDS
    while is_running(pid):
        assert time.monotonic() < deadline, f"process {pid} does not end"
        time.sleep(0.05)
