"""What the mails room needs from outside: somebody who words mails, and somebody who sends them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Wire = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wording:
    """What a mail says, in plain text and as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail ready to be sent. `id` names it for ever: sent twice, it can be recognized as the same."""

    id: str
    sender_name: str
    sender_address: str
    reply_to: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    wording: Wording
    #: names of attached PDF files with their contents
    files: Mapping[str, bytes] = field(default_factory=dict)


class Refused(Exception):
    """The mail will never be taken as it is, such as for an address that does not exist; trying again is no use."""


class Post(Protocol):
    """Sends mails."""

    @property
    def address(self) -> str | None:
        """The installation's own address, which mails come from; None when it has none."""

    async def send(self, letter: Letter) -> None:
        """Hand the mail over. Raises `Refused`; any other error may pass."""


class Letters(Protocol):
    """Words mails in the locales of documents."""

    def invoice(self, invoice: Wire, billing_entity: Wire, locale: str, *, marked: bool) -> Wording:
        """The mail of an issued invoice: its REST object, its issuer's; `marked` keeps the product's name in it."""

    def credit_note(self, note: Wire, billing_entity: Wire, locale: str, *, marked: bool) -> Wording:
        """The mail of an issued credit note."""
