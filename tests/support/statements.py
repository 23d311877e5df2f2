"""Counts the SQL statements of a piece of work: what works on sets takes as many for one subject as for many."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import asyncpg
from sqlalchemy import event

from tallystick.ground.db import Database


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that run on this database meanwhile; one with many parameter sets counts once.

    Rows that come past SQLAlchemy count too, of all databases of this thread.
    """
    found: list[str] = []
    engine, thread = database.engine.sync_engine, threading.get_ident()
    fetch = asyncpg.Connection.fetch

    def note(*arguments: Any) -> None:
        found.append(arguments[2])

    async def noting(self: asyncpg.Connection[Any], query: str, *parameters: Any, **more: Any) -> Any:
        if threading.get_ident() == thread:
            found.append(query)
        return await fetch(self, query, *parameters, **more)

    event.listen(engine, "before_cursor_execute", note)
    try:
        with patch.object(asyncpg.Connection, "fetch", noting):
            yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)
