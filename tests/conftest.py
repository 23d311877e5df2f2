"""Fixtures of all tests: a real PostgreSQL, one database for each test process, and a real HTTP server on it.

`TALLYSTICK_TEST_POSTGRES` names the bin directory of another PostgreSQL, `TALLYSTICK_TEST_DATABASE_URL` a server.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from tallystick.ground.db import Database, plain_url
from tallystick.ground.installation import Installation
from tallystick.ground.migrations import migrate
from tests.standins.vies import Vies
from tests.support.api import ADMIN_TOKEN, Api
from tests.support.server import Running, settings_for


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server that the tests may fill with databases."""
    given = os.environ.get("TALLYSTICK_TEST_DATABASE_URL")
    if given:
        yield given
        return
    from tallystick.ground.postgres import start_temporary

    bin_dir = os.environ.get("TALLYSTICK_TEST_POSTGRES")
    directory = tmp_path_factory.mktemp("postgres")
    server = start_temporary(Path(bin_dir) if bin_dir else None, directory, fsync=False)
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def database_url(postgres_url: str) -> Iterator[str]:
    """A migrated database of this test process."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(plain_url(postgres_url), autocommit=True) as admin:
        admin.execute(f'create database "{name}"'.encode())
        url = plain_url(postgres_url).rsplit("/", 1)[0] + f"/{name}"
        migrate(url)
        yield url
        admin.execute(f'drop database "{name}" with (force)'.encode())


@pytest.fixture(scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    """The database of this test process, for tests that need nothing else of an installation."""
    opened = Database(database_url, pool_size=5)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def vies() -> Iterator[Vies]:
    """The registry of VAT numbers that all installations of this test process ask."""
    registry = Vies()
    yield registry
    registry.stop()


@pytest.fixture(scope="session")
async def installation(
    database_url: str, vies: Vies, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """An installation in this process, for tests that call rooms and flows directly."""
    from tallystick.app import assemble

    directory = tmp_path_factory.mktemp("installation")
    opened = assemble(settings_for(database_url, directory, vies_api_base=vies.url), pool_size=5)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def running(database_url: str, vies: Vies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The product's HTTP server on a loopback socket."""
    server = Running(settings_for(database_url, tmp_path_factory.mktemp("server"), vies_api_base=vies.url))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def api(running: Running) -> Iterator[Api]:
    """A sandbox organization of its own, seen through its API key."""
    client = Api(running.url, ADMIN_TOKEN)
    yield client
    client.http.close()
