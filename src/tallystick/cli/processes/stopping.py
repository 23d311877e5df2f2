"""When a process has to end: a signal, or the death of its parent. What then happens is its owner's work."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal


def end_in_order() -> None:
    """Outside the event loop SIGTERM and SIGINT end the process through its `finally` blocks."""

    def leave(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)


def stop_on_signals(stop: asyncio.Event) -> None:
    """SIGTERM and SIGINT set `stop`; a second one ends the process at once."""
    loop = asyncio.get_running_loop()

    def ask(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask, number)


def stop_with_parent(stop: asyncio.Event, lifeline: int) -> None:
    """`stop` is set when the other end of the pipe `lifeline` is closed, also by `kill -9` of the parent."""
    loop = asyncio.get_running_loop()

    def closed() -> None:
        loop.remove_reader(lifeline)
        stop.set()

    loop.add_reader(lifeline, closed)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait for `seconds`, or until `stop` is set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
