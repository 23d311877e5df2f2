"""Two file locks that order what several processes do with one embedded server.

They are not for work inside the database. The system releases them when a process dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.ground.clock import machine_monotonic
from tallystick.ground.postgres.errors import EmbeddedPostgresError


@contextmanager
def turn(data_dir: Path, seconds: float = 120) -> Iterator[None]:
    """Only one process at a time looks at, starts or stops the server of `data_dir`."""
    descriptor = _open(data_dir / "postgres.lock")
    try:
        deadline = machine_monotonic() + seconds
        while not _locked(descriptor, fcntl.LOCK_EX):
            if machine_monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"Another process has been starting or stopping {data_dir} for {seconds} s."
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


class Use:
    """The mark that this process uses the server; the last one to let go stops it. Change it inside a `turn` only."""

    __slots__ = ("_descriptor", "_path")

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "postgres.users.lock"
        self._descriptor: int | None = None

    def take(self) -> None:
        """Share the mark; taking it twice is taking it once."""
        if self._descriptor is None:
            self._descriptor = _open(self._path)
            _locked(self._descriptor, fcntl.LOCK_SH)

    def let_go(self) -> bool:
        """Give the mark back; true when nobody else has it. False when we did not have it."""
        if self._descriptor is None:
            return False
        alone = _locked(self._descriptor, fcntl.LOCK_EX)
        os.close(self._descriptor)
        self._descriptor = None
        return alone


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EmbeddedPostgresError(f"Cannot open {path}: {error.strerror}") from error


def _locked(descriptor: int, mode: int) -> bool:
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
