"""What the taxes room needs from outside: a registry that knows which VAT numbers exist. Not an implementation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tallystick.core.vat_numbers import VatNumber


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The number exists. `details`: country_code, vat_number, request_date, name, address (webhooks.md §3.17)."""

    country: str
    details: Mapping[str, Any]
    #: proof that the question was asked, empty when nobody was named as asking
    request_identifier: str = ""


@dataclass(frozen=True, slots=True)
class Denied:
    """The number does not exist."""


@dataclass(frozen=True, slots=True)
class Silent:
    """No answer; `kind` is one of the error types of integrations.md §7."""

    kind: str
    message: str


Answer = Confirmed | Denied | Silent


class Registry(Protocol):
    """Answers one question at a time; what goes wrong is an answer too, nothing is raised."""

    async def check(self, number: VatNumber, requester: VatNumber | None) -> Answer: ...
