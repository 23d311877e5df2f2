"""The one tree of errors that a caller may see; each knows its HTTP status and its body (api.md §3).

Doors only render these. Impossible states raise the core's own errors and are never answered politely.

    TallystickError
    ├── BadRequest         400  param missing, unparseable JSON
    ├── Unauthorized       401
    ├── Forbidden          403  code
    ├── NotFound           404  <thing>_not_found
    ├── NotAllowed         405  code: the state forbids it
    ├── PayloadTooLarge    413
    ├── Invalid            422  field -> [codes]
    ├── TooManyRequests    429
    └── Unavailable        503
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Details = Mapping[str, Any] | str


class TallystickError(Exception):
    """Base of all errors that are answers."""

    status = 500
    title = "Internal Server Error"

    def __init__(self, code: str | None = None) -> None:
        super().__init__(code or self.title)
        self.code = code

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer: `status`, `error`, and `code` where the contract has one."""
        body: dict[str, Any] = {"status": self.status, "error": self.title}
        if self.code is not None:
            body["code"] = self.code
        return body


class BadRequest(TallystickError):
    """400 with a sentence instead of a code."""

    status = 400
    title = "Bad Request"

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__()
        self.sentence = sentence or self.title

    def body(self) -> dict[str, Any]:
        return {"status": 400, "error": self.sentence}


class MissingRoot(BadRequest):
    """400: the root key is absent, null, empty or not an object."""

    def __init__(self, root: str) -> None:
        super().__init__(f"BadRequest: param is missing or the value is empty or invalid: {root}")


class Unauthorized(TallystickError):
    """401: no key, an unknown one or an expired one."""

    status = 401
    title = "Unauthorized"


class Forbidden(TallystickError):
    """403 with a code such as `read_action_not_allowed_for_customer`."""

    status = 403
    title = "Forbidden"


class NotFound(TallystickError):
    """404; `thing` is the singular name of what is missing."""

    status = 404
    title = "Not Found"

    def __init__(self, thing: str) -> None:
        super().__init__(f"{thing}_not_found")


class NotAllowed(TallystickError):
    """405: the object's state forbids the action."""

    status = 405
    title = "Method Not Allowed"


class PayloadTooLarge(TallystickError):
    """413: the body exceeds 10 MiB (metering.md §1.6)."""

    status = 413
    title = "Payload Too Large"


class TooManyRequests(TallystickError):
    """429: a configured rate limit is exceeded (api.md §14)."""

    status = 429
    title = "Too Many Requests"

    def __init__(self) -> None:
        super().__init__("rate_limit_exceeded")


class Unavailable(TallystickError):
    """503: the database cannot be reached."""

    status = 503
    title = "Service Unavailable"


class Invalid(TallystickError):
    """422: field -> codes. A plain string is allowed where the contract has one (metering.md §1.5 step 3)."""

    status = 422
    title = "Unprocessable Entity"

    def __init__(self, details: Details) -> None:
        super().__init__("validation_errors")
        self.details = details

    @classmethod
    def field(cls, name: str, *codes: str) -> Invalid:
        """One field with its codes."""
        return cls({name: list(codes)})

    def body(self) -> dict[str, Any]:
        return {**super().body(), "error_details": self.details}


class Problems:
    """Collects field codes while an input is read, so that one answer names all of them."""

    def __init__(self) -> None:
        self.details: dict[str, list[str]] = {}

    def add(self, field: str, *codes: str) -> None:
        """Add codes to a field, each once, in order."""
        known = self.details.setdefault(field, [])
        known.extend(code for code in codes if code not in known)

    def merge(self, details: Mapping[str, Sequence[str]]) -> None:
        """Add another mapping of field -> codes."""
        for field, codes in details.items():
            self.add(field, *codes)

    def raise_if_any(self) -> None:
        """Raise `Invalid` when something was added."""
        if self.details:
            raise Invalid(self.details)
