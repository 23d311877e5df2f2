"""What runs in a cluster's directory: the postmaster by its pid file, and its children by the process table.

It is not for starting or stopping anything. A pid alone proves nothing (it may be a zombie or have been given to
another program), so where there is a `/proc` a postmaster counts only when it works in the cluster's directory.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from tallystick.ground.clock import machine_monotonic
from tallystick.ground.postgres.errors import EmbeddedPostgresError

PROC = Path("/proc")
PID_FILE = "postmaster.pid"


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A living postmaster. `status` is one of PostgreSQL's words: starting, stopping, ready, standby."""

    pid: int
    port: int
    status: str


def running_postmaster(cluster: Path) -> Postmaster | None:
    """The living postmaster of `cluster`, None when there is none. Port 0 while it has not yet written it."""
    try:
        lines = (cluster / PID_FILE).read_text().splitlines()
    except FileNotFoundError:
        return None
    if not lines or not lines[0].strip().isdigit() or not _works_in(int(lines[0]), cluster):
        return None
    port = int(lines[3]) if len(lines) > 3 and lines[3].strip().isdigit() else 0
    return Postmaster(int(lines[0]), port, lines[7].strip() if len(lines) > 7 else "starting")


def clear_remains(cluster: Path, seconds: float = 30) -> None:
    """After the postmaster died: wait until its children ended, then remove its pid file.

    PostgreSQL would refuse to start over a pid file whose pid is a zombie or another program of the same user.
    """
    deadline = machine_monotonic() + seconds
    while children := _postgres_processes_in(cluster):
        if machine_monotonic() > deadline:
            raise EmbeddedPostgresError(
                f"Processes {', '.join(map(str, children))} of a dead PostgreSQL server still use {cluster}. "
                "End them first."
            )
        time.sleep(0.05)
    if PROC.is_dir():
        (cluster / PID_FILE).unlink(missing_ok=True)


def _works_in(pid: int, cluster: Path) -> bool:
    """A zombie has no working directory any more."""
    if PROC.is_dir():
        return _working_directory(pid) == cluster.resolve()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _working_directory(pid: int) -> Path | None:
    try:
        return Path(os.readlink(PROC / str(pid) / "cwd"))
    except OSError:
        return None


def _postgres_processes_in(cluster: Path) -> list[int]:
    if not PROC.is_dir():
        return []
    place = cluster.resolve()
    pids = (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
    return [pid for pid in pids if _working_directory(pid) == place and _command(pid) in ("postgres", "postmaster")]


def _command(pid: int) -> str:
    try:
        return (PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return ""
