"""`tallystick key`: API keys of an organization. Values are shown once; only their hashes are stored."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli.database import transact
from tallystick.cli.organizations import find_organization
from tallystick.cli.terminal import fail, print_json

if TYPE_CHECKING:
    from tallystick.ground.db import Tx
    from tallystick.ground.tables import ApiKey

app = typer.Typer(help="Make, rotate and revoke API keys.", no_args_is_help=True, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Organization = Annotated[str, typer.Argument(metavar="ORGANIZATION", help="Id or slug.")]
KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="Id of the key, see `tallystick key list`.")]


@app.command("list")
def list_keys(organization: Organization, as_json: AsJson = False) -> None:
    """List the valid keys of an organization."""

    async def work(tx: Tx) -> list[dict[str, Any]]:
        from tallystick.ground.clock import machine_now
        from tallystick.rooms.organizations import keys, views

        found = await find_organization(tx, organization)
        return views.api_keys(await keys.list_keys(tx, found.id, machine_now()))

    rows = transact(work)
    if as_json:
        print_json({"api_keys": rows})
        return
    for row in rows:
        typer.echo(f"{row['lago_id']}  …{row['last_characters']}  {row['name'] or ''}")


@app.command()
def create(
    organization: Organization,
    name: Annotated[str | None, typer.Option(help="What the key is for.")] = None,
    expires_at: Annotated[str | None, typer.Option(metavar="INSTANT", help="When it ends, ISO 8601.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make another key, which may do everything."""
    ends_at = _instant(expires_at)

    async def work(tx: Tx) -> tuple[dict[str, Any], str]:
        from tallystick.ground.clock import machine_now
        from tallystick.rooms.organizations import keys, views

        found = await find_organization(tx, organization)
        key, value = await keys.create_key(tx, found.id, machine_now(), name=name, expires_at=ends_at)
        return views.api_keys([key])[0], value

    _show(*transact(work), as_json)


@app.command()
def rotate(
    key_id: KeyId,
    expires_at: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="When the old key ends, ISO 8601; now if absent.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replace a key by a new one."""
    ends_at = _instant(expires_at)

    async def work(tx: Tx) -> tuple[dict[str, Any], str]:
        from tallystick.ground.clock import machine_now
        from tallystick.rooms.organizations import keys, views

        old = await _find_key(tx, key_id)
        key, value = await keys.rotate_key(tx, old.organization_id, old.id, machine_now(), ends_at)
        return views.api_keys([key])[0], value

    _show(*transact(work), as_json)


@app.command()
def revoke(key_id: KeyId, as_json: AsJson = False) -> None:
    """End a key now; the last one without an end stays."""

    async def work(tx: Tx) -> dict[str, Any]:
        from tallystick.ground.clock import machine_now
        from tallystick.rooms.organizations import keys, views

        key = await _find_key(tx, key_id)
        return views.api_keys([await keys.revoke_key(tx, key.organization_id, key.id, machine_now())])[0]

    row = transact(work)
    if as_json:
        print_json({"api_key": row})
    else:
        typer.echo(f"Revoked the key {row['lago_id']}.")


def _instant(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    from tallystick.api.inputs import instant_or_none

    moment = instant_or_none(text)
    if moment is None:
        fail(f"{text} is no ISO 8601 instant, such as 2026-01-31T12:00:00Z.")
    return moment


async def _find_key(tx: Tx, word: str) -> ApiKey:
    from tallystick.ground.ids import parse_id
    from tallystick.ground.tables import ApiKey

    wanted = parse_id(word)
    key = await tx.get(ApiKey, wanted) if wanted else None
    if key is None:
        fail(f"No API key has the id {word}: see `tallystick key list`.")
    return key


def _show(row: dict[str, Any], value: str, as_json: bool) -> None:
    if as_json:
        print_json({"api_key": {**row, "value": value}})
        return
    typer.echo(f"Made the key {row['lago_id']}.")
    typer.echo(f"API key, shown only now: {value}")
