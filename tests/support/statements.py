"""Counts the SQL statements of a piece of work: what works on sets takes as many for one subject as for many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from tallystick.ground.db import Database


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that run on this database meanwhile; one with many parameter sets counts once."""
    found: list[str] = []

    def note(*arguments: Any) -> None:
        found.append(arguments[2])

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)
