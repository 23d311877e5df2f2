"""What one running process shares: settings, database, signing keys. Made by `app.py`, handed to every door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallystick.ground.db import Database

if TYPE_CHECKING:
    from tallystick.ground.settings import Settings


@dataclass(frozen=True, slots=True)
class Installation:
    """The settings and the database of this process."""

    settings: Settings
    database: Database
