"""Webhook endpoints over HTTP: rules, errors, filters, secrets, the published key (webhooks.md §1.5, §1.9, §1.10)."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import httpx
import pytest

from tallystick.core import signing
from tests.support.api import Api
from tests.support.server import Running

URL = "https://hooks.test/tallystick?token=1"


def register(api: Api, status: int = 200, **fields: Any) -> Any:
    """The endpoint, or the error details."""
    answer = api.post("/webhook_endpoints", {"webhook_endpoint": {"webhook_url": URL, **fields}}, status)
    return answer["webhook_endpoint"] if status == 200 else answer["error_details"]


def change(api: Api, lago_id: str, status: int = 200, **fields: Any) -> Any:
    answer = api.put(f"/webhook_endpoints/{lago_id}", {"webhook_endpoint": fields}, status)
    return answer["webhook_endpoint"] if status == 200 else answer["error_details"]


def test_an_endpoint_and_its_secret(api: Api) -> None:
    made = register(api, name="main")
    secret = made.pop("secret")
    assert len(signing.secret_bytes(secret)) == 32
    assert list(made) == [
        "lago_id",
        "lago_organization_id",
        "webhook_url",
        "signature_algo",
        "name",
        "event_types",
        "disabled_at",
        "created_at",
    ]
    assert made["lago_organization_id"] == api.organization["lago_id"]
    assert (made["signature_algo"], made["event_types"], made["disabled_at"]) == ("jwt", None, None)
    assert api.get(f"/webhook_endpoints/{made['lago_id']}")["webhook_endpoint"] == made
    assert api.get("/webhook_endpoints")["webhook_endpoints"] == [made]


def test_a_rotated_secret_is_shown_once(api: Api) -> None:
    made = register(api)
    rotated = api.post(f"/webhook_endpoints/{made['lago_id']}/rotate_secret")["webhook_endpoint"]
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != made["secret"]
    assert "secret" not in api.get(f"/webhook_endpoints/{made['lago_id']}")["webhook_endpoint"]


@pytest.mark.parametrize("url", [None, "", "  "])
def test_a_url_is_needed(api: Api, url: str | None) -> None:
    wanted = {"webhook_url": ["value_is_mandatory", "url_is_invalid"]}
    assert register(api, 422, webhook_url=url) == wanted
    assert change(api, register(api)["lago_id"], 422, webhook_url=url) == wanted


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.test/",
        "hooks.test/x",
        "https://",
        "https:///path",
        "http://a b/",
        "http://h:99999/",
        "http://[::1",
        7,
    ],
)
def test_a_url_is_http_with_a_host(api: Api, url: Any) -> None:
    assert register(api, 422, webhook_url=url) == {"webhook_url": ["url_is_invalid"]}


def test_any_host_is_accepted_at_registration(api: Api) -> None:
    urls = [
        "http://127.0.0.1:9/",
        "https://user:pass@hooks.test/x?y=z#f",
        "http://[::1]:8080/a",
        "https://bücher.test/",
    ]
    assert [register(api, webhook_url=url)["webhook_url"] for url in urls] == urls


def test_a_url_is_registered_once(api: Api) -> None:
    made, other = register(api), register(api, webhook_url=URL + "2")
    assert register(api, 422) == {"webhook_url": ["value_already_exist"]}
    assert change(api, other["lago_id"], 422, webhook_url=URL) == {"webhook_url": ["value_already_exist"]}
    assert change(api, made["lago_id"], webhook_url=URL, name="same")["name"] == "same"


@pytest.mark.parametrize("algorithm", [None, "rsa", "JWT", ""])
def test_an_algorithm_is_jwt_or_hmac(api: Api, algorithm: str | None) -> None:
    assert register(api, 422, signature_algo=algorithm) == {"signature_algo": ["value_is_invalid"]}
    assert change(api, register(api)["lago_id"], 422, signature_algo=algorithm) == {
        "signature_algo": ["value_is_invalid"]
    }


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (None, None),
        (["*"], None),
        ([" * ", ""], None),
        ([], []),
        ([" ", ""], []),
        ([" Customer.Created ", "plan.created", "PLAN.CREATED"], ["customer.created", "plan.created"]),
        (["credit_note.provider_refund_failure"], ["credit_note.provider_refund_failure"]),
        (["credit_note.refund_failure"], ["credit_note.refund_failure"]),
        (["event.error", "events.error"], ["event.error", "events.error"]),
        (["fee.tax_provider_error"], ["fee.tax_provider_error"]),
    ],
)
def test_a_filter_is_normalized(api: Api, given: Any, stored: Any) -> None:
    made = register(api, event_types=given)
    assert made["event_types"] == stored
    assert change(api, made["lago_id"], event_types=given)["event_types"] == stored


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("customer.created", "must_be_array"),
        ({"a": 1}, "must_be_array"),
        (7, "must_be_array"),
        (["foo.bar"], 'contains invalid types: ["foo.bar"]'),
        (["customer.created", "Foo", "bar"], 'contains invalid types: ["foo", "bar"]'),
        (["*", "customer.created"], 'contains invalid types: ["*"]'),
        (["invoice.add_on_added"], 'contains invalid types: ["invoice.add_on_added"]'),
        ([1], 'contains invalid types: ["1"]'),
    ],
)
def test_a_filter_holds_known_types(api: Api, given: Any, message: str) -> None:
    assert register(api, 422, event_types=given) == {"event_types": [message]}


def test_only_given_fields_change(api: Api) -> None:
    made = register(api, name="main", event_types=["plan.created"], signature_algo="hmac")
    changed = change(api, made["lago_id"], webhook_url=URL + "2")
    assert {**changed, "webhook_url": URL} == {key: value for key, value in made.items() if key != "secret"}
    assert change(api, made["lago_id"], name=None, event_types=None)["event_types"] is None


def test_ten_endpoints_at_most(api: Api) -> None:
    made = [register(api, webhook_url=f"{URL}{n}") for n in range(10)]
    assert register(api, 422) == {"base": ["Maximum number of webhook endpoints was reached"]}
    gone = api.delete(f"/webhook_endpoints/{made[0]['lago_id']}")["webhook_endpoint"]
    assert gone["lago_id"] == made[0]["lago_id"]
    register(api)
    listed = api.get("/webhook_endpoints", per_page=3)
    assert [row["webhook_url"] for row in listed["webhook_endpoints"]] == [URL, URL + "1", URL + "2"]
    assert listed["meta"]["total_count"] == 10


@pytest.mark.parametrize("lago_id", ["nothing", "0d7fd5b2-2f0a-4b2e-a1f3-5f6c0f7a2b11"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("GET", "/deliveries"),
        ("POST", "/replay"),
        ("POST", "/rotate_secret"),
    ],
)
def test_an_unknown_endpoint(api: Api, lago_id: str, method: str, path: str) -> None:
    body = {"webhook_endpoint": {"name": "x"}, "failed_since": "2025-01-01"}
    answer = api.call(method, f"/webhook_endpoints/{lago_id}{path}", body, 404)
    assert answer["code"] == "webhook_endpoint_not_found"


def test_endpoints_of_others_are_unknown(api: Api, running: Running) -> None:
    made = register(api)
    other = Api(running.url)
    assert other.get(f"/webhook_endpoints/{made['lago_id']}", 404)["code"] == "webhook_endpoint_not_found"
    register(other)


def test_the_root_key_is_needed(api: Api) -> None:
    assert api.post("/webhook_endpoints", {"webhook_url": URL}, 400)["status"] == 400


def test_the_organization_names_its_first_endpoint(api: Api) -> None:
    api.put("/organizations", {"organization": {"webhook_url": URL}})
    (made,) = api.get("/webhook_endpoints")["webhook_endpoints"]
    register(api, webhook_url=URL + "2")
    answer = api.put("/organizations", {"organization": {"webhook_url": URL + "3"}})["organization"]
    assert answer["webhook_url"] == URL + "3"
    assert api.get(f"/webhook_endpoints/{made['lago_id']}")["webhook_endpoint"]["webhook_url"] == URL + "3"
    refused = api.put("/organizations", {"organization": {"webhook_url": "ftp://x"}}, 422)
    assert refused["error_details"] == {"webhook_url": ["url_is_invalid"]}


def test_the_public_key(api: Api) -> None:
    text = api.get("/webhooks/json_public_key")["webhook"]["public_key"]
    assert base64.b64decode(text).startswith(b"-----BEGIN PUBLIC KEY-----")
    plain = api.http.get("/api/v1/webhooks/public_key")
    assert plain.headers["content-type"].startswith("text/plain")
    assert plain.text == text
    anonymous = httpx.get(str(api.http.base_url) + "/api/v1/webhooks/public_key")
    assert anonymous.status_code == 401


def test_a_replay_needs_a_start(api: Api) -> None:
    endpoint = f"/webhook_endpoints/{register(api)['lago_id']}"
    assert api.post(f"{endpoint}/replay", {}, 422)["error_details"] == {"failed_since": ["value_is_mandatory"]}
    assert api.post(f"{endpoint}/replay", {"from": "soon"}, 422)["error_details"] == {"from": ["invalid_date"]}
    assert api.post(f"{endpoint}/replay", {"from": "2025-01-01"})["replay"]["deliveries_count"] == 0
    assert api.get(f"{endpoint}/deliveries")["webhook_deliveries"] == []


def test_an_unknown_delivery(api: Api) -> None:
    for lago_id in ("nothing", str(uuid.uuid4())):
        assert api.post(f"/webhook_deliveries/{lago_id}/retry", None, 404)["code"] == "webhook_not_found"
