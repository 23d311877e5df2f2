"""Bodies that no client of good faith sends: each is answered, as the contract says, and none is a fault."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.nasty import LONG, VALUES, bodies
from tests.contract.refusals import deviation
from tests.contract.shop import Shop
from tests.support.api import Api

JSON = {"Content-Type": "application/json"}
#: how many of the values each field gets, beside the one that is too long for an index
TURNS = 2
#: each body gets one in so many of the values
STEP = 4


def send(api: Api, method: str, path: str, content: str | bytes) -> tuple[int, dict[str, Any]]:
    """Status and body of an answer that is one of the contract's."""
    answer = api.http.request(method, f"/api/v1{path}", content=content, headers=JSON)
    reason = deviation(answer.status_code, answer.content)
    assert reason is None, f"{method} {path} {reason}: {answer.status_code} {answer.text[:300]} for {content[:300]!r}"
    return answer.status_code, answer.json() if answer.content else {}


def fields_of(document: dict[str, Any], method: str, path: str) -> list[str]:
    """The fields that the OpenAPI document describes of a body, below its root."""
    templates = [template for template in document["paths"] if _matches(template, path)]
    operation = document["paths"][min(templates, key=lambda template: template.count("{"))][method.lower()]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    if len(schema) > 1:
        return list(schema)
    (inner,) = schema.values()
    return list(inner.get("items", inner).get("properties", {}))


def _matches(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), f"/api/v1{path}") is not None


def with_field(body: dict[str, Any], field: str, text: str) -> str:
    """The JSON of a valid body with another value in one field."""
    root, inner = next(iter(body.items()))
    if len(body) > 1:
        return _replaced(body, field, text)
    if isinstance(inner, list):
        return f'{{"{root}": [{_replaced(inner[0], field, text)}]}}'
    return f'{{"{root}": {_replaced(inner, field, text)}}}'


def _replaced(fields: dict[str, Any], field: str, text: str) -> str:
    kept = {name: value for name, value in fields.items() if name != field}
    members = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in kept.items()]
    return "{" + ", ".join([*members, f"{json.dumps(field)}: {text}"]) + "}"


def turns(place: int) -> Iterator[str]:
    """Some of the values, others for each place."""
    texts = list(VALUES.values())
    yield VALUES["long"]
    for turn in range(TURNS):
        yield texts[(place * TURNS + turn) % len(texts)]


@pytest.mark.slow
def test_any_value_in_any_field(shop: Shop) -> None:
    document = shop.api.http.get("/openapi.json").json()
    place = 0
    for (method, path), body in bodies(shop).items():
        for field in fields_of(document, method, path):
            for text in turns(place):
                send(shop.api, method, path, with_field(body, field, text))
            place += 1
    assert place > 150


@pytest.mark.slow
def test_any_value_as_the_root_and_as_the_body(shop: Shop) -> None:
    texts = list(VALUES.values())
    for place, ((method, path), body) in enumerate(bodies(shop).items()):
        root = next(iter(body))
        for text in texts[place % STEP :: STEP]:
            send(shop.api, method, path, text)
            send(shop.api, method, path, f'{{"{root}": {text}}}')


def test_what_is_no_json(shop: Shop) -> None:
    for method, path in bodies(shop):
        for content in (
            '{"a": ',
            "{'a': 1}",
            '{"a": 1,}',
            b"\xff\xfe",
            '{"a": "\ud83d"}'.encode("utf-8", "surrogatepass"),
        ):
            status, body = send(shop.api, method, path, content)
            assert (status, body) == (400, {"status": 400, "error": "Bad Request"}), (method, path, content)


def test_a_root_that_is_missing_or_empty(shop: Shop) -> None:
    for (method, path), body in bodies(shop).items():
        root = next(iter(body))
        if len(body) > 1 or root in ("events", "metadata"):
            continue
        text = f"BadRequest: param is missing or the value is empty or invalid: {root}"
        for content in (
            "",
            "{}",
            f'{{"{root}": {{}}}}',
            f'{{"{root}": null}}',
            f'{{"{root}": []}}',
            f'{{"{root}": "x"}}',
        ):
            status, answer = send(shop.api, method, path, content)
            assert (status, answer) == (400, {"status": 400, "error": text}), (method, path, content)


def test_bodies_beyond_ten_mebibytes(shop: Shop) -> None:
    content = b'{"x": "' + b"x" * (10 * 1024 * 1024) + b'"}'
    for path in ("/customers", "/events", "/events/batch"):
        status, answer = send(shop.api, "POST", path, content)
        assert (status, answer) == (413, {"status": 413, "error": "Payload Too Large"})


@pytest.mark.parametrize("path", ["/customers", "/events", "/events/batch", "/plans"])
def test_nesting_without_end(shop: Shop, path: str) -> None:
    for content in ("[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000):
        assert send(shop.api, "POST", path, content)[0] in (400, 422)


def test_texts_that_no_index_holds(shop: Shop) -> None:
    plan = {"name": "P", "interval": "monthly", "amount_cents": 1, "amount_currency": "EUR"}
    url = f"https://hooks.example.com/{LONG}"
    known = {"external_customer_id": "acme", "plan_code": "basic", "external_id": "s"}
    cases: list[tuple[str, str, dict[str, Any], str]] = [
        ("/taxes", "tax", {"name": "T", "rate": "1", "code": LONG}, "code"),
        ("/billable_metrics", "billable_metric", {"name": "M", "aggregation_type": "count_agg", "code": LONG}, "code"),
        ("/plans", "plan", {**plan, "code": LONG}, "code"),
        ("/billing_entities", "billing_entity", {"name": "B", "code": LONG}, "code"),
        ("/customers", "customer", {"external_id": LONG}, "external_id"),
        ("/subscriptions", "subscription", {**known, "external_id": LONG}, "external_id"),
        ("/subscriptions", "subscription", {**known, "external_customer_id": LONG}, "external_customer_id"),
        ("/events", "event", {"transaction_id": LONG, "code": "calls"}, "transaction_id"),
        ("/webhook_endpoints", "webhook_endpoint", {"webhook_url": url}, "webhook_url"),
    ]
    for path, root, fields, name in cases:
        status, answer = send(shop.api, "POST", path, json.dumps({root: fields}))
        assert (status, answer["error_details"]) == (422, {name: ["value_is_too_long"]}), path


def test_nul_and_half_pairs_are_not_kept(shop: Shop) -> None:
    _, answer = send(shop.api, "POST", "/customers", r'{"customer": {"external_id": "n", "name": "a\u0000b"}}')
    assert answer["customer"]["name"] == "ab"
    send(shop.api, "POST", "/events", r'{"event": {"transaction_id": "a\u0000b", "code": "c\ud800"}}')
    assert shop.api.get("/events/ab")["event"]["code"] == "c\ufffd"


@pytest.mark.parametrize("text", [VALUES["year 0"], VALUES["year 99999"], VALUES["february 30"], '"soon"', "1e400"])
def test_dates_that_do_not_exist(shop: Shop, text: str) -> None:
    body: dict[str, Any] = {"subscription": {"external_customer_id": "acme", "plan_code": "basic", "external_id": "s"}}
    for field in ("subscription_at", "ending_at"):
        status, answer = send(shop.api, "POST", "/subscriptions", with_field(body, field, text))
        assert (status, answer["error_details"]) == (422, {field: ["invalid_date"]})
    status, answer = send(shop.api, "PUT", "/test_clock", f'{{"test_clock": {{"now": {text}}}}}')
    assert (status, answer["error_details"]) == (422, {"now": ["invalid_date"]})
