"""Sends mails by SMTP. One connection for each mail: a job has few, and a server that hangs up spoils only one."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Literal

import aiosmtplib

from tallystick.rooms.mails.ports import Letter, Refused

Security = Literal["starttls", "tls", "none"]
TIMEOUT_SECONDS = 30
#: from this answer on a server says that the same mail will never be taken
PERMANENT = 500


@dataclass(frozen=True, slots=True)
class SmtpPost:
    """A mail server: `security` is how the connection is made safe, `address` whom mails come from."""

    host: str
    port: int
    security: Security
    username: str | None
    password: str | None
    address: str | None

    async def send(self, letter: Letter) -> None:
        """Hand the mail over. Raises `Refused` for what the server, or its form, will never take."""
        try:
            message = message_of(letter)
        except ValueError as error:  # an address that is none
            raise Refused(str(error)) from error
        try:
            await aiosmtplib.send(
                message,
                recipients=[*letter.to, *letter.cc, *letter.bcc],
                hostname=self.host,
                port=self.port,
                username=self.username,
                password=self.password,
                use_tls=self.security == "tls",
                start_tls=self.security == "starttls",
                timeout=TIMEOUT_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            if all(one.code >= PERMANENT for one in error.recipients):
                raise Refused("; ".join(f"{one.recipient}: {one.message}" for one in error.recipients)) from error
            raise
        except aiosmtplib.SMTPAuthenticationError:
            raise  # the installation's fault, not the mail's: it passes when the password is right
        except aiosmtplib.SMTPResponseException as error:
            if error.code >= PERMANENT:
                raise Refused(f"{error.code} {error.message}") from error
            raise


def message_of(letter: Letter) -> EmailMessage:
    """The mail as it travels; those in blind copy are not in it. Raises ValueError for an address that is none."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = letter.wording.subject
    message["From"] = _address(letter.sender_name, letter.sender_address)
    if letter.reply_to:
        message["Reply-To"] = _address(letter.sender_name, letter.reply_to.split(",")[0].strip())
    message["To"] = [_address("", one) for one in letter.to]
    if letter.cc:
        message["Cc"] = [_address("", one) for one in letter.cc]
    message["Message-ID"] = f"<{letter.id}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.wording.text)
    message.add_alternative(letter.wording.html, subtype="html")
    for name, content in letter.files.items():
        message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return message


def _address(name: str, address: str) -> Address:
    try:
        return Address(" ".join(name.split()), addr_spec=address)
    except Exception as error:  # the library raises errors of several kinds for what it cannot parse
        raise ValueError(f"no address: {address}") from error
