"""From an error to the answer that a caller gets (api.md §3). Raises nothing and knows no route."""

from __future__ import annotations

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tallystick.api.routes import answer
from tallystick.ground.errors import NotFound, TallystickError, Unavailable

log = structlog.get_logger(__name__)

#: errors that have an answer of their own; all others are faults of ours
KNOWN = (TallystickError, HTTPException, OperationalError, InterfaceError, ConnectionError)


def answer_to(error: Exception) -> Response:
    """The answer; what the caller cannot mend is logged."""
    match error:
        case TallystickError():
            return answer(error.body(), error.status)
        case HTTPException(status_code=404 | 405):
            # no such route, or a method that is not routed: both are missing routes (api.md §3)
            return answer_to(NotFound("resource"))
        case HTTPException():
            return answer({"status": error.status_code, "error": str(error.detail)}, error.status_code)
        case OperationalError() | InterfaceError() | ConnectionError():
            log.error("database unavailable", error=str(error))
            return answer_to(Unavailable()) if _is_connection_loss(error) else _fault(error)
        case _:
            return _fault(error)


def _fault(error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    return answer(TallystickError().body(), 500)


def _is_connection_loss(error: Exception) -> bool:
    if not isinstance(error, DBAPIError) or error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    return (getattr(error.orig, "sqlstate", None) or "").startswith(("08", "57P"))
