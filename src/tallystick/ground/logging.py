"""Structured logging: structlog and the standard library's loggers write through the same processors to stderr.

It is not the API log or the activity log, which are tables that organizations can read.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, Literal

import structlog
from structlog.typing import Processor

SECRET_KEY = re.compile(r"pass(word|wd|phrase)|secret|token|authorization|cookie|api_?key|private_key|hmac_key", re.I)
URL_PASSWORD = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@/]+@", re.I)
HIDDEN = "[hidden]"


def configure_logging(level: str = "info", log_format: Literal["json", "console"] = "json") -> None:
    """Send every log line to stderr in one format; uvicorn's access lines stay silent. May be called again."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(log_format)],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level.upper())
    _tame_libraries()


def _rendering(log_format: Literal["json", "console"]) -> list[Processor]:
    """Exceptions become plain text first, so that hiding reaches them and no local variables are printed."""
    hide: list[Processor] = [structlog.processors.format_exc_info, hide_secrets]
    match log_format:
        case "json":
            return [*hide, structlog.processors.EventRenamer("message"), structlog.processors.JSONRenderer(default=str)]
        case "console":
            return [*hide, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]


def _tame_libraries() -> None:
    """uvicorn installs handlers of its own; its access line is replaced by the API's."""
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False
    for name in ("httpx", "httpcore", "asyncio", "procrastinate", "alembic", "uvicorn.error"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.root.level))


def hide_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: values under telling names and passwords inside URLs are replaced, at any depth."""
    return {key: _hidden(key, value) for key, value in event.items()}


def _hidden(key: str, value: Any) -> Any:
    if value is not None and SECRET_KEY.search(key):
        return HIDDEN
    match value:
        case str():
            return URL_PASSWORD.sub(rf"\g<scheme>:{HIDDEN}@", value)
        case Mapping():
            return {name: _hidden(str(name), item) for name, item in value.items()}
        case list() | tuple():
            return [_hidden("", item) for item in value]
        case _:
            return value


@contextmanager
def bind_request_id(request_id: str) -> Iterator[None]:
    """Every line logged inside the block, in this task and the ones it starts, carries `request_id`."""
    bound = structlog.contextvars.bind_contextvars(request_id=request_id)
    try:
        yield
    finally:
        structlog.contextvars.reset_contextvars(**bound)
