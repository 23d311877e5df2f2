"""Rate limits of an organization: headers, refusals, and their absence when no limit is set (api.md §14)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.api import Api
from tests.support.server import Running, settings_for


@pytest.fixture
def limited(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(
        settings_for(database_url, tmp_path_factory.mktemp("limited"), rate_limit_other=2, rate_limit_events=1)
    )
    server.start()
    yield server
    server.stop()


def test_above_the_limit_nothing_is_done(limited: Running) -> None:
    api = Api(limited.url)
    answers = [api.http.get("/api/v1/taxes") for _ in range(12)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused, "twelve requests took longer than four seconds"
    assert refused[0].json() == {"status": 429, "error": "Too Many Requests", "code": "rate_limit_exceeded"}
    assert refused[0].headers["x-ratelimit-remaining"] == "0"
    for answer in answers:
        assert answer.headers["x-ratelimit-limit"] == "2"
        assert int(answer.headers["x-ratelimit-reset"]) >= 1


def test_events_count_by_themselves(limited: Running) -> None:
    api = Api(limited.url)
    answer = api.http.post("/api/v1/events", json={"event": {"transaction_id": "t", "code": "c"}})
    assert answer.status_code == 200
    assert answer.headers["x-ratelimit-limit"] == "1"
    assert api.http.get("/api/v1/taxes").headers["x-ratelimit-limit"] == "2"


def test_without_limits_there_are_no_headers(api: Api) -> None:
    assert not any(name.startswith("x-ratelimit") for name in api.http.get("/api/v1/taxes").headers)
