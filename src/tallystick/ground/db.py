"""The connection to PostgreSQL: one engine, transactions as `Tx`, and bulk copy inside them. Knows no table.

`Tx` is an AsyncSession whose rows stay readable after the commit. Everything that belongs together happens in one
`async with database.begin() as tx`; nobody commits in the middle.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import TextClause

from tallystick.ground import json

Tx = AsyncSession


#: a row of `fetch`: a named tuple of its columns
Row: TypeAlias = Any


def async_url(url: str) -> str:
    """The SQLAlchemy URL of a plain `postgresql://` one."""
    return make_url(url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def plain_url(url: str) -> str:
    """The libpq URL of any of our URLs, for asyncpg and psycopg themselves."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


class Database:
    """The engine and its sessions. `url` is any `postgresql://` URL; `pool_size` connections are kept."""

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.url = plain_url(url)
        self.engine: AsyncEngine = create_async_engine(
            async_url(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            json_serializer=json.dump_text,
            json_deserializer=json.loads,
            connect_args={"server_settings": {"timezone": "UTC", "jit": "off", "application_name": "tallystick"}},
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        """A transaction: committed at the end of the block, rolled back on any error."""
        async with self._sessions.begin() as tx:
            yield tx

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()


async def raw_connection(tx: Tx) -> asyncpg.Connection[Any]:
    """The asyncpg connection under a transaction, which has begun on it; what the session changed is written first."""
    return await tx.run_sync(_raw_connection)


def _raw_connection(session: Session) -> asyncpg.Connection[Any]:
    session.flush()
    connection = session.connection()
    driver = connection.connection.driver_connection
    assert driver is not None
    if not driver.is_in_transaction():
        connection.exec_driver_sql("select 1")  # the driver begins its transaction with the first statement
    return driver  # type: ignore[no-any-return]


async def fetch(tx: Tx, query: str, *parameters: Any) -> list[Row]:
    """Rows of a query with parameters $1, $2, ...: past the ORM, for reads that happen all the time."""
    raw = await raw_connection(tx)
    records = await raw.fetch(query, *parameters)
    return [*map(_row_type(tuple(records[0].keys())), records)] if records else []


@lru_cache(1_000)
def _row_type(columns: tuple[str, ...]) -> Callable[[asyncpg.Record], Row]:
    return namedtuple("Row", columns)._make  # type: ignore[attr-defined, no-any-return]


async def copy(tx: Tx, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """COPY rows (column -> value, all with the same columns) inside the transaction; jsonb values are given as text."""
    if rows:
        raw = await raw_connection(tx)
        await raw.copy_records_to_table(table, records=[tuple(row.values()) for row in rows], columns=list(rows[0]))


async def advisory_lock(tx: Tx, key: str) -> None:
    """Hold a lock with this name until the transaction ends."""
    await tx.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})


def load_query(module_file: str, name: str) -> TextClause:
    """A named long query: `queries/<name>.sql` beside the module."""
    return text(query_text(module_file, name))


def query_text(module_file: str, name: str) -> str:
    """The same as plain text, for `fetch`."""
    return (Path(module_file).parent / "queries" / f"{name}.sql").read_text()
