"""One authorized request as the handlers see it: who calls, at what time, with which parameters."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request

from tallystick.api.inputs import _FALSE, Model, instant_or_none, read
from tallystick.api.paging import Page
from tallystick.ground.errors import Invalid, MissingRoot
from tallystick.ground.installation import Installation

#: stands for an escaped slash inside a path segment while the router matches (api.md §1.1)
SLASH = "\ue000"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom an API key speaks for."""

    key_id: uuid.UUID
    organization_id: uuid.UUID
    sandbox: bool
    permissions: Mapping[str, list[str]] | None


@dataclass(frozen=True, slots=True)
class Call:
    """A request after the key and permission checks. `at` is the organization's now; `params` is query and body."""

    request: Request
    installation: Installation
    identity: Identity
    at: dt.datetime
    params: Mapping[str, Any]

    @property
    def organization_id(self) -> uuid.UUID:
        """The tenant; everything the request sees is scoped to it."""
        return self.identity.organization_id

    def path(self, name: str) -> str:
        """A decoded segment of the path."""
        return str(self.request.path_params[name]).replace(SLASH, "/")

    def root(self, name: str) -> dict[str, Any]:
        """The object under the root key; 400 when absent, empty or no object."""
        value = self.params.get(name)
        if not isinstance(value, dict) or not value:
            raise MissingRoot(name)
        return value

    def read(self, root: str, model: type[Model], *, drop_nulls: bool = False) -> Model:
        """The validated input under the root key."""
        return read(model, self.root(root), drop_nulls=drop_nulls)

    # -- filters of lists: a blank value is no filter (api.md §6) --------------------------------
    def text(self, name: str) -> str | None:
        """A scalar parameter, None when absent, blank or no scalar."""
        value = self.params.get(name)
        if isinstance(value, list):
            value = value[-1] if value else None
        if value is None or isinstance(value, dict):
            return None
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if str(value).strip() else None

    def texts(self, name: str) -> list[str]:
        """An array parameter: `name[]=a`, `name=a`, repeated, or an array in the body; blanks dropped."""
        value = self.params.get(name)
        values = value if isinstance(value, list) else [value]
        return [str(item) for item in values if item is not None and not isinstance(item, dict | list) and str(item)]

    def flag(self, name: str) -> bool | None:
        """A boolean parameter: `False`, `f`, `0`, `off`, `no` are false, other words true."""
        text = self.text(name)
        return None if text is None else text.strip().lower() not in _FALSE

    def flag_of(self, root: str, name: str) -> bool | None:
        """A boolean parameter that stands beside the root key or under it."""
        return self.flag(name) if name in self.params else replace(self, params=self.mapping(root)).flag(name)

    def whole(self, name: str) -> int | None:
        """An integer parameter; None when it is not one."""
        text = self.text(name)
        return int(text) if text is not None and re.fullmatch(r"-?\d{1,18}", text) else None

    def mapping(self, name: str) -> dict[str, Any]:
        """A map parameter: `metadata[key]=value`."""
        value = self.params.get(name)
        return value if isinstance(value, dict) else {}

    def instant(self, name: str) -> dt.datetime | None:
        """An ISO 8601 parameter; 422 `invalid_date` when unreadable."""
        text = self.text(name)
        if text is None:
            return None
        moment = instant_or_none(text)
        if moment is None:
            raise Invalid.field(name, "invalid_date")
        return moment

    def date(self, name: str) -> dt.date | None:
        """A date parameter; an unreadable one is ignored."""
        text = self.text(name)
        moment = instant_or_none(text) if text is not None else None
        return moment.date() if moment else None

    @property
    def page(self) -> Page:
        """Which page of a list is asked for."""
        return Page.asked(self.params.get("page"), self.params.get("per_page"))
