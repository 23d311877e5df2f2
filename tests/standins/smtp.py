"""A mail server that keeps what it takes, and refuses what it is told to."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail with the addresses that it was for, blind copies too."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage


@dataclass
class MailServer:
    """`answers` are given to the next mails, one each, instead of taking them."""

    taken: list[Taken] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    tried: int = 0
    port: int = 0

    def start(self) -> MailServer:
        """Listen on a free port of 127.0.0.1."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]  # the library wants to be told its port
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        return self

    def stop(self) -> None:
        """End."""
        self._controller.stop()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """A mail arrives."""
        self.tried += 1
        if self.answers:
            return self.answers.pop(0)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(Taken(envelope.mail_from, tuple(envelope.rcpt_tos), message))
        return "250 OK"
