"""How many requests a second an organization may send, by category; off unless the operator sets a limit (api.md §14).

Counted in each process: with several API processes each of them grants the limit.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from dataclasses import dataclass

from starlette.types import Scope

from tallystick.ground.clock import machine_monotonic
from tallystick.ground.errors import TooManyRequests
from tallystick.ground.settings import Settings

#: how many organizations are remembered; the ones that called longest ago are forgotten first
MOST = 50_000
EVENTS_PREFIX = "/api/v1/events"


@dataclass(slots=True)
class _Window:
    """The running second of one organization and category."""

    second: int
    used: int


class RateLimits:
    """Windows of one second, shared by all keys of an organization."""

    def __init__(self, settings: Settings) -> None:
        self._limits = {
            "events": settings.rate_limit_events,
            "usage": settings.rate_limit_usage,
            "other": settings.rate_limit_other,
        }
        self._windows: OrderedDict[tuple[uuid.UUID, str], _Window] = OrderedDict()

    def count(self, scope: Scope, organization_id: uuid.UUID) -> None:
        """Count a request and note the headers of its answer; raises `TooManyRequests` above the limit."""
        category = _category(scope["method"], scope["path"])
        limit = self._limits[category]
        if limit == 0:
            return
        second = int(machine_monotonic())
        window = self._windows.setdefault((organization_id, category), _Window(second, 0))
        if window.second != second:
            window.second, window.used = second, 0
        window.used += 1
        self._windows.move_to_end((organization_id, category))
        if len(self._windows) > MOST:
            self._windows.popitem(last=False)
        scope.setdefault("state", {})["rate_headers"] = [
            (b"x-ratelimit-limit", b"%d" % limit),
            (b"x-ratelimit-remaining", b"%d" % max(limit - window.used, 0)),
            (b"x-ratelimit-reset", b"1"),
        ]
        if window.used > limit:
            raise TooManyRequests


def _category(method: str, path: str) -> str:
    if method == "POST" and path.startswith(EVENTS_PREFIX):
        return "events"
    return "usage" if path.endswith("/current_usage") else "other"
