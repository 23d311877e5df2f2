"""The demonstration's calls of the HTTP API, in the order in which an integration makes them. Shows nothing."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tallystick.cli.demo import story
from tallystick.cli.demo.receiver import Receiver

#: events in one request, and requests at the same time
BATCH = 100
SENDERS = 4


class Refused(Exception):
    """The API answered with an error where the demonstration expects none."""


class Meridian:
    """The organization of the story, seen through its API key. Objects come without their root key."""

    def __init__(self, url: str, admin_token: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=300)
        made = self._call("POST", "/admin/organizations", {"organization": story.ORGANIZATION}, f"Bearer {admin_token}")
        self.organization: dict[str, Any] = made["organization"]
        self.api_key: str = made["api_key"]

    def listen(self, receiver: Receiver) -> None:
        """Register two endpoints at the receiver, one for each way to sign."""
        receiver.hmac_key = self.organization["hmac_key"]
        answer = self._call("GET", "/api/v1/webhooks/json_public_key")
        receiver.public_key = base64.b64decode(answer["webhook"]["public_key"])
        for algorithm in ("jwt", "hmac"):
            body = {"webhook_url": f"{receiver.url}/{algorithm}", "signature_algo": algorithm}
            self._post("webhook_endpoints", "webhook_endpoint", body)

    def describe_prices(self) -> None:
        """Taxes, metrics and plans."""
        for tax in story.TAXES:
            self._post("taxes", "tax", tax)
        ids = {
            metric["code"]: self._post("billable_metrics", "billable_metric", metric)["lago_id"]
            for metric in story.METRICS
        }
        for plan in story.PLANS:
            self._post("plans", "plan", {**plan, "interval": "monthly", "charges": story.charges(ids)})

    def sign_up(self) -> None:
        """The customers, each with a subscription by calendar months."""
        for customer in story.CUSTOMERS:
            self._post("customers", "customer", customer.body)
        for customer in story.CUSTOMERS:
            body = {
                "external_customer_id": customer.external_id,
                "external_id": customer.external_id,
                "plan_code": customer.plan,
                "billing_time": "calendar",
            }
            self._post("subscriptions", "subscription", body)

    def send_events(self, events: Sequence[dict[str, Any]]) -> Iterator[int]:
        """Send all events in batches; yields how many each answered batch had."""
        batches = [events[start : start + BATCH] for start in range(0, len(events), BATCH)]
        with ThreadPoolExecutor(SENDERS) as senders:
            yield from senders.map(self._send_batch, batches)

    def move_clock(self, to: dt.datetime) -> None:
        """Move the organization's clock; the answer comes when all that fell due on the way is done."""
        self._call("PUT", "/api/v1/test_clock", {"test_clock": {"now": to.isoformat()}})

    def usage(self, customer: story.Customer) -> dict[str, Any]:
        """The customer's usage of the running month."""
        path = f"/api/v1/customers/{customer.external_id}/current_usage"
        answer = self._call("GET", f"{path}?external_subscription_id={customer.external_id}")
        found: dict[str, Any] = answer["customer_usage"]
        return found

    def invoices(self) -> list[dict[str, Any]]:
        """All invoices with their fees, oldest first."""
        rows = self._call("GET", "/api/v1/invoices?per_page=100")["invoices"]
        full = [self._call("GET", f"/api/v1/invoices/{row['lago_id']}")["invoice"] for row in rows]
        return sorted(full, key=lambda invoice: (invoice["issuing_date"], invoice["number"]))

    def _send_batch(self, batch: Sequence[dict[str, Any]]) -> int:
        return len(self._call("POST", "/api/v1/events/batch", {"events": batch})["events"])

    def _post(self, path: str, root: str, body: Any) -> dict[str, Any]:
        made: dict[str, Any] = self._call("POST", f"/api/v1/{path}", {root: body})[root]
        return made

    def _call(self, method: str, path: str, body: Any = None, authorization: str | None = None) -> Any:
        headers = {"Authorization": authorization or f"Bearer {self.api_key}"}
        answer = self.http.request(method, path, json=body, headers=headers)
        if answer.status_code != 200:
            raise Refused(f"{method} {path} was answered with {answer.status_code}: {answer.text[:500]}")
        return answer.json()
