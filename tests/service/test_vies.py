"""The registry of VAT numbers over real HTTP: what each of its answers means (integrations.md §7)."""

from __future__ import annotations

import json
import socket

import pytest

from tallystick.core.vat_numbers import VatNumber
from tallystick.providers import vies as provider
from tallystick.providers.vies import answer_of
from tallystick.rooms.taxes.ports import Confirmed, Denied, Silent
from tests.standins.vies import ERRORS, Vies, failed, found

NUMBER = VatNumber("DE", "000090100")
KINDS = {
    "300": "service_unavailable",
    "301": "member_state_unavailable",
    "302": "timeout",
    "400": "blocked",
    "401": "blocked",
    "500": "rate_limit",
    "501": "rate_limit",
    "600": "rate_limit",
    "601": "rate_limit",
    "202": "invalid_requester",
}


async def test_a_number_that_exists(vies: Vies) -> None:
    answer = await provider.Vies(vies.url).check(NUMBER, VatNumber("FR", "40303265045"))
    assert isinstance(answer, Confirmed)
    assert (answer.country, answer.request_identifier) == ("DE", "WAPI-1")


@pytest.mark.parametrize(("suffix", "kind"), KINDS.items())
async def test_errors_by_code(vies: Vies, suffix: str, kind: str) -> None:
    answer = await provider.Vies(vies.url).check(VatNumber("DE", f"000090{suffix}"), None)
    assert answer == Silent(kind, ERRORS[suffix])


async def test_numbers_that_do_not_exist(vies: Vies) -> None:
    for suffix in ("200", "201"):
        assert await provider.Vies(vies.url).check(VatNumber("DE", f"000090{suffix}"), None) == Denied()


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (503, b"<html>busy</html>", Silent("service_unavailable", "HTTP 503")),
        (404, b"<html>gone</html>", Silent("unknown", "HTTP 404")),
        (200, b"[]", Silent("unknown", "HTTP 200")),
        (200, b'{"valid": "yes"}', Silent("unknown", "HTTP 200")),
        (200, b'{"valid": false, "userError": "INVALID"}', Denied()),
        (200, b'{"valid": false, "userError": "MS_UNAVAILABLE"}', Silent("member_state_unavailable", "MS_UNAVAILABLE")),
        (200, failed("INVALID_INPUT")[1], Denied()),
        (200, b'{"actionSucceed": false}', Silent("unknown", "unknown")),
        (400, b'{"errorWrappers": ["TIMEOUT"]}', Silent("timeout", "TIMEOUT")),
        (200, b'{"valid": false}', Denied()),
    ],
)
def test_odd_answers(status: int, body: bytes, answer: object) -> None:
    assert answer_of(status, body, NUMBER) == answer


def test_what_a_member_state_does_not_tell_is_null() -> None:
    body = json.loads(found("DE", "000090100")[1]) | {"name": "---", "address": ""}
    answer = answer_of(200, json.dumps(body).encode(), NUMBER)
    assert isinstance(answer, Confirmed)
    assert (answer.details["name"], answer.details["address"]) == (None, None)


async def test_a_registry_out_of_reach_is_left_alone_for_a_while() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    registry = provider.Vies(url)
    first = await registry.check(NUMBER, None)
    assert isinstance(first, Silent)
    assert first.kind == "service_unavailable"
    assert await registry.check(NUMBER, None) is first
