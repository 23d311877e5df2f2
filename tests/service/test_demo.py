"""`tallystick demo --exit` in a pipe: the whole story comes true, and nothing is left running."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import command, data_directory

pytestmark = pytest.mark.slow


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with data_directory() as directory:
        yield directory


def test_demo_comes_true(data_dir: Path) -> None:
    done = command(data_dir, "demo", "--exit", "--events", "2000")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    assert done.stdout.count("✓") == 13
    assert done.stdout.count("\ncurl ") == 3
    assert "\x1b[" not in done.stdout
    assert not (data_dir / "postgres").resolve().joinpath("postmaster.pid").exists()
