"""Which TCP port on 127.0.0.1 the server listens on: the configured one, the remembered one, or a free one.

A port that was free a moment ago may be taken at the start; the server's refusal decides (server.py).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

from tallystick.ground.postgres.errors import EmbeddedPostgresError, PortTaken

LOOPBACK = "127.0.0.1"
# Below the range from which systems draw the ports of outgoing connections.
CHOICE = range(15432, 16432)


def candidates(configured: int | None, port_file: Path) -> Iterator[int]:
    """The ports to try, best first: a configured one alone, else the remembered one, then free ones."""
    if configured is not None:
        if not is_free(configured):
            raise PortTaken(configured)
        yield configured
        return
    text = port_file.read_text().strip() if port_file.is_file() else ""
    if text.isdigit() and is_free(int(text)):
        yield int(text)
    yield from filter(is_free, CHOICE)
    raise EmbeddedPostgresError(
        f"No port from {CHOICE.start} to {CHOICE.stop - 1} is free. Set TALLYSTICK_POSTGRES_PORT."
    )


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now; connections that are closing do not count."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True
