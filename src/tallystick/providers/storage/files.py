"""Documents as files of a directory: written beside their place and moved there, so that none is ever half there.

Machines that share the work share the directory.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import tempfile
from pathlib import Path

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


class Files:
    """Files below `directory`, which is made when it is missing; only its owner reads them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    async def put(self, key: str, content: bytes) -> None:
        """Keep the file; it is on the disk when this returns."""
        await asyncio.to_thread(_write, self._path(key), content)

    async def get(self, key: str) -> bytes | None:
        """The file; None when there is none."""
        return await asyncio.to_thread(_read, self._path(key))

    async def exists(self, key: str) -> bool:
        """Whether there is a file."""
        return await asyncio.to_thread(self._path(key).is_file)

    async def address(self, key: str) -> str | None:
        """Files of a directory are given out by the installation alone."""
        return None

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"no key of a file: {key!r}")
        return self.directory / key


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
