"""A cluster on disk: where it lies, how it is made, and whether it is one of ours.

It is not for the running server (server.py).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tallystick.ground.kept_secrets import keep_secret
from tallystick.ground.postgres import tuning
from tallystick.ground.postgres.account import Account, server_account
from tallystick.ground.postgres.binaries import Binaries, find_binaries
from tallystick.ground.postgres.errors import EmbeddedPostgresError

ROLE = "tally"
DATABASE = "tallystick"
CONFIGURATION = Path("conf.d") / "tally.conf"
ELSEWHERE = Path("/var/lib/tallystick")
BUILTIN_LOCALE_SINCE = 17
CHECKSUMS_BY_DEFAULT_SINCE = 18


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster in `directory`, the files about it in `data_dir`, and the means to run it."""

    data_dir: Path
    directory: Path
    account: Account
    binaries: Binaries

    @property
    def log(self) -> Path:
        return self.directory / "server.log"

    @property
    def port_file(self) -> Path:
        return self.data_dir / "postgres.port"

    def password(self) -> str:
        """The role's password; kept in `data_dir` with mode 0600."""
        return keep_secret(self.data_dir / "postgres.password", lambda: secrets.token_hex(24))

    def exists(self) -> bool:
        """Whether there is a cluster of ours; raises when there is something else in its place."""
        if not self.directory.is_dir() or not any(self.directory.iterdir()):
            return False
        version = self.directory / "PG_VERSION"
        if not version.is_file() or not (self.directory / CONFIGURATION).is_file():
            raise EmbeddedPostgresError(
                f"{self.directory} is not empty and was not made by Tallystick. "
                "Set TALLYSTICK_DATA_DIR to another directory."
            )
        if not (self.data_dir / "postgres.password").is_file():
            raise EmbeddedPostgresError(
                f"The password of {self.directory} is missing: restore {self.data_dir}/postgres.password."
            )
        major = version.read_text().strip()
        if major != str(self.binaries.major):
            raise EmbeddedPostgresError(
                f"{self.directory} is of PostgreSQL {major}, the server's programs are {self.binaries.major}. "
                f"Dump it with PostgreSQL {major}, or set TALLYSTICK_DATA_DIR to another directory."
            )
        return True

    def create(self) -> None:
        """Make the cluster beside its place and move it there when it is whole: a crash leaves no half of one."""
        draft = self.directory.with_name(self.directory.name + ".new")
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
        if self.account.switches:
            os.chown(draft, self.account.uid, self.account.gid)
        self._initialize(draft)
        self._checked(
            ["sh", "-c", 'mkdir "$1/conf.d" && echo "include_dir = \'conf.d\'" >> "$1/postgresql.conf"', "sh", draft]
        )
        self.account.write(draft / CONFIGURATION, "")
        single: list[str | Path] = [self.binaries["postgres"], "--single", "-D", draft, "postgres"]
        self._checked(single, given=f"CREATE DATABASE {DATABASE};\n")
        if self.directory.is_dir():
            self.directory.rmdir()
        draft.rename(self.directory)

    def _initialize(self, draft: Path) -> None:
        """initdb: UTF-8, ordering by code point, checksums, password needed on every way in."""
        major = self.binaries.major
        locale = ["--locale=C.UTF-8"]
        if major >= BUILTIN_LOCALE_SINCE:
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        checksums = [] if major >= CHECKSUMS_BY_DEFAULT_SINCE else ["--data-checksums"]
        password_file = draft / "password"
        self.account.write(password_file, self.password() + "\n")
        # initdb wants an empty directory, hence the file moves out of the way into one of its own.
        secret = draft.with_name(draft.name + ".secret")
        try:
            os.rename(password_file, secret)
            access = ["--auth=scram-sha-256", "-U", ROLE, f"--pwfile={secret}"]
            self._checked([self.binaries["initdb"], "-D", draft, "--encoding=UTF8", *locale, *checksums, *access])
        finally:
            secret.unlink(missing_ok=True)

    def configure(self, port: int, *, fsync: bool) -> None:
        """Write `tally.conf` for the next start."""
        text = tuning.configuration(tuning.machine_memory(), port, fsync=fsync)
        self.account.write(self.directory / CONFIGURATION, text)

    def _checked(self, command: Sequence[str | Path], given: str = "") -> None:
        done = self.account.run(command, given=given)
        if done.returncode or "FATAL" in done.stderr:
            words = (done.stderr.strip() or done.stdout.strip())[-1000:]
            raise EmbeddedPostgresError(f"Cannot make a PostgreSQL cluster in {self.directory}: {words}")


def locate(data_dir: Path, bin_dir: Path | None = None) -> Cluster:
    """The cluster of `data_dir` (made if absent, with its parents); nothing is started or initialized."""
    data_dir = data_dir.absolute()
    _make_directory(data_dir)
    if (data_dir / "PG_VERSION").exists():
        raise EmbeddedPostgresError(
            f"{data_dir} is itself a PostgreSQL cluster. Set TALLYSTICK_DATA_DIR to another directory."
        )
    directory = data_dir / "postgres"
    account = server_account(directory)
    if account.switches:
        directory = _reachable_place(directory, account)
    return Cluster(data_dir, directory.resolve(), account, find_binaries(account, bin_dir))


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedPostgresError(f"Cannot make the data directory {directory}: {error.strerror}") from error
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        raise EmbeddedPostgresError(
            f"The data directory {directory} is not writable. Set TALLYSTICK_DATA_DIR to another."
        )


def _reachable_place(directory: Path, account: Account) -> Path:
    """`directory`, or where it links to. One that `account` cannot reach becomes a link to a place below ELSEWHERE."""
    if not directory.exists() and not directory.is_symlink() and not account.can_enter(directory.parent):
        name = hashlib.sha256(os.fsencode(directory.parent.resolve())).hexdigest()[:16]
        with contextlib.suppress(FileExistsError):
            directory.symlink_to(ELSEWHERE / name / "postgres")
    if directory.is_symlink():
        directory = directory.resolve()
        directory.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not account.can_enter(directory if directory.exists() else directory.parent):
        raise EmbeddedPostgresError(f"User {account.name}, who runs PostgreSQL for root, cannot enter {directory}.")
    return directory
