"""`tallystick retry`: what was set aside after an error is due again; `doctor` tells the cause, to be mended first."""

from __future__ import annotations

import typer

from tallystick.cli.database import transact
from tallystick.cli.terminal import print_json


def run(as_json: bool) -> None:
    """Agenda entries and outbox messages that failed are tried again by the running worker."""
    from tallystick.ground import agenda, outbox
    from tallystick.ground.db import Tx

    async def again(tx: Tx) -> tuple[int, int]:
        return await agenda.retry_failed(tx), await outbox.retry_failed(tx)

    entries, messages = transact(again)
    if as_json:
        print_json({"agenda": entries, "outbox": messages})
    else:
        typer.echo(f"Tried again: {entries} agenda entries, {messages} messages.")
