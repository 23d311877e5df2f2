"""What the OpenAPI document says of a route beyond its path: parameters, body, errors, the key. Routes nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from tallystick.api.inputs import Input

SECURITY_SCHEMES = {
    "api_key": {"type": "http", "scheme": "bearer", "description": "An API key of an organization."},
    "admin_token": {"type": "http", "scheme": "bearer", "description": "The token of the installation's operator."},
}
SECURITY: list[dict[str, list[str]]] = [{"api_key": []}]
ADMIN_SECURITY: list[dict[str, list[str]]] = [{"admin_token": []}]


class Refusal(BaseModel):
    """The body of an error (api.md §3)."""

    status: int
    error: str


class CodedRefusal(Refusal):
    """The body of an error that has a code."""

    code: str = Field(examples=["customer_not_found"])


class ValidationRefusal(CodedRefusal):
    """The body of a 422: field -> codes; a text for a failed expression of an event."""

    error_details: dict[str, Any] | str = Field(examples=[{"name": ["value_is_mandatory"]}])


ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": Refusal, "description": "The body is no JSON, or its root key is missing."},
    401: {"model": Refusal, "description": "No key, an unknown one or an expired one."},
    403: {"model": CodedRefusal, "description": "The key may not do this."},
    404: {"model": CodedRefusal, "description": "Something that the path or the body names does not exist."},
    405: {"model": CodedRefusal, "description": "The state of the object forbids it."},
    413: {"model": Refusal, "description": "The body is larger than 10 MiB."},
    422: {"model": ValidationRefusal, "description": "Fields are refused."},
}
_BODY_ERRORS = (400, 405, 413)
_OBJECT = {"application/json": {"schema": {"type": "object"}}}


def responses(method: str) -> dict[int | str, dict[str, Any]]:
    """The answers that a method can give: its success and the errors of the contract."""
    reads = method in ("GET", "HEAD")
    errors = {status: error for status, error in ERRORS.items() if not (reads and status in _BODY_ERRORS)}
    return {200: {"description": "The object, or the list with its `meta`.", "content": _OBJECT}, **errors}


def describe(path: str, query: Sequence[str], root: str | None, model: type[Input] | None) -> dict[str, Any]:
    """Path and query parameters, the key, and the body: `model` under its `root`, or flat without one."""
    parameters = [_parameter(name, "path") for name in re.findall(r"{(\w+)}", path)]
    parameters += [_parameter(name, "query") for name in query]
    described: dict[str, Any] = {"security": SECURITY, "parameters": parameters}
    if model is not None:
        described["requestBody"] = body_of(_inline(model.model_json_schema()), root)
    return described


def body_of(schema: Mapping[str, Any], root: str | None) -> dict[str, Any]:
    """The body of a request that has this schema under its root key, or is it."""
    wrapped = schema if root is None else {"type": "object", "required": [root], "properties": {root: schema}}
    return {"required": root is not None, "content": {"application/json": {"schema": wrapped}}}


def _parameter(name: str, place: str) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": _parameter_schema(name)}


def _parameter_schema(name: str) -> dict[str, Any]:
    if name in ("page", "per_page"):
        return {"type": "integer", "minimum": 1}
    return {"type": "array", "items": {"type": "string"}} if name.endswith("[]") else {"type": "string"}


def _inline(schema: dict[str, Any]) -> dict[str, Any]:
    """Replace references to `$defs` by what they name: OpenAPI looks for them elsewhere."""
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return resolve(definitions[node["$ref"].rsplit("/", 1)[-1]])
            return {key: resolve(value) for key, value in node.items()}
        return [resolve(item) for item in node] if isinstance(node, list) else node

    resolved: dict[str, Any] = resolve(schema)
    return resolved
