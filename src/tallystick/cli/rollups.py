"""`tallystick rollups`: usage that is added up beforehand. It is a cache: dropping it changes no answer."""

from __future__ import annotations

from typing import Annotated

import typer

from tallystick.cli.database import transact
from tallystick.cli.terminal import print_json

app = typer.Typer(help="Usage that is added up beforehand.", no_args_is_help=True, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@app.command()
def drop(as_json: AsJson = False) -> None:
    """Forget it; the worker builds anew what is asked for."""
    from tallystick.rooms.metering import upkeep

    dropped = transact(upkeep.drop)
    if as_json:
        print_json({"rollups": {"dropped": dropped}})
    else:
        typer.echo(f"Dropped {dropped} rollups.")
