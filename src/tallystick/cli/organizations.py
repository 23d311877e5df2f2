"""`tallystick org`: make and list organizations. Settings of an existing one are changed through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli.database import transact
from tallystick.cli.terminal import fail, print_json

if TYPE_CHECKING:
    from tallystick.ground.db import Tx
    from tallystick.ground.tables import Organization

app = typer.Typer(help="Make and list organizations.", no_args_is_help=True, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@app.command()
def create(
    name: str,
    sandbox: Annotated[bool, typer.Option(help="Give it a clock of its own, to try things out.")] = False,
    country: Annotated[str | None, typer.Option(help="ISO 3166 code, such as US.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217 code of its default currency, such as USD.")] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA name, such as Europe/Paris.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an organization with an API key, which is shown only now."""
    given = {"name": name, "country": country, "default_currency": currency, "timezone": timezone}

    async def work(tx: Tx) -> tuple[dict[str, Any], str]:
        from tallystick.api.admin import NewOrganization
        from tallystick.api.inputs import read
        from tallystick.flows.lifecycle import organizations as lifecycle
        from tallystick.ground.clock import machine_now
        from tallystick.rooms.organizations import views

        body = read(NewOrganization, given, drop_nulls=True)
        made, key = await lifecycle.create(tx, machine_now(), body.name, sandbox, body.settings())
        return {**(await views.organizations(tx, [made]))[0], "hmac_key": made.hmac_key, "sandbox": sandbox}, key

    organization, key = transact(work)
    if as_json:
        print_json({"organization": organization, "api_key": key})
        return
    kind = "sandbox organization" if sandbox else "organization"
    typer.echo(f"Made the {kind} {organization['name']} ({organization['lago_id']}).")
    typer.echo(f"API key, shown only now: {key}")


@app.command("list")
def list_organizations(as_json: AsJson = False) -> None:
    """List all organizations, oldest first."""

    async def work(tx: Tx) -> list[dict[str, Any]]:
        from tallystick.rooms.organizations import store

        found = await tx.scalars(store.organizations())
        return [
            {"id": str(row.id), "slug": row.slug, "name": row.name, "sandbox": row.sandbox, "clock_at": row.clock_at}
            for row in reversed(list(found))
        ]

    rows = transact(work)
    if as_json:
        print_json({"organizations": rows})
        return
    for row in rows:
        kind = f"sandbox, at {row['clock_at'] or 'real time'}" if row["sandbox"] else "live"
        typer.echo(f"{row['id']}  {row['slug']:<24} {row['name']}  ({kind})")
    if not rows:
        typer.echo("No organization yet: make one with `tallystick org create NAME`.")


async def find_organization(tx: Tx, word: str) -> Organization:
    """The organization with this id, or the only one with this slug; otherwise a sentence."""
    from sqlalchemy import select

    from tallystick.ground.ids import parse_id
    from tallystick.ground.tables import Organization

    wanted = parse_id(word)
    matches = Organization.id == wanted if wanted else Organization.slug == word
    found = list(await tx.scalars(select(Organization).where(matches).limit(2)))
    if not found:
        fail(f"No organization has the id or slug {word}: see `tallystick org list`.")
    if len(found) > 1:
        fail(f"Several organizations have the slug {word}: give the id, see `tallystick org list`.")
    return found[0]
