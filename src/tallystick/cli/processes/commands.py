"""`tallystick serve`, `api` and `worker`: which of the parts run in which process, and what is said at the start."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

import typer
import uvloop

from tallystick import __version__
from tallystick.cli.database import opened, require_migrated
from tallystick.cli.processes.http import listen, run_http
from tallystick.cli.processes.stopping import end_in_order, stop_on_signals, stop_with_parent
from tallystick.cli.terminal import sentences
from tallystick.ground.logging import configure_logging
from tallystick.ground.settings import Settings, load

if TYPE_CHECKING:
    from tallystick.ground.postgres import Server

Part = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


def serve(host: str | None, port: int | None, lifeline: int | None) -> None:
    """All parts: the API here, the worker as a child, PostgreSQL under both."""
    from tallystick.cli.processes.child import keep_worker
    from tallystick.ground.migrations import migrate

    end_in_order()
    with sentences():
        settings, listening = _listen(host, port)
        with listening, opened(settings) as (ready, server):
            assert ready.database_url is not None
            migrate(ready.database_url)
            _announce(ready, server)
            uvloop.run(_run_api(ready, server, listening, keep_worker, lifeline))


def api(host: str | None, port: int | None) -> None:
    """The API alone."""
    end_in_order()
    with sentences():
        settings, listening = _listen(host, port)
        with listening, opened(settings) as (ready, server):
            require_migrated(ready)
            _announce(ready, server)
            uvloop.run(_run_api(ready, server, listening))


def worker(lifeline: int | None) -> None:
    """The worker alone, or as a child of `serve`, whose end is the end of `lifeline`."""
    end_in_order()
    with sentences():
        settings = load()
        configure_logging(settings.log_level, settings.log_format)
        with opened(settings) as (ready, server):
            require_migrated(ready)
            uvloop.run(_run_worker(ready, server, lifeline))


def _listen(host: str | None, port: int | None) -> tuple[Settings, socket.socket]:
    """The settings, with the address that is listened on. They go into the environment: the worker reads them too."""
    settings = load()
    listening = listen(host if host is not None else settings.host, port if port is not None else settings.port)
    os.environ["TALLYSTICK_HOST"] = host or settings.host
    os.environ["TALLYSTICK_PORT"] = str(listening.getsockname()[1])
    settings = load()
    configure_logging(settings.log_level, settings.log_format)
    return settings, listening


def _announce(settings: Settings, server: Server | None) -> None:
    database = f"embedded PostgreSQL on port {server.port}" if server else "TALLYSTICK_DATABASE_URL"
    token = "TALLYSTICK_ADMIN_TOKEN" if settings.admin_token else settings.data_dir / "admin.token"
    typer.echo(f"Tallystick {__version__} (process {os.getpid()})")
    typer.echo(f"  URL          {settings.public_api_url}   (interactive documentation: /docs)")
    typer.echo(f"  admin token  {token}")
    typer.echo(f"  data         {settings.data_dir}")
    typer.echo(f"  database     {database}")
    typer.echo("Ctrl-C stops it.")


async def _run_api(
    settings: Settings,
    server: Server | None,
    listening: socket.socket,
    with_worker: Part | None = None,
    lifeline: int | None = None,
) -> None:
    from tallystick.app import create_app

    stop = _stop_event(lifeline)
    parts = [run_http(partial(create_app, settings), listening, stop)]
    if with_worker is not None:
        parts.append(with_worker(stop))
    await _together(parts, server, stop)


async def _run_worker(settings: Settings, server: Server | None, lifeline: int | None) -> None:
    from tallystick.app import run_worker

    stop = _stop_event(lifeline)
    await _together([run_worker(settings, stop)], server, stop)


def _stop_event(lifeline: int | None) -> asyncio.Event:
    stop = asyncio.Event()
    stop_on_signals(stop)
    if lifeline is not None:
        stop_with_parent(stop, lifeline)
    return stop


async def _together(parts: list[Coroutine[Any, Any, None]], server: Server | None, stop: asyncio.Event) -> None:
    """All parts side by side until each has ended; when one fails, the others are asked to end."""
    from tallystick.cli.processes.postgres import keep_postgres

    if server is not None:
        parts.append(keep_postgres(server, stop))

    async def run(part: Coroutine[Any, Any, None]) -> None:
        try:
            await part
        finally:
            stop.set()

    outcomes = await asyncio.gather(*(run(part) for part in parts), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
