"""`tallystick clock`: the time of a sandbox organization. Moving it does all work that falls due on the way."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli.database import migrated, transact
from tallystick.cli.organizations import find_organization
from tallystick.cli.terminal import fail, print_json

if TYPE_CHECKING:
    import uuid

    from tallystick.ground.db import Database, Tx
    from tallystick.ground.settings import Settings

app = typer.Typer(help="Show and move a sandbox organization's clock.", no_args_is_help=True, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Organization = Annotated[str, typer.Argument(metavar="ORGANIZATION", help="Id or slug.")]

STEP = re.compile(r"\+(\d{1,5})([hd])")
UNITS = {"h": dt.timedelta(hours=1), "d": dt.timedelta(days=1)}
#: how often the progress bar looks where the clock is
LOOK_SECONDS = 0.3


@app.command()
def show(organization: Organization, as_json: AsJson = False) -> None:
    """Show what time it is for the organization."""
    _, now = transact(lambda tx: _read_clock(tx, organization))
    _print(now, as_json)


@app.command()
def advance(
    organization: Organization,
    to: Annotated[str, typer.Argument(metavar="TO", help="ISO 8601 instant, or +12h, +30d from its now.")],
    as_json: AsJson = False,
) -> None:
    """Move the clock forward, doing all work that falls due on the way."""
    with migrated() as settings:
        reached = asyncio.run(_advance(settings, organization, to))
    _print(reached, as_json)


async def _advance(settings: Settings, word: str, to: str) -> dt.datetime:
    from tallystick.app import assemble
    from tallystick.flows.clockwork.sandbox import advance as advance_clock

    installation = assemble(settings)
    try:
        async with installation.database.begin() as tx:
            organization_id, now = await _read_clock(tx, word)
        goal = _goal(now, to)
        watching = asyncio.create_task(_show_progress(installation.database, organization_id, now, goal))
        try:
            return await advance_clock(installation.database, installation.outlets, organization_id, goal)
        finally:
            watching.cancel()
            await asyncio.wait([watching])
    finally:
        await installation.close()


async def _read_clock(tx: Tx, word: str) -> tuple[uuid.UUID, dt.datetime]:
    from tallystick.flows.clockwork.sandbox import now_of

    found = await find_organization(tx, word)
    if not found.sandbox:
        fail(f"{found.name} is a live organization: its clock is the real one.")
    return found.id, await now_of(tx, found.id)


def _goal(now: dt.datetime, to: str) -> dt.datetime:
    from tallystick.api.inputs import instant_or_none

    step = STEP.fullmatch(to)
    goal = now + int(step[1]) * UNITS[step[2]] if step else instant_or_none(to)
    if goal is None:
        fail(f"{to} is neither an ISO 8601 instant, such as 2026-01-31T12:00:00Z, nor a step, such as +30d.")
    return goal


async def _show_progress(database: Database, organization_id: uuid.UUID, start: dt.datetime, goal: dt.datetime) -> None:
    """A bar on stderr that follows the stored clock; nothing where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from tallystick.flows.clockwork.sandbox import now_of

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"{start:%Y-%m-%d}", total=(goal - start).total_seconds())
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            async with database.begin() as tx:
                now = await now_of(tx, organization_id)
            progress.update(task, completed=(now - start).total_seconds(), description=f"{now:%Y-%m-%d}")


def _print(now: dt.datetime, as_json: bool) -> None:
    from tallystick.ground.wire import dt3

    if as_json:
        print_json({"test_clock": {"now": dt3(now)}})
    else:
        typer.echo(dt3(now))
