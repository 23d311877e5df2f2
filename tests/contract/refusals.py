"""What the official client raises when the product refuses: status and body as its users see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lago_python_client.exceptions import LagoApiError

TITLES = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}
UNAUTHORIZED = {"status": 401, "error": "Unauthorized"}


def refused(call: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    """The body of the error; its `status` is the status of the answer."""
    with pytest.raises(LagoApiError) as raised:
        call(*arguments)
    body: dict[str, Any] = raised.value.response
    assert isinstance(body, dict)
    assert raised.value.status_code == body["status"]
    return body


def coded(status: int, code: str) -> dict[str, Any]:
    """The body of an error that has a code and no details."""
    return {"status": status, "error": TITLES[status], "code": code}


def invalid(**details: list[str]) -> dict[str, Any]:
    """The body of a validation error."""
    return {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }
