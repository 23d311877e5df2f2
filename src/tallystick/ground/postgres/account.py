"""The operating system's user that runs the server: ourselves, or an unprivileged one when we are root.

It is not for the database's own roles. Nothing here creates users or changes permissions of existing directories.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tallystick.ground.postgres.errors import EmbeddedPostgresError

PREFERRED_USERS = ("tallystick", "nobody")

Completed = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Account:
    """A user and how to run commands as that user. `switches` is true when we are root and must drop to it."""

    uid: int
    gid: int
    name: str
    switches: bool

    def run(self, command: Sequence[str | Path], *, given: str = "", timeout: float = 120) -> Completed:
        """Run to the end in `/`, in English, without our PG* variables; `given` is the standard input."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        environment["LC_ALL"] = "C"
        try:
            return subprocess.run(
                [str(word) for word in command],
                input=given,
                timeout=timeout,
                cwd="/",
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                user=self.uid if self.switches else None,
                group=self.gid if self.switches else None,
                extra_groups=[] if self.switches else None,
            )
        except subprocess.TimeoutExpired as error:
            raise EmbeddedPostgresError(f"{command[0]} took more than {timeout:.0f} s.") from error

    def can_enter(self, directory: Path) -> bool:
        """Whether the user can reach and read `directory`, access lists included."""
        return self.run(["sh", "-c", 'test -x "$1" && test -r "$1/."', "sh", directory]).returncode == 0

    def write(self, path: Path, text: str) -> None:
        """Replace `path`, mode 0600, as this user: root never writes into a directory that another user owns."""
        script = 'umask 077; cat > "$1.new" && mv "$1.new" "$1"'
        done = self.run(["sh", "-c", script, "sh", path], given=text)
        if done.returncode:
            raise EmbeddedPostgresError(f"Cannot write {path}: {done.stderr.strip()}")


def server_account(cluster: Path) -> Account:
    """The owner of an existing cluster; else ourselves; as root the first of PREFERRED_USERS there is."""
    ours = os.geteuid()
    owner = cluster.stat().st_uid if cluster.is_dir() else None
    if ours:
        if owner not in (None, ours):
            raise EmbeddedPostgresError(
                f"{cluster} belongs to user {_name_of(owner)}, Tallystick runs as {_name_of(ours)}. "
                "Run it as that user, or set TALLYSTICK_DATA_DIR to a directory of your own."
            )
        return Account(ours, os.getegid(), _name_of(ours), switches=False)
    if owner:
        return Account(owner, cluster.stat().st_gid, _name_of(owner), switches=True)
    for name in PREFERRED_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name, switches=True)
    raise EmbeddedPostgresError(
        f"PostgreSQL does not run as root and there is no user {' or '.join(PREFERRED_USERS)}. "
        "Run Tallystick as a normal user, or set TALLYSTICK_DATABASE_URL."
    )


def _name_of(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid or 0).pw_name
    except KeyError:
        return str(uid)
