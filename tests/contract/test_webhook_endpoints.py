"""`webhook_endpoints` and `webhooks` through the official client."""

from __future__ import annotations

from lago_python_client import Client
from lago_python_client.models import WebhookEndpoint

from tests.contract.refusals import coded, invalid, refused
from tests.support.api import Api

URL = "https://hooks.example.com/in"


def test_create_find_update_destroy(lago: Client, api: Api) -> None:
    made = lago.webhook_endpoints.create(WebhookEndpoint(webhook_url=URL, name="main"))
    assert (made.webhook_url, made.signature_algo, made.name, made.event_types) == (URL, "jwt", "main", None)
    assert made.lago_organization_id == api.organization["lago_id"]
    assert lago.webhook_endpoints.find(made.lago_id) == made
    change = WebhookEndpoint(signature_algo="hmac", event_types=["invoice.created"])
    changed = lago.webhook_endpoints.update(change, made.lago_id)
    assert (changed.signature_algo, changed.event_types, changed.webhook_url) == ("hmac", ["invoice.created"], URL)
    assert [row.lago_id for row in lago.webhook_endpoints.find_all()["webhook_endpoints"]] == [made.lago_id]
    assert lago.webhook_endpoints.destroy(made.lago_id).lago_id == made.lago_id
    assert lago.webhook_endpoints.find_all()["webhook_endpoints"] == []


def test_refusals(lago: Client) -> None:
    create = lago.webhook_endpoints.create
    assert refused(create, WebhookEndpoint(name="x")) == invalid(webhook_url=["value_is_mandatory", "url_is_invalid"])
    assert refused(create, WebhookEndpoint(webhook_url="nope")) == invalid(webhook_url=["url_is_invalid"])
    create(WebhookEndpoint(webhook_url=URL))
    assert refused(create, WebhookEndpoint(webhook_url=URL)) == invalid(webhook_url=["value_already_exist"])
    for call in (lago.webhook_endpoints.find, lago.webhook_endpoints.destroy):
        assert refused(call, "nope") == coded(404, "webhook_endpoint_not_found")


def test_public_key(lago: Client) -> None:
    assert lago.webhooks.public_key().startswith(b"-----BEGIN PUBLIC KEY-----")
