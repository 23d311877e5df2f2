"""The product as a child process of the demonstration: `tallystick serve` with its log in a file."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tallystick.cli.terminal import fail
from tallystick.ground.clock import machine_monotonic
from tallystick.ground.postgres.processes import running_postmaster

if TYPE_CHECKING:
    from tallystick.ground.settings import Settings

#: data directory of a demonstration beside another server, inside that one's
BESIDE = "demo"
START_SECONDS = 180
STOP_SECONDS = 90


def place(settings: Settings) -> Settings:
    """The settings, with a data directory inside the given one while another server uses that.

    The other server's worker would refuse to call the story's receiver on this machine.
    """
    if settings.database_url is not None or running_postmaster((settings.data_dir / "postgres").resolve()) is None:
        return settings
    return settings.model_copy(update={"data_dir": settings.data_dir / BESIDE})


class Product:
    """A running `tallystick serve`; it ends with this process, however that ends."""

    def __init__(self, settings: Settings) -> None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self.log = settings.data_dir / "demo.log"
        self.port = settings.port if _is_free(settings.host, settings.port) else 0
        inherited, lifeline = os.pipe()
        self._lifeline: int | None = lifeline
        # the receiver of the story is on this machine
        environment = {
            **os.environ,
            "TALLYSTICK_DATA_DIR": str(settings.data_dir),
            "TALLYSTICK_WEBHOOK_BLOCK_PRIVATE": "false",
            "PYTHONUNBUFFERED": "1",
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tallystick", "serve"),
                    *("--port", str(self.port), "--lifeline", str(inherited)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[inherited],
                start_new_session=True,
                env=environment,
            )
        os.close(inherited)

    def wait_until_ready(self) -> str:
        """The URL, once the API answers; a sentence when it does not start."""
        deadline = machine_monotonic() + START_SECONDS
        while machine_monotonic() < deadline and self.process.poll() is None:
            url = _url_in(self.log)
            if url and _is_healthy(url):
                return url
            time.sleep(0.1)
        words = "\n".join(self.log.read_text().splitlines()[-5:])
        self.stop()
        return fail(f"The server does not start; the end of {self.log}:\n{words}")

    def stop(self) -> None:
        """End it in order: the API, the worker, PostgreSQL."""
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            return True
    except OSError:
        return False


def _url_in(log: Path) -> str | None:
    """The line of `tallystick serve` that says where it listens."""
    for line in log.read_text().splitlines():
        if line.startswith("  URL "):
            return line.split()[1]
    return None


def _is_healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
