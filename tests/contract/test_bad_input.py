"""Whatever is sent, the product answers as the contract says: never a 5xx, and every 4xx is its JSON error body.

Inputs are made from the product's own OpenAPI document, as it allows them and as it does not, with a fixed seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode

from tests.contract.refusals import deviation
from tests.contract.shop import Shop
from tests.support.api import ADMIN_TOKEN

EXAMPLES = 3
#: moves time by centuries, which is much honest work; its bad input is in `test_bad_bodies.py`
SLOW = {("PUT", "/api/v1/test_clock"), ("PATCH", "/api/v1/test_clock")}


class Known:
    """Names of what exists, for the parameters of paths."""

    def __init__(self, shop: Shop) -> None:
        lago = shop.lago
        self.invoice = shop.invoice().lago_id
        self.fee = lago.fees.find_all()["fees"][0].lago_id
        self.codes = {
            "/taxes/": "vat",
            "/billable_metrics/": "calls",
            "/charges/": "calls",
            "/plans/": "basic",
            "/billing_entities/": lago.billing_entities.find_all()["billing_entities"][0].code,
        }

    def parameters(self, path: str) -> dict[str, str]:
        """The parameters of this path that are known."""
        known = {
            "code": next((code for word, code in self.codes.items() if word in path), "nothing"),
            "plan_code": "basic",
            "external_id": "sub" if "/subscriptions/{" in path else "acme",
            "external_customer_id": "acme",
            "id": self.fee if "/fees/" in path else self.invoice,
        }
        return {name: value for name, value in known.items() if f"{{{name}}}" in path}


def operations(url: str) -> Iterator[Any]:
    """What the document describes; deletions at the end."""
    document = requests.get(f"{url}/openapi.json", timeout=30).json()
    found = [result.ok() for result in schemathesis.openapi.from_dict(document).get_all_operations()]
    wanted = [each for each in found if (each.method.upper(), each.path) not in SLOW]
    yield from sorted(wanted, key=lambda each: each.method.upper() == "DELETE")


def attack(
    shop: Shop, operation: Any, mode: GenerationMode, known: dict[str, str], session: requests.Session
) -> set[str]:
    """Send what the mode makes for an operation; the deviations that were found."""
    found: set[str] = set()
    url = str(shop.api.http.base_url)
    token = ADMIN_TOKEN if operation.path.startswith("/admin") else shop.api.api_key

    @seed(20250601)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        case.path_parameters = {**(case.path_parameters or {}), **known}
        case.headers = {}
        answer = case.call(base_url=url, headers={"Authorization": f"Bearer {token}"}, session=session)
        reason = deviation(answer.status_code, answer.content)
        if reason is not None:
            found.add(f"{operation.label} {reason}: {answer.status_code} {answer.text[:300]} for {case.body!r:.500}")

    send()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_every_operation_answers_as_the_contract_says(shop: Shop, mode: GenerationMode) -> None:
    shop.event(3)
    known = Known(shop)
    found: set[str] = set()
    with requests.Session() as session:
        for operation in operations(str(shop.api.http.base_url)):
            named = {} if operation.method.upper() == "DELETE" else known.parameters(operation.path)
            found |= attack(shop, operation, mode, named, session)
    assert not found, "\n".join(sorted(found))
