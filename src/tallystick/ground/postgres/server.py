"""The embedded server running: start it or attach to it, restart it when it died, stop it with its last user.

It is not for what lies on disk (cluster.py). The server is no child of ours: it outlives a killed parent, and the next
process attaches to it.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tallystick.ground.clock import machine_monotonic
from tallystick.ground.postgres.account import Completed
from tallystick.ground.postgres.cluster import DATABASE, ROLE, Cluster, locate
from tallystick.ground.postgres.errors import EmbeddedPostgresError, PortTaken
from tallystick.ground.postgres.locks import Use, turn
from tallystick.ground.postgres.ports import LOOPBACK, candidates
from tallystick.ground.postgres.processes import Postmaster, clear_remains, running_postmaster

# Replaying the log after a crash of a large database takes minutes.
START_SECONDS = 600
STOP_SECONDS = 60
LARGEST_LOG = 10 * 1024**2


class Server:
    """One embedded server as this process uses it; a context manager that lets go of it at the end."""

    def __init__(self, cluster: Cluster, configured_port: int | None, *, fsync: bool, temporary: bool) -> None:
        self._cluster = cluster
        self._configured_port = configured_port
        self._fsync = fsync
        self._temporary = temporary
        self._use = Use(cluster.data_dir)
        self._port: int | None = None

    @property
    def url(self) -> str:
        """`postgresql://role:password@127.0.0.1:port/database`; it stays the same when the server is restarted."""
        return f"postgresql://{ROLE}:{self._cluster.password()}@{LOOPBACK}:{self.port}/{DATABASE}"

    @property
    def port(self) -> int:
        if self._port is None:
            raise EmbeddedPostgresError("The embedded PostgreSQL has not been started.")
        return self._port

    @property
    def pid(self) -> int | None:
        """Process id of the postmaster, None when it does not run."""
        postmaster = running_postmaster(self._cluster.directory)
        return postmaster.pid if postmaster else None

    def ensure_running(self) -> bool:
        """Start or attach; true when the server had to be started. Cheap when it runs: call it every second or so."""
        if self._port is not None and self._serves(running_postmaster(self._cluster.directory)):
            return False
        with turn(self._cluster.data_dir):
            self._use.take()
            try:
                postmaster = self._settled()
                started = postmaster is None
                if postmaster is None:
                    postmaster = self._start()
            except BaseException:
                if self._port is None:
                    self._use.let_go()
                raise
            self._port = postmaster.port
            return started

    def stop(self) -> None:
        """Let go of the server; the last process to do so stops it. Stopping twice is stopping once."""
        with turn(self._cluster.data_dir):
            alone = self._use.let_go()
            self._port = None
            if alone and running_postmaster(self._cluster.directory) is not None:
                done = self._pg_ctl("stop", "-m", "fast", "-t", str(STOP_SECONDS), seconds=STOP_SECONDS)
                if running_postmaster(self._cluster.directory) is not None:
                    raise EmbeddedPostgresError(f"Cannot stop the embedded PostgreSQL: {done.stderr.strip()}")
        if alone and self._temporary:
            self._remove()

    def __enter__(self) -> Self:
        self.ensure_running()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _serves(self, postmaster: Postmaster | None) -> bool:
        return postmaster is not None and postmaster.status == "ready" and postmaster.port == self._port

    def _settled(self) -> Postmaster | None:
        """The running server once it is ready, None once there is none."""
        deadline = machine_monotonic() + START_SECONDS
        while (postmaster := running_postmaster(self._cluster.directory)) is not None:
            if postmaster.status == "ready":
                return postmaster
            if machine_monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL has been {postmaster.status} for {START_SECONDS} s; see {self._cluster.log}."
                )
            time.sleep(0.05)
        return None

    def _start(self) -> Postmaster:
        if not self._cluster.exists():
            self._cluster.create()
        clear_remains(self._cluster.directory)
        # A restart keeps the port: connections elsewhere in this installation were made for it.
        fixed = self._port or self._configured_port
        for port in candidates(fixed, self._cluster.port_file):
            try:
                postmaster = self._start_on(port)
            except PortTaken:
                if fixed is not None:
                    raise
                continue
            if fixed is None:
                self._cluster.port_file.write_text(f"{port}\n")
            return postmaster
        raise EmbeddedPostgresError("No port for the embedded PostgreSQL.")

    def _start_on(self, port: int) -> Postmaster:
        self._cluster.configure(port, fsync=self._fsync)
        log = self._cluster.log
        if log.is_file() and log.stat().st_size > LARGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
        written = log.stat().st_size if log.is_file() else 0
        done = self._pg_ctl("start", "-l", str(log), "-t", str(START_SECONDS), seconds=START_SECONDS)
        postmaster = running_postmaster(self._cluster.directory)
        if done.returncode == 0 and postmaster is not None:
            return postmaster
        words = _text_after(log, written) or done.stderr.strip() or done.stdout.strip()
        if "Address already in use" in words:
            raise PortTaken(port)
        raise EmbeddedPostgresError(f"The embedded PostgreSQL does not start: {words[-1500:]}")

    def _pg_ctl(self, verb: str, *options: str, seconds: int) -> Completed:
        words = [verb, "-D", str(self._cluster.directory), "-w", *options]
        return self._cluster.account.run([self._cluster.binaries["pg_ctl"], *words], timeout=seconds + 10)

    def _remove(self) -> None:
        """A temporary cluster's directory, and the place aside that a link of ours may point to."""
        shutil.rmtree(self._cluster.directory)
        link = self._cluster.data_dir / "postgres"
        if link.is_symlink():
            link.unlink()
            self._cluster.directory.parent.rmdir()


def open_server(data_dir: Path, port: int | None = None, bin_dir: Path | None = None) -> Server:
    """Start the server of `data_dir`, made at the first time, or attach to it when it runs.

    `port` is a demand; without one a free port is chosen and remembered. `bin_dir` names other programs than
    the wheel's. Call `stop` (or leave the `with` block) at a clean exit. EmbeddedPostgresError when it cannot run.
    """
    server = Server(locate(data_dir, bin_dir), port, fsync=True, temporary=False)
    server.ensure_running()
    return server


def start_temporary(bin_dir: Path | None, data_dir: Path, fsync: bool) -> Server:
    """A server for tests: `stop` removes its cluster. Without `fsync` it is fast and not safe from power cuts."""
    server = Server(locate(data_dir, bin_dir), None, fsync=fsync, temporary=True)
    server.ensure_running()
    return server


def _text_after(log: Path, position: int) -> str:
    """What the log says since `position` bytes; empty when it cannot be read."""
    try:
        return log.read_bytes()[position:].decode(errors="replace").strip()
    except OSError:
        return ""
