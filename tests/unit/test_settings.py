"""The settings class: parsing from the environment, and the page of documentation held against it."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from tallystick.ground.kept_secrets import admin_token
from tallystick.ground.settings import Settings, SettingsError, load

PAGE = Path(__file__).parents[2] / "docs" / "user" / "configuration.md"
SHOWN_DEFAULTS = {
    "data_dir": "~/.local/share/tallystick",
    "public_api_url": "",
    "termination_alert_days": "15,45",
    "webhook_name_aliases": "",
}


def shown_default(name: str, default: Any) -> str:
    if name in SHOWN_DEFAULTS:
        text = SHOWN_DEFAULTS[name]
    elif default is None:
        text = ""
    else:
        text = str(default).lower() if isinstance(default, bool) else str(default)
    return f"`{text}`" if text else "–"


def test_every_setting_has_its_line_of_documentation() -> None:
    expected = [
        f"| `TALLYSTICK_{name.upper()}` | {shown_default(name, field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `TALLYSTICK_")]
    assert lines == expected


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TALLYSTICK_{name.upper()}", raising=False)
    monkeypatch.setenv("TALLYSTICK_DATA_DIR", str(tmp_path))
    return monkeypatch


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("TERMINATION_ALERT_DAYS", "15, 45", "termination_alert_days", (15, 45)),
        ("TERMINATION_ALERT_DAYS", "", "termination_alert_days", (15, 45)),
        ("WEBHOOK_NAME_ALIASES", "a.b=c.d, e=f", "webhook_name_aliases", {"a.b": "c.d", "e": "f"}),
        ("WEBHOOK_BLOCK_PRIVATE", "false", "webhook_block_private", False),
        ("HOST", "0.0.0.0", "public_api_url", "http://localhost:8000"),
        ("HOST", "::1", "public_api_url", "http://[::1]:8000"),
        ("PORT", "8123", "public_api_url", "http://127.0.0.1:8123"),
        ("PUBLIC_API_URL", "https://billing.example.com/", "public_api_url", "https://billing.example.com"),
        ("DATA_DIR", "/srv/tally", "data_dir", Path("/srv/tally")),
    ],
)
def test_a_setting_is_read_from_the_environment(
    environment: pytest.MonkeyPatch, variable: str, text: str, name: str, value: Any
) -> None:
    environment.setenv(f"TALLYSTICK_{variable}", text)
    assert getattr(load(), name) == value


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("PORT", "none"),
        ("TERMINATION_ALERT_DAYS", "15,soon"),
        ("WEBHOOK_NAME_ALIASES", "half="),
        ("WEBHOOK_SCHEDULE", "never"),
        ("RATE_LIMIT_OTHER", "-1"),
    ],
)
def test_a_refused_value_is_named_but_not_shown(environment: pytest.MonkeyPatch, variable: str, text: str) -> None:
    environment.setenv(f"TALLYSTICK_{variable}", text)
    with pytest.raises(SettingsError, match=f"TALLYSTICK_{variable}: ") as caught:
        load()
    assert text not in str(caught.value)


def test_secrets_are_not_in_the_representation(environment: pytest.MonkeyPatch) -> None:
    for name in ("ADMIN_TOKEN", "DATABASE_URL", "RSA_PRIVATE_KEY"):
        environment.setenv(f"TALLYSTICK_{name}", "swordfish")
    assert "swordfish" not in repr(load())


def test_a_made_admin_token_is_private_and_stays_the_same(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    token = admin_token(load())
    assert len(token) >= 40
    assert admin_token(load()) == token
    assert [(path.name, stat.S_IMODE(path.stat().st_mode)) for path in tmp_path.iterdir()] == [("admin.token", 0o600)]
    environment.setenv("TALLYSTICK_ADMIN_TOKEN", "given")
    assert admin_token(load()) == "given"
