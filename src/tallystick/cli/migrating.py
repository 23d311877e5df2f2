"""`tallystick migrate`: bring the database to the schema of this version. What the migrations do is in ground/."""

from __future__ import annotations

import typer

from tallystick.cli.database import opened, schema
from tallystick.cli.terminal import print_json, sentences


def run(as_json: bool) -> None:
    """Run what is missing; several processes may do so at once."""
    from tallystick.ground.migrations import migrate
    from tallystick.ground.settings import load

    with sentences(), opened(load()) as (settings, _):
        before, needed = schema(settings)
        if before != needed:
            assert settings.database_url is not None
            migrate(settings.database_url)
    if as_json:
        print_json({"before": before, "after": needed, "changed": before != needed})
    elif before == needed:
        typer.echo(f"Nothing to do: the database has revision {needed}.")
    else:
        typer.echo(f"Migrated from {before or 'an empty database'} to revision {needed}.")
