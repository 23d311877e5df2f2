"""What a process remembers of the database for a few seconds, and forgets when told to. Not a place of truth."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from tallystick.ground.clock import machine_monotonic

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memory(Generic[Key, Value]):
    """Values by key, each for `seconds` at most; `most` of them, then all are dropped."""

    def __init__(self, seconds: float, most: int = 10_000) -> None:
        self.seconds = seconds
        self.most = most
        #: changes whenever everything is forgotten; a value read before that must not be kept after it
        self.generation = 0
        self._kept: dict[Key, tuple[float, Value]] = {}
        self._reading: dict[Key, asyncio.Future[Value | None]] = {}

    def get(self, key: Key) -> Value | None:
        """The value, unless it is unknown or too old."""
        found = self._kept.get(key)
        return found[1] if found is not None and found[0] > machine_monotonic() else None

    async def recall(self, key: Key, read: Callable[[], Awaitable[Value | None]]) -> Value | None:
        """The value, read when it is unknown or too old; `read` decides whether to keep it.

        Of a value that was kept before, all who miss it at once wait for one reading.
        """
        known = self.get(key)
        if known is not None:
            return known
        if key not in self._kept:
            return await read()
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = asyncio.ensure_future(read())
            reading.add_done_callback(lambda _: self._reading.pop(key, None))
        return await asyncio.shield(reading)

    def keep(self, key: Key, value: Value, generation: int) -> None:
        """Remember a value that was read when the memory was in this generation."""
        if generation != self.generation:
            return
        if len(self._kept) >= self.most:
            self._kept.clear()
        self._kept[key] = (machine_monotonic() + self.seconds, value)

    def forget(self) -> None:
        """Drop everything."""
        self.generation += 1
        self._kept.clear()
        self._reading.clear()
