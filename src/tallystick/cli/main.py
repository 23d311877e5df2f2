"""The command `tallystick`: its groups and the commands without a group. What they do is in the modules beside.

Only typer is imported here; every command imports what it needs when it runs.
"""

from __future__ import annotations

from typing import Annotated

import typer

from tallystick.cli import clock, keys, organizations, rollups

app = typer.Typer(
    name="tallystick",
    help="Usage-based billing: meter events, rate them against plans, issue invoices.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(organizations.app, name="org")
app.add_typer(keys.app, name="key")
app.add_typer(clock.app, name="clock")
app.add_typer(rollups.app, name="rollups")

Lifeline = Annotated[int | None, typer.Option(hidden=True, help="Pipe whose end is the end of the parent.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on; without it TALLYSTICK_HOST or 127.0.0.1.")]
Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="Port to listen on; without it TALLYSTICK_PORT or 8000; 0 takes a free one."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        from tallystick import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of the command itself."""


@app.command()
def serve(host: Host = None, port: Port = None, lifeline: Lifeline = None) -> None:
    """Run everything: API, worker and a PostgreSQL.

    Without TALLYSTICK_DATABASE_URL the PostgreSQL is an own one in the data directory.
    """
    from tallystick.cli.processes.commands import serve as run

    run(host, port, lifeline)


@app.command()
def api(host: Host = None, port: Port = None) -> None:
    """Run the API alone, on a database that is migrated already."""
    from tallystick.cli.processes.commands import api as run

    run(host, port)


@app.command()
def worker(lifeline: Lifeline = None) -> None:
    """Run the worker alone: what falls due, webhooks, jobs, rollups."""
    from tallystick.cli.processes.commands import worker as run

    run(lifeline)


@app.command()
def migrate(as_json: AsJson = False) -> None:
    """Bring the database to the schema of this version."""
    from tallystick.cli.migrating import run

    run(as_json)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check the installation; say what is wrong and how to mend it.

    The exit status is 1 when something is wrong.
    """
    from tallystick.cli.doctor.command import run

    run(as_json)


@app.command()
def retry(as_json: AsJson = False) -> None:
    """Try again what was set aside after an error: agenda entries and messages."""
    from tallystick.cli.retrying import run

    run(as_json)


@app.command()
def demo(
    leave: Annotated[
        bool, typer.Option("--exit", help="Stop everything at the end; status 1 if something failed.")
    ] = False,
    events: Annotated[int, typer.Option(min=200, help="How many events to send, about.")] = 20_000,
) -> None:
    """Bill a month of a made-up company and show what happened.

    Everything goes through the HTTP API. The server keeps running afterwards, unless --exit is given.
    """
    from tallystick.cli.demo.command import run

    run(leave, events)
