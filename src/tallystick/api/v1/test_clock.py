"""`/api/v1/test_clock`: the time of a sandbox organization, read and moved forward."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.inputs import Input, Moment
from tallystick.api.routes import Routes
from tallystick.flows.clockwork.sandbox import advance, now_of
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid
from tallystick.ground.wire import dt3

routes = Routes("organization")


class TestClockInput(Input):
    """Body of a move: `now` is ISO 8601."""

    now: Moment = None


@routes.get("/test_clock")
async def show(call: Call, tx: Tx) -> Any:
    """The organization's now; 403 for a live organization."""
    return _clock(dt3(await now_of(tx, call.organization_id)))


@routes.detached("PUT", "/test_clock", root="test_clock", model=TestClockInput)
async def update(call: Call) -> Any:
    """Move the clock forward, doing on the way all work that falls due, each piece at its own time; then settle."""
    to = call.read("test_clock", TestClockInput).now
    if to is None:
        raise Invalid.field("now", "invalid_date")
    installation = call.installation
    return _clock(dt3(await advance(installation.database, installation.outlets, call.organization_id, to)))


def _clock(now: str) -> dict[str, Any]:
    return {"test_clock": {"now": now}}
