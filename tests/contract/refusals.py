"""What the official client raises when the product refuses: status and body as its users see them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from lago_python_client.exceptions import LagoApiError

TITLES = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Payload Too Large",
    422: "Unprocessable Entity",
}
CODED = (403, 404, 405, 422)
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


def deviation(status: int, content: bytes) -> str | None:
    """Why an answer is none that the contract knows (api.md §3); None when it is one."""
    if status == 200:
        return None
    try:
        body = json.loads(content)
    except ValueError:
        return "no JSON"
    if status not in (400, *TITLES) or body.get("status") != status:
        return "not a status of the contract"
    if body["error"] != TITLES.get(status, body["error"]):
        return "another title"
    wanted = {"status", "error"} | ({"code"} if status in CODED else set())
    wanted |= {"error_details"} if status == 422 else set()
    return None if set(body) == wanted else "other keys"
