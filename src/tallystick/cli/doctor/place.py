"""Checks of the machine and of the database itself: disk, secrets, reachability, version, schema.

Not of the work in it (queues.py).
"""

from __future__ import annotations

import shutil
import stat
from typing import TYPE_CHECKING

from tallystick.cli.doctor.findings import Finding

if TYPE_CHECKING:
    from tallystick.ground.settings import Settings

SUPPORTED = range(15, 19)
LEAST_FREE_BYTES = 2 * 1024**3
SHORTEST_TOKEN = 16


def disk(settings: Settings) -> Finding:
    """Room for the database to grow."""
    place = settings.data_dir
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    message = f"{free / 1024**3:.1f} GiB free at {place}"
    return Finding("disk", message, None if free >= LEAST_FREE_BYTES else "Free some space: PostgreSQL stops without.")


def admin_token(settings: Settings) -> Finding:
    """The token of `/admin` is long, and its file is the owner's alone."""
    if settings.admin_token:
        if len(settings.admin_token) >= SHORTEST_TOKEN:
            return Finding("admin token", "from TALLYSTICK_ADMIN_TOKEN")
        short = f"TALLYSTICK_ADMIN_TOKEN has fewer than {SHORTEST_TOKEN} characters"
        return Finding("admin token", short, "Set a longer one, for example from `openssl rand -hex 24`.")
    path = settings.data_dir / "admin.token"
    if not path.exists():
        return Finding("admin token", f"will be made in {path} at the next start")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        return Finding("admin token", f"{path} is readable by others", f"Run `chmod 600 {path}`.")
    return Finding("admin token", f"in {path}")


def signing_key(settings: Settings) -> Finding:
    """The key that signs webhooks can be read; it is made when the installation has none yet."""
    from tallystick.ground.keys import load_key

    assert settings.database_url is not None
    try:
        load_key(settings.rsa_private_key, settings.database_url)
    except (ValueError, OSError) as error:
        return Finding("signing key", str(error), "Mend TALLYSTICK_RSA_PRIVATE_KEY, or unset it to use the kept key.")
    return Finding("signing key", "from TALLYSTICK_RSA_PRIVATE_KEY" if settings.rsa_private_key else "in the database")


def database(settings: Settings) -> Finding:
    """The server answers and is of a version that is tested."""
    import psycopg

    from tallystick.ground.db import plain_url

    assert settings.database_url is not None
    try:
        with psycopg.connect(plain_url(settings.database_url), connect_timeout=10) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        return Finding("database", f"cannot be reached: {reason}", "Start PostgreSQL, or mend TALLYSTICK_DATABASE_URL.")
    major = version // 10_000
    message = f"PostgreSQL {major}.{version % 10_000}"
    if major not in SUPPORTED:
        return Finding("database", message, f"Use a version from {SUPPORTED[0]} to {SUPPORTED[-1]}.")
    return Finding("database", message)


def migrations(settings: Settings) -> Finding:
    """The schema is the one of this version."""
    from tallystick.cli.database import schema

    current, needed = schema(settings)
    if current == needed:
        return Finding("migrations", f"revision {current}")
    return Finding("migrations", f"{current or 'none'}, this version needs {needed}", "Run `tallystick migrate`.")
