"""API keys remembered for a few seconds, for requests too many to ask the database each time (api.md §2).

Only keys of live organizations: the "now" of a sandbox organization is its clock, which must be read.
"""

from __future__ import annotations

import datetime as dt

from tallystick.api.authentication import authorize, key_of
from tallystick.api.call import Identity
from tallystick.ground.clock import machine_now
from tallystick.ground.db import Database
from tallystick.ground.errors import Unauthorized
from tallystick.ground.memory import Memory
from tallystick.rooms.organizations import keys

SECONDS = 5.0


class KeyMemory:
    """Keys found lately; `memory.forget` is to be called when any key changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.memory: Memory[bytes, keys.Found] = Memory(SECONDS)

    async def authenticate(self, header: str, method: str, resource: str) -> tuple[Identity, dt.datetime]:
        """The caller by its Authorization header, and its organization's now; records no use of the key.

        Raises `Unauthorized`, `Forbidden`.
        """
        now = machine_now()
        key = key_of(header)
        hashed = keys.hash_key(key)
        found = self.memory.get(hashed) or await self.memory.recall(hashed, lambda: self._read(key, now))
        if found is None or (found.expires_at is not None and found.expires_at <= now):
            raise Unauthorized
        identity = Identity(found.key_id, found.organization_id, found.sandbox, found.permissions)
        authorize(identity, method, resource)
        return identity, found.now if found.sandbox else now

    async def _read(self, key: str, now: dt.datetime) -> keys.Found | None:
        generation = self.memory.generation
        async with self._database.begin() as tx:
            found = await keys.identify(tx, key, now, record_use=False)
        if found is not None and not found.sandbox:
            self.memory.keep(keys.hash_key(key), found, generation)
        return found
