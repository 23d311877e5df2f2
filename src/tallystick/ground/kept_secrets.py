"""Secrets an installation makes for itself at the first need and keeps in its data directory, mode 0600.

It is not for the key that signs webhooks (keys.py) nor for what organizations own (tables).
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallystick.ground.settings import Settings


def keep_secret(path: Path, make: Callable[[], str]) -> str:
    """The text of `path`; made and written with mode 0600 when absent. Of two processes at once, one text wins."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(make().strip() + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link appears whole or not at all and never replaces what another process has written.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    return path.read_text(encoding="utf-8").strip()


def admin_token(settings: Settings) -> str:
    """The bearer token of `/admin`: the setting, or else the one kept in `admin.token`."""
    return settings.admin_token or keep_secret(settings.data_dir / "admin.token", lambda: secrets.token_urlsafe(32))
