"""The embedded server for real: as root and as a normal user, killed parents, killed servers, unusable places.

A "parent" is a Python process of its own that opens the server as the given user, so that it can be killed.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tallystick.ground.postgres import EmbeddedPostgresError, Server, open_server, start_temporary
from tallystick.ground.postgres.account import Account
from tallystick.ground.postgres.binaries import find_binaries

ROOT = os.geteuid() == 0
BIN_DIR = Path(os.environ["TALLYSTICK_TEST_POSTGRES"]) if os.environ.get("TALLYSTICK_TEST_POSTGRES") else None
NORMAL = pwd.getpwnam("nobody").pw_uid if ROOT else os.geteuid()
USERS = [pytest.param(0, id="root"), pytest.param(NORMAL, id="normal")] if ROOT else [pytest.param(NORMAL, id="normal")]

PARENT = """
import json, os, sys
from pathlib import Path
from tallystick.ground.postgres import EmbeddedPostgresError, open_server

def tell(**facts):
    print(json.dumps(facts), flush=True)

uid, data_dir, bin_dir, port = json.loads(sys.argv[1])
if uid != os.geteuid():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(uid)
try:
    server = open_server(Path(data_dir), port, Path(bin_dir))
    tell(url=server.url, pid=server.pid)
    for line in sys.stdin:
        match line.strip():
            case "ensure":
                tell(restarted=server.ensure_running(), url=server.url, pid=server.pid)
            case "stop":
                server.stop()
                tell(stopped=True)
except EmbeddedPostgresError as error:
    tell(error=str(error))
"""


class Parent:
    """A process that opened the server of `data_dir`; `facts` is what it said last."""

    def __init__(self, uid: int, data_dir: Path, port: int | None = None) -> None:
        account = Account(uid, 65534, "", switches=ROOT and uid != 0)
        reachable = find_binaries(account, BIN_DIR).directory
        self.process = subprocess.Popen(
            [sys.executable, "-c", PARENT, json.dumps([uid, str(data_dir), str(reachable), port])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def facts(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told

    def ask(self, command: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        return self.facts()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


class Places:
    """Data directories, and an end for everything that was started in them."""

    def __init__(self) -> None:
        self.parents: list[Parent] = []
        self.directories: list[Path] = []

    def directory(self, uid: int, mode: int = 0o755) -> Path:
        place = Path(tempfile.mkdtemp(prefix="tally-", dir="/tmp"))
        if uid != os.geteuid():
            os.chown(place, uid, -1)
        place.chmod(mode)
        self.directories.append(place)
        return place

    def open(self, uid: int, data_dir: Path, port: int | None = None) -> Parent:
        self.parents.append(Parent(uid, data_dir, port))
        return self.parents[-1]

    def clear(self) -> None:
        for parent in self.parents:
            parent.kill()
        for place in self.directories:
            pid_file = place / "postgres" / "postmaster.pid"
            if pid_file.is_file():
                os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)
            shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def places() -> Iterator[Places]:
    made = Places()
    yield made
    made.clear()


def write_rows(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 2000) AS number")


def count_rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        [count] = connection.execute("SELECT count(*) FROM kept").fetchone() or [0]
    return int(count)


@pytest.mark.parametrize("uid", USERS)
def test_it_serves_on_loopback_with_a_password_and_our_configuration(places: Places, uid: int) -> None:
    data_dir = places.directory(uid)
    url = places.open(uid, data_dir).facts()["url"]
    wanted = [
        "listen_addresses",
        "fsync",
        "synchronous_commit",
        "data_checksums",
        "random_page_cost",
        "server_encoding",
    ]
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [wanted]).fetchall()
    assert dict(rows) == {
        "listen_addresses": "127.0.0.1",
        "fsync": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "random_page_cost": "1.1",
        "server_encoding": "UTF8",
    }
    assert (data_dir / "postgres.password").stat().st_mode & 0o777 == 0o600
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url.replace((data_dir / "postgres.password").read_text().strip(), "wrong"))


@pytest.mark.parametrize("uid", USERS)
def test_a_killed_parent_leaves_a_server_to_attach_to(places: Places, uid: int) -> None:
    data_dir = places.directory(uid)
    first = places.open(uid, data_dir)
    facts = first.facts()
    write_rows(facts["url"])
    first.kill()
    second = places.open(uid, data_dir)
    assert second.facts() == facts
    assert count_rows(facts["url"]) == 2000
    assert second.ask("stop") == {"stopped": True}
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(facts["url"])


@pytest.mark.parametrize("uid", USERS)
def test_a_killed_server_is_restarted_with_its_rows_on_the_same_port(places: Places, uid: int) -> None:
    parent = places.open(uid, places.directory(uid))
    facts = parent.facts()
    assert parent.ask("ensure") == {"restarted": False, **facts}
    write_rows(facts["url"])
    os.kill(facts["pid"], signal.SIGKILL)
    while not (after := parent.ask("ensure"))["restarted"]:
        assert after["pid"] in (facts["pid"], None)  # the signal has not arrived yet
    assert after["url"] == facts["url"]
    assert after["pid"] != facts["pid"]
    assert count_rows(facts["url"]) == 2000


@pytest.mark.parametrize("uid", USERS)
def test_a_stale_pid_file_that_names_another_program_is_no_obstacle(places: Places, uid: int) -> None:
    data_dir = places.directory(uid)
    first = places.open(uid, data_dir)
    facts = first.facts()
    write_rows(facts["url"])
    first.kill()
    os.kill(facts["pid"], signal.SIGKILL)
    # A living program of the server's own user: PostgreSQL alone would take it for its postmaster.
    with subprocess.Popen(["sleep", "60"], user=NORMAL if ROOT else None) as stranger:
        pid_file = data_dir / "postgres" / "postmaster.pid"
        pid_file.write_text("\n".join([str(stranger.pid), *pid_file.read_text().splitlines()[1:]]) + "\n")
        assert count_rows(places.open(uid, data_dir).facts()["url"]) == 2000
        stranger.kill()


def test_the_last_user_stops_the_server(places: Places) -> None:
    data_dir = places.directory(NORMAL)
    first, second = places.open(NORMAL, data_dir), places.open(NORMAL, data_dir)
    facts = first.facts()
    assert second.facts() == facts
    first.ask("stop")
    assert second.ask("ensure") == {"restarted": False, **facts}
    second.ask("stop")
    assert not (data_dir / "postgres" / "postmaster.pid").exists()


def test_a_cleanly_stopped_server_keeps_rows_port_and_password(places: Places) -> None:
    data_dir = places.directory(os.geteuid())
    with open_server(data_dir, bin_dir=BIN_DIR) as server:
        url = server.url
        write_rows(url)
    with open_server(data_dir, bin_dir=BIN_DIR) as server:
        assert server.url == url
        assert count_rows(url) == 2000


def test_two_instances_run_side_by_side(places: Places) -> None:
    places_of_two = [places.directory(NORMAL), places.directory(NORMAL)]
    urls = [parent.facts()["url"] for parent in [places.open(NORMAL, place) for place in places_of_two]]
    assert urls[0] != urls[1]
    write_rows(urls[0])
    with pytest.raises(psycopg.errors.UndefinedTable):
        count_rows(urls[1])


def test_a_remembered_port_that_was_taken_is_replaced(places: Places) -> None:
    data_dir = places.directory(os.geteuid())
    with open_server(data_dir, bin_dir=BIN_DIR) as server:
        port = server.port
    with socket.create_server(("127.0.0.1", port)), open_server(data_dir, bin_dir=BIN_DIR) as server:
        assert server.port != port


def test_a_taken_port_is_a_clear_error(places: Places) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        error = places.open(NORMAL, places.directory(NORMAL), port).facts()["error"]
    assert str(port) in error
    assert "TALLYSTICK_POSTGRES_PORT" in error


def test_an_unwritable_directory_is_a_clear_error(places: Places) -> None:
    data_dir = places.directory(NORMAL, mode=0o555)
    for place in (data_dir, data_dir / "below"):
        error = places.open(NORMAL, place).facts()["error"]
        assert str(place) in error
        assert "data directory" in error


def refusal(data_dir: Path) -> str:
    with pytest.raises(EmbeddedPostgresError) as caught:
        open_server(data_dir, bin_dir=BIN_DIR)
    return str(caught.value)


def test_a_foreign_directory_is_not_touched(places: Places) -> None:
    data_dir = places.directory(os.geteuid())
    (data_dir / "postgres").mkdir()
    (data_dir / "postgres" / "letters.txt").write_text("mine")
    if ROOT:
        shutil.chown(data_dir / "postgres", NORMAL)
    assert "was not made by Tallystick" in refusal(data_dir)
    assert (data_dir / "postgres" / "letters.txt").read_text() == "mine"
    shutil.rmtree(data_dir / "postgres")
    (data_dir / "PG_VERSION").write_text("15\n")
    assert "is itself a PostgreSQL cluster" in refusal(data_dir)


def test_a_cluster_of_another_version_or_without_its_password_is_refused(places: Places) -> None:
    data_dir = places.directory(os.geteuid())
    open_server(data_dir, bin_dir=BIN_DIR).stop()
    (data_dir / "postgres" / "PG_VERSION").write_text("12\n")
    assert "is of PostgreSQL 12" in refusal(data_dir)
    (data_dir / "postgres.password").unlink()
    assert "restore" in refusal(data_dir)


def test_an_interrupted_creation_is_begun_anew(places: Places) -> None:
    data_dir = places.directory(os.geteuid())
    (data_dir / "postgres.new" / "base").mkdir(parents=True)
    (data_dir / "postgres.new" / "PG_VERSION").write_text("18\n")
    with open_server(data_dir, bin_dir=BIN_DIR) as server:
        write_rows(server.url)


def test_a_temporary_server_works_in_a_private_directory_and_leaves_nothing(places: Places) -> None:
    data_dir = places.directory(os.geteuid(), mode=0o700)
    server: Server = start_temporary(BIN_DIR, data_dir, fsync=False)
    write_rows(server.url)
    cluster = (data_dir / "postgres").resolve()
    assert cluster.is_dir()
    server.stop()
    assert not cluster.exists()
    assert data_dir.stat().st_mode & 0o777 == 0o700
    assert not (data_dir / "postgres").is_symlink()
