"""The command line as its users run it: child processes, data directories of their own, the embedded PostgreSQL."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.command import Serving, command, data_directory

pytestmark = pytest.mark.slow


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with data_directory() as directory:
        yield directory


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    """A running `tallystick serve` on a fresh data directory."""
    with data_directory() as directory:
        serving = Serving(directory)
        serving.url()
        yield serving
        assert serving.stop() == 0, serving.output()


def make_organization(served: Serving, name: str, *more: str) -> dict[str, str]:
    done = command(served.data_dir, "org", "create", name, "--json", *more)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    return {"id": made["organization"]["lago_id"], "slug": made["organization"]["slug"], "api_key": made["api_key"]}


def status_with(served: Serving, api_key: str) -> int:
    return httpx.get(
        f"{served.url()}/api/v1/customers", headers={"Authorization": f"Bearer {api_key}"}, timeout=30
    ).status_code


def test_help_names_every_command(data_dir: Path) -> None:
    done = command(data_dir, "--help")
    assert done.returncode == 0
    for name in ("serve", "api", "worker", "migrate", "demo", "org", "key", "clock", "rollups", "doctor", "retry"):
        assert f"\n  {name} " in done.stdout
    assert command(data_dir, "--version").stdout.strip().count(".") == 2


def test_serve_answers_and_ends_cleanly(data_dir: Path) -> None:
    serving = Serving(data_dir)
    url = serving.url()
    assert httpx.get(f"{url}/health", timeout=30).json()["message"] == "Success"
    assert (data_dir / "admin.token").read_text().strip()
    assert serving.stop() == 0, serving.output()
    assert "Traceback" not in serving.output()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health", timeout=5)
    assert not (data_dir / "postgres").resolve().joinpath("postmaster.pid").exists()


def test_two_instances_side_by_side(served: Serving, data_dir: Path) -> None:
    made = make_organization(served, "First")
    second = Serving(data_dir)
    try:
        assert second.url() != served.url()
        assert status_with(served, made["api_key"]) == 200
        assert status_with(second, made["api_key"]) == 401
    finally:
        assert second.stop() == 0, second.output()


def test_taken_port_is_a_sentence(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = command(data_dir, "serve", "--port", str(port))
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 is used by another program" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (data_dir / "postgres").exists()


def test_organizations(served: Serving) -> None:
    made = make_organization(
        served, "Ärzte & Co", "--currency", "CHF", "--timezone", "Europe/Zurich", "--country", "CH"
    )
    assert status_with(served, made["api_key"]) == 200
    listed = json.loads(command(served.data_dir, "org", "list", "--json").stdout)["organizations"]
    assert [row["name"] for row in listed if row["id"] == made["id"]] == ["Ärzte & Co"]
    refused = command(served.data_dir, "org", "create", "Nowhere", "--currency", "XXQ")
    assert refused.returncode == 1
    assert "default currency" in refused.stderr


def test_keys_are_made_rotated_and_revoked(served: Serving) -> None:
    made = make_organization(served, "Keys")
    other = json.loads(command(served.data_dir, "key", "create", made["slug"], "--name", "ci", "--json").stdout)[
        "api_key"
    ]
    assert status_with(served, other["value"]) == 200
    rotated = json.loads(command(served.data_dir, "key", "rotate", other["lago_id"], "--json").stdout)["api_key"]
    assert rotated["name"] == "ci"
    assert status_with(served, rotated["value"]) == 200
    assert status_with(served, other["value"]) == 401
    assert command(served.data_dir, "key", "revoke", rotated["lago_id"]).returncode == 0
    assert status_with(served, rotated["value"]) == 401
    (last,) = json.loads(command(served.data_dir, "key", "list", made["id"], "--json").stdout)["api_keys"]
    refused = command(served.data_dir, "key", "revoke", last["lago_id"])
    assert (refused.returncode, "last_non_expiring_api_key" in refused.stderr) == (1, True)
    assert "No API key has the id nope" in command(served.data_dir, "key", "rotate", "nope").stderr


def test_clock_of_a_sandbox(served: Serving) -> None:
    made = make_organization(served, "Clock", "--sandbox")
    moved = command(served.data_dir, "clock", "advance", made["id"], "2030-01-01T00:00:00Z", "--json")
    assert json.loads(moved.stdout) == {"test_clock": {"now": "2030-01-01T00:00:00.000Z"}}, moved.stderr
    assert command(served.data_dir, "clock", "advance", made["id"], "+36h").returncode == 0
    assert command(served.data_dir, "clock", "show", made["id"]).stdout.strip() == "2030-01-02T12:00:00.000Z"
    assert command(served.data_dir, "clock", "advance", made["id"], "2029-01-01").returncode == 1
    live = make_organization(served, "Live")
    assert "its clock is the real one" in command(served.data_dir, "clock", "show", live["id"]).stderr


def test_rollups_are_dropped(served: Serving) -> None:
    dropped = command(served.data_dir, "rollups", "drop", "--json")
    assert json.loads(dropped.stdout) == {"rollups": {"dropped": 0}}, dropped.stderr


def test_doctor(served: Serving, data_dir: Path) -> None:
    well = command(served.data_dir, "doctor", "--json")
    assert well.returncode == 0, well.stdout
    report = json.loads(well.stdout)
    names = {"settings", "disk", "admin token", "database", "migrations", "signing key"}
    assert report["ok"] is True
    assert {check["name"] for check in report["checks"]} >= names | {"agenda", "jobs", "outbox", "webhooks"}

    empty = command(data_dir, "doctor")
    assert empty.returncode == 1
    assert "✗ database" in empty.stdout
    assert "→ Run `tallystick serve`." in empty.stdout

    unreachable = command(data_dir, "doctor", "--json", TALLYSTICK_DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")
    assert unreachable.returncode == 1
    assert json.loads(unreachable.stdout)["checks"][-1]["name"] == "database"


def test_migrate_then_api_and_worker_alone(postgres_url: str, data_dir: Path) -> None:
    import psycopg

    from tallystick.ground.db import plain_url

    name = "cli_" + data_dir.name.replace("-", "_")
    url = plain_url(postgres_url).rsplit("/", 1)[0] + f"/{name}"
    given = {"TALLYSTICK_DATABASE_URL": url}
    with psycopg.connect(plain_url(postgres_url), autocommit=True) as admin:
        admin.execute(f'create database "{name}"'.encode())
    refused = command(data_dir, "api", "--port", "0", **given)
    assert (refused.returncode, "run `tallystick migrate`" in refused.stderr) == (1, True)
    first = json.loads(command(data_dir, "migrate", "--json", **given).stdout)
    assert (first["before"], first["changed"]) == (None, True)
    assert "Nothing to do" in command(data_dir, "migrate", **given).stdout
    api, worker = Serving(data_dir / "api", "api", "--port", "0", **given), Serving(data_dir / "w", "worker", **given)
    api.url()
    assert worker.process.poll() is None
    assert (api.stop(), worker.stop()) == (0, 0), api.output() + worker.output()
    assert not (data_dir / "api" / "postgres").exists()
    with psycopg.connect(plain_url(postgres_url), autocommit=True) as admin:
        admin.execute(f'drop database "{name}" with (force)'.encode())


def test_metrics_need_no_key(served: Serving) -> None:
    url = served.url()
    httpx.get(f"{url}/api/v1/customers/some-customer", timeout=30)
    text = httpx.get(f"{url}/metrics", timeout=30).text
    template = 'route="/api/v1/customers/{external_id}",status="401"'
    assert f'tallystick_http_requests_total{{method="GET",{template}}}' in text
    for name in ("events_stored", "agenda_lag_seconds", "agenda_failed"):
        assert f"\ntallystick_{name} " in text


def test_access_log_line(served: Serving) -> None:
    made = make_organization(served, "Logged")
    headers = {"Authorization": f"Bearer {made['api_key']}", "X-Request-Id": "line-of-mine"}
    httpx.get(f"{served.url()}/api/v1/taxes?secret=1", headers=headers, timeout=30)
    line = json.loads(served.wait_for("line-of-mine"))
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/v1/taxes", 200)
    assert line["organization_id"] == made["id"]
    assert "secret" not in json.dumps(line)
