"""Logging: one line per event in the chosen format, the request id on it, and no secrets."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from tallystick.ground.logging import bind_request_id, configure_logging, hide_secrets


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


def test_a_json_line_carries_the_request_id_and_hides_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    log = structlog.get_logger("tallystick.test")
    with bind_request_id("req-1"):
        log.info("connected", url="postgresql://tally:pw@127.0.0.1:5/x", detail={"api_key": "k"}, count=2)
    log.debug("unseen")
    [line] = [json.loads(text) for text in capsys.readouterr().err.splitlines()]
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "message": "connected",
        "level": "info",
        "logger": "tallystick.test",
        "request_id": "req-1",
        "url": "postgresql://tally:[hidden]@127.0.0.1:5/x",
        "detail": {"api_key": "[hidden]"},
        "count": 2,
    }


def test_standard_library_loggers_write_the_same_format(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    logging.getLogger("uvicorn.access").info("GET /")
    logging.getLogger("uvicorn.error").warning("slow %s", "start", extra={"admin_token": "t"})
    [line] = [json.loads(text) for text in capsys.readouterr().err.splitlines()]
    assert (line["message"], line["level"], line["admin_token"]) == ("slow start", "warning", "[hidden]")


def test_an_exception_is_logged_without_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "console")
    swordfish = "sword" + "fish"
    try:
        raise ValueError("postgresql://u:hush@host/db")
    except ValueError:
        structlog.get_logger().exception("failed")
    text = capsys.readouterr().err
    assert "ValueError" in text
    assert swordfish not in text
    assert "hush" not in text


def test_hiding_keeps_plain_values() -> None:
    event = {"event": "x", "password": None, "rows": [1, "redis://:p@h"], "secret_rotated": True}
    assert hide_secrets(None, "", event) == {
        "event": "x",
        "password": None,
        "rows": [1, "redis://:[hidden]@h"],
        "secret_rotated": "[hidden]",
    }
