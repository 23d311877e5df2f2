"""VIES, the European Commission's registry of VAT numbers, over its REST interface (integrations.md §7).

Nothing but one question and its answer: what follows from it, and when to ask again, is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx

from tallystick.core.vat_numbers import VatNumber
from tallystick.rooms.taxes.ports import Answer, Confirmed, Denied, Silent

TIMEOUT_SECONDS = 10.0
#: the registry's answers are below a kilobyte; a larger one comes from something else
BODY_LIMIT = 64 * 1024
#: how long a registry that cannot be reached is left alone: thousands of customers may wait for it
REST_SECONDS = 30.0

_SERVICE = "service_unavailable"
_KINDS = {
    **dict.fromkeys(("MS_MAX_CONCURRENT_REQ", "MS_MAX_CONCURRENT_REQ_TIME"), "rate_limit"),
    **dict.fromkeys(("GLOBAL_MAX_CONCURRENT_REQ", "GLOBAL_MAX_CONCURRENT_REQ_TIME"), "rate_limit"),
    "TIMEOUT": "timeout",
    "VAT_BLOCKED": "blocked",
    "IP_BLOCKED": "blocked",
    "INVALID_REQUESTER_INFO": "invalid_requester",
    "SERVICE_UNAVAILABLE": _SERVICE,
    "MS_UNAVAILABLE": "member_state_unavailable",
}
_NO_SUCH_INPUT = "INVALID_INPUT"
#: what `userError` says of a question that was answered
_ANSWERED = ("", "VALID", "INVALID")
#: what the registry writes for what a member state does not tell
_UNTOLD = "---"


class Vies:
    """The registry at `base_url`. One that could not be reached is not called again for a while."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._out_of_reach = Silent(_SERVICE, "")
        self._resting_until = 0.0

    async def check(self, number: VatNumber, requester: VatNumber | None) -> Answer:
        """Whether the number exists; `requester` gets an identifier as proof of having asked."""
        if asyncio.get_running_loop().time() < self._resting_until:
            return self._out_of_reach
        body = {"countryCode": number.country, "vatNumber": number.digits}
        if requester is not None:
            body |= {"requesterMemberStateCode": requester.country, "requesterNumber": requester.digits}
        try:
            # questions are rare: a connection for each is cheaper than one that is kept
            async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
                response = await client.post(f"{self._base_url}/check-vat-number", json=body)
        except httpx.TimeoutException as error:
            return self._rest(Silent("timeout", f"no answer within {TIMEOUT_SECONDS:.0f} s: {type(error).__name__}"))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return self._rest(Silent(_SERVICE, f"{type(error).__name__}: {error}"))
        return answer_of(response.status_code, response.content[:BODY_LIMIT], number)

    def _rest(self, answer: Silent) -> Silent:
        self._out_of_reach = answer
        self._resting_until = asyncio.get_running_loop().time() + REST_SECONDS
        return answer


def answer_of(status: int, content: bytes, number: VatNumber) -> Answer:
    """What a response of the registry means."""
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return Silent(_SERVICE if status >= 500 else "unknown", f"HTTP {status}")
    code = _error_code(body)
    if code == _NO_SUCH_INPUT:
        return Denied()
    if code is not None:
        return Silent(_KINDS.get(code, "unknown"), code)
    if status != 200 or not isinstance(body.get("valid"), bool):
        return Silent(_SERVICE if status >= 500 else "unknown", f"HTTP {status}")
    return _confirmed(body, number) if body["valid"] else Denied()


def _error_code(body: Mapping[str, Any]) -> str | None:
    wrappers = body.get("errorWrappers")
    if body.get("actionSucceed") is False or wrappers:
        first = wrappers[0] if isinstance(wrappers, list) and wrappers else None
        return str((first.get("error") if isinstance(first, dict) else first) or "unknown")
    user_error = str(body.get("userError") or "")
    return None if user_error in _ANSWERED else user_error


def _confirmed(body: Mapping[str, Any], number: VatNumber) -> Confirmed:
    country = str(body.get("countryCode") or number.country)
    details = {
        "country_code": country,
        "vat_number": str(body.get("vatNumber") or number.digits),
        "request_date": str(body.get("requestDate") or "")[:10] or None,
        "name": _told(body.get("name")),
        "address": _told(body.get("address")),
    }
    return Confirmed(country, details, str(body.get("requestIdentifier") or ""))


def _told(value: Any) -> str | None:
    text = str(value or "").strip()
    return text if text and text != _UNTOLD else None
