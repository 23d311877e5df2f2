"""What one running process shares: settings, database, signing key, files, jobs. `app.py` assembles it for doors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tallystick.ground.db import Database
from tallystick.ground.jobs import Jobs
from tallystick.ground.keys import InstallationKey, load_key
from tallystick.ground.outlets import NoOutlets, Outlets
from tallystick.ground.storage import Storage

if TYPE_CHECKING:
    from tallystick.ground.settings import Settings


@dataclass(frozen=True, slots=True)
class Installation:
    """What the process has: `jobs` knows its tasks, `outlets` are where work of sandbox organizations leaves it."""

    settings: Settings
    database: Database
    key: InstallationKey
    storage: Storage
    jobs: Jobs
    outlets: Outlets = field(default_factory=NoOutlets)

    async def close(self) -> None:
        """Give all connections back."""
        await self.outlets.close()
        await self.jobs.close()
        await self.database.close()


def open_installation(settings: Settings, storage: Storage, *, pool_size: int = 10) -> Installation:
    """Connect to the migrated database that the settings name; makes the webhook key at the very first start."""
    assert settings.database_url is not None
    key = load_key(settings.rsa_private_key, settings.database_url)
    database = Database(settings.database_url, pool_size)
    return Installation(settings, database, key, storage, Jobs(database))
