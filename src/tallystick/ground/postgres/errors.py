"""Why the embedded PostgreSQL cannot run: sentences for the person at the terminal.

They are not answers of the API, hence not part of the tree in ground/errors.py.
"""

from __future__ import annotations


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be used; the message says what is wrong and what to do."""


class PortTaken(EmbeddedPostgresError):
    """Another program listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Port {port} on 127.0.0.1 is used by another program. Free it, or set TALLYSTICK_POSTGRES_PORT to another."
        )
