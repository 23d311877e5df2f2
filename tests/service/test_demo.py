"""`tallystick demo --exit` in a pipe: the whole story comes true, and nothing is left running."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import command

pytestmark = pytest.mark.slow


def test_demo_comes_true(tmp_path: Path) -> None:
    done = command(tmp_path, "demo", "--exit", "--events", "2000")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    assert done.stdout.count("✓") == 13
    assert done.stdout.count("\ncurl ") == 3
    assert "\x1b[" not in done.stdout
    assert not (tmp_path / "postgres").resolve().joinpath("postmaster.pid").exists()
