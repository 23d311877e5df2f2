"""What one running process shares: settings, database, signing key. Opened by `app.py`, handed to every door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallystick.ground.db import Database
from tallystick.ground.keys import InstallationKey, load_key

if TYPE_CHECKING:
    from tallystick.ground.settings import Settings


@dataclass(frozen=True, slots=True)
class Installation:
    """The settings, the database and the webhook key of this process."""

    settings: Settings
    database: Database
    key: InstallationKey


def open_installation(settings: Settings, *, pool_size: int = 10) -> Installation:
    """Connect to the migrated database that the settings name; makes the webhook key at the very first start."""
    assert settings.database_url is not None
    key = load_key(settings.rsa_private_key, settings.database_url)
    return Installation(settings, Database(settings.database_url, pool_size), key)
