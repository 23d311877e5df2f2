"""The command `tallystick doctor`: runs the checks in order and shows the findings. The checks are beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from tallystick.cli.database import opened
from tallystick.cli.doctor import place
from tallystick.cli.doctor.findings import Finding
from tallystick.cli.terminal import print_json

if TYPE_CHECKING:
    from tallystick.ground.settings import Settings


def run(as_json: bool) -> None:
    """Show every finding; exit status 1 when something is wrong."""
    findings: list[Finding] = []
    for finding in _examine():
        findings.append(finding)
        if not as_json:
            _show(finding)
    wrong = sum(not finding.ok for finding in findings)
    if as_json:
        checks = [{"name": each.name, "ok": each.ok, "message": each.message, "mend": each.mend} for each in findings]
        print_json({"ok": not wrong, "checks": checks})
    elif wrong:
        typer.echo(f"\n{wrong} of {len(findings)} checks found something to mend.")
    else:
        typer.echo("\nAll is well.")
    if wrong:
        raise typer.Exit(1)


def _show(finding: Finding) -> None:
    typer.echo(f"{'✓' if finding.ok else '✗'} {finding.name:<12} {finding.message}")
    if finding.mend:
        typer.echo(f"  {'':<12} → {finding.mend}")


def _examine() -> Iterator[Finding]:
    """Each check as soon as it is done; those that need what is missing are left out."""
    from tallystick.ground.postgres import EmbeddedPostgresError
    from tallystick.ground.settings import SettingsError, load

    try:
        settings = load()
    except SettingsError as error:
        yield Finding("settings", str(error), "Mend these environment variables; see docs/user/configuration.md.")
        return
    yield Finding("settings", f"data directory {settings.data_dir}")
    yield place.disk(settings)
    yield place.admin_token(settings)
    if settings.database_url is None and not (settings.data_dir / "postgres").exists():
        yield Finding("database", f"there is none in {settings.data_dir} yet", "Run `tallystick serve`.")
        return
    try:
        with opened(settings) as (ready, _):
            yield from _examine_database(ready)
    except EmbeddedPostgresError as error:
        yield Finding("database", str(error), f"Read {settings.data_dir}/postgres/server.log.")


def _examine_database(settings: Settings) -> Iterator[Finding]:
    for check in (place.database, place.migrations, place.signing_key):
        finding = check(settings)
        yield finding
        if not finding.ok and check is not place.signing_key:
            return
    yield from asyncio.run(_examine_queues(settings))


async def _examine_queues(settings: Settings) -> list[Finding]:
    from tallystick.cli.doctor import queues
    from tallystick.ground.db import Database

    assert settings.database_url is not None
    database = Database(settings.database_url, pool_size=1)
    try:
        async with database.begin() as tx:
            return [finding for check in queues.ALL for finding in await check(tx)]
    finally:
        await database.close()
