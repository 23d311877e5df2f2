"""The database of a command: the one that the settings name, or the embedded one, started or attached to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from tallystick.cli.terminal import fail, sentences

if TYPE_CHECKING:
    from tallystick.ground.db import Database, Tx
    from tallystick.ground.postgres import Server
    from tallystick.ground.settings import Settings

Result = TypeVar("Result")


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Settings, Server | None]]:
    """The settings with their `database_url`, and the embedded server, which is let go of at the end."""
    if settings.database_url is not None:
        yield settings, None
        return
    from tallystick.ground.postgres import open_server

    with open_server(settings.data_dir, settings.postgres_port) as server:
        yield settings.model_copy(update={"database_url": server.url}), server


@contextmanager
def migrated() -> Iterator[Settings]:
    """The settings of the environment with a database that has this version's schema; otherwise a sentence."""
    from tallystick.ground.settings import load

    with sentences(), opened(load()) as (settings, _):
        require_migrated(settings)
        yield settings


def schema(settings: Settings) -> tuple[str | None, str | None]:
    """(revision that the database has, revision that this version needs)."""
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url

    from tallystick.ground.migrations import revisions

    assert settings.database_url is not None
    engine = create_engine(make_url(settings.database_url).set(drivername="postgresql+psycopg"))
    try:
        with engine.connect() as connection:
            return revisions(connection)
    finally:
        engine.dispose()


def require_migrated(settings: Settings) -> None:
    """End with a sentence unless the schema is that of this version."""
    current, needed = schema(settings)
    if current != needed:
        has = f"has revision {current}" if current else "is empty"
        fail(f"The database {has}, this version needs {needed}: run `tallystick migrate`.")


def run_on_database(work: Callable[[Database], Awaitable[Result]]) -> Result:
    """The result of `work` on the migrated database of the environment."""
    from tallystick.ground.db import Database

    with migrated() as settings:
        assert settings.database_url is not None
        url = settings.database_url

        async def run() -> Result:
            database = Database(url, pool_size=2)
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(run())


def transact(work: Callable[[Tx], Awaitable[Result]]) -> Result:
    """The result of `work` in one transaction, committed at the end."""

    async def run(database: Database) -> Result:
        async with database.begin() as tx:
            return await work(tx)

    return run_on_database(run)
