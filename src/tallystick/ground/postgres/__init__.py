"""The embedded PostgreSQL: server binaries out of a wheel, run by our own supervisor on 127.0.0.1.

It is not for connections and sessions (ground/db.py), and not needed when `TALLYSTICK_DATABASE_URL` is set.
"""

from tallystick.ground.postgres.errors import EmbeddedPostgresError
from tallystick.ground.postgres.server import Server, open_server, start_temporary

__all__ = ["EmbeddedPostgresError", "Server", "open_server", "start_temporary"]
