"""The one parameter set of a request: query string and JSON body together, the body wins (api.md §1)."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from tallystick.ground import json
from tallystick.ground.errors import BadRequest, PayloadTooLarge

MAX_BODY_BYTES = 10 * 1024 * 1024


async def read_body(receive: Receive) -> bytes:
    """The body, refused above 10 MiB before it is read whole (metering.md §1.6)."""
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise PayloadTooLarge
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


async def read_parameters(request: Request) -> dict[str, Any]:
    """Query and body merged; raises `BadRequest` for a body that is no JSON."""
    parameters = _query(request.query_params.multi_items())
    body = await read_body(request.receive) if request.method not in ("GET", "HEAD") else b""
    if body.strip():
        try:
            decoded = json.loads(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadRequest from error
        if isinstance(decoded, dict):
            parameters.update(decoded)
    cleaned: dict[str, Any] = without_nul(parameters)
    return cleaned


def _query(items: list[tuple[str, str]]) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    for key, value in items:
        if key.endswith("[]"):
            name = key[:-2]
            known = parameters.get(name)
            parameters[name] = [*known, value] if isinstance(known, list) else [value]
        elif key.endswith("]") and "[" in key:
            name, _, inner = key[:-1].partition("[")
            known = parameters.get(name)
            parameters[name] = _with(known, inner, value) if isinstance(known, dict) else {inner: value}
        else:
            parameters = _with(parameters, key, value)
    return parameters


def _with(known: dict[str, Any], key: str, value: str) -> dict[str, Any]:
    """One more value; what is sent repeatedly becomes a list (sdk-compat.md §2)."""
    if key not in known:
        return {**known, key: value}
    before = known[key]
    return {**known, key: [*before, value] if isinstance(before, list) else [before, value]}


def without_nul(value: Any) -> Any:
    """PostgreSQL text holds no NUL characters; they are stripped (customers_entitlements.md §1.1)."""
    if isinstance(value, str):
        return value.replace("\x00", "") if "\x00" in value else value
    if isinstance(value, dict):
        return {without_nul(key): without_nul(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    return value
