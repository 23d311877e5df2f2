"""The HTTP server process: a listening socket with a clear error, and uvicorn on it. Knows no route."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from tallystick.cli.terminal import fail
from tallystick.ground import garbage

if TYPE_CHECKING:
    from starlette.types import ASGIApp

BACKLOG = 2048
#: how long running requests may take to finish after the signal
GRACE_SECONDS = 30


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on the address; `port` 0 takes a free one. Ends with a sentence when it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except socket.gaierror:
        fail(f"{host} is no address of this machine: give another with --host.")
    except PermissionError:
        fail(f"Port {port} needs more rights: give another with --port.")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            fail(f"Port {port} on {host} is used by another program. Give another with --port; 0 takes a free one.")
        fail(f"Cannot listen on {host} port {port}: {error.strerror}.")


class _Http(uvicorn.Server):
    """uvicorn without its own signals: the process has one place that hears them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run_http(make: Callable[[], ASGIApp], listening: socket.socket, stop: asyncio.Event) -> None:
    """Serve until `stop`, then let running requests finish. Sets `stop` itself when the start fails."""
    config = uvicorn.Config(
        make,
        factory=True,
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    config.load()
    garbage.calm()
    server = _Http(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]), name="http")
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stop.set()
    await serving
    await stopping
    if not server.started:
        raise RuntimeError("the HTTP application does not start")
