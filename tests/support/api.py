"""One sandbox organization seen through its API key, over real HTTP; shorthands return the resource itself."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

ADMIN_TOKEN = "test-admin-token"
Status = int | tuple[int, ...]


class Api:
    """A client of a running server. `now` is the organization's clock once `at` has set it."""

    def __init__(self, url: str, admin_token: str = ADMIN_TOKEN, **organization: Any) -> None:
        self.http = httpx.Client(base_url=url, timeout=120)
        body = {"name": f"test-{uuid.uuid4()}", "sandbox": True, "country": "US", "default_currency": "EUR"}
        answer = self.http.post(
            "/admin/organizations",
            json={"organization": {**body, "timezone": "UTC", **organization}},
            headers={"Authorization": f"Bearer {admin_token}"},
        )
        assert answer.status_code == 200, answer.text
        made = answer.json()
        self.organization: dict[str, Any] = made["organization"]
        self.api_key: str = made["api_key"]
        self.http.headers["Authorization"] = f"Bearer {self.api_key}"
        self.now = ""

    def call(self, method: str, path: str, body: Any = None, status: Status = 200, **params: Any) -> Any:
        """One call under /api/v1; asserts the status."""
        answer = self.http.request(method, f"/api/v1{path}", json=body, params=params or None)
        allowed = (status,) if isinstance(status, int) else status
        assert answer.status_code in allowed, f"{method} {path} -> {answer.status_code}: {answer.text[:2000]}"
        return answer.json() if answer.content else None

    def get(self, path: str, status: Status = 200, **params: Any) -> Any:
        """GET."""
        return self.call("GET", path, None, status, **params)

    def post(self, path: str, body: Any = None, status: Status = 200) -> Any:
        """POST."""
        return self.call("POST", path, body, status)

    def put(self, path: str, body: Any = None, status: Status = 200) -> Any:
        """PUT."""
        return self.call("PUT", path, body, status)

    def delete(self, path: str, status: Status = 200, **params: Any) -> Any:
        """DELETE."""
        return self.call("DELETE", path, None, status, **params)

    def at(self, moment: str) -> Api:
        """Move the test clock to `moment` (ISO 8601), doing all work that falls due on the way."""
        self.now = moment
        self.put("/test_clock", {"test_clock": {"now": moment}})
        return self
