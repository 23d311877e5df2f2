"""Where documents are kept, as a port: bytes under keys. What they say and when they are made is decided elsewhere."""

from __future__ import annotations

from typing import Protocol


class Storage(Protocol):
    """Keeps files for ever; keys are relative paths with `/`, of letters, digits, `-`, `_` and `.`."""

    async def put(self, key: str, content: bytes) -> None:
        """Keep the file, whole or not at all; one that exists under the key is replaced."""

    async def get(self, key: str) -> bytes | None:
        """The file; None when there is none."""

    async def exists(self, key: str) -> bool:
        """Whether there is a file."""

    async def address(self, key: str) -> str | None:
        """Where everybody may fetch the file for a while without asking us; None when only we give it out."""
