"""Every message has the keys, types and order of the contract (webhooks.md §1.2, §2, §4), over a real socket."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator

import pytest
from lago_python_client.models import BillableMetric, CustomerBillingConfiguration, Invoice, Plan, Subscription

from tallystick.cli.demo.receiver import Receiver
from tests.contract.shop import Shop
from tests.contract.typecodes import assert_shape

PLAN = "plan+charges+usage_thresholds+taxes+minimum_commitment*+metadata*"
ISSUED = "invoice+customer+subscriptions+billing_periods+fees+credits+applied_taxes"
#: type -> code of its object; the key is the code's name
CODES = {
    "customer.created": "customer+integration_customers",
    "customer.updated": "customer+integration_customers",
    "billable_metric.created": "billable_metric",
    "billable_metric.updated": "billable_metric",
    "billable_metric.deleted": "billable_metric",
    "plan.created": f"{PLAN}+entitlements",
    "plan.updated": f"{PLAN}+entitlements",
    "plan.deleted": PLAN,
    "subscription.started": "subscription+plan+customer+entitlements",
    "subscription.updated": "subscription+plan+customer+entitlements",
    "subscription.terminated": "subscription+plan+customer",
    "invoice.created": f"{ISSUED}+applied_invoice_custom_sections",
    "invoice.drafted": f"{ISSUED}+error_details",
    "invoice.ready_to_finalize": f"{ISSUED}+error_details",
    "invoice.payment_status_updated": "invoice+customer+fees",
    "invoice.payment_overdue": "invoice+customer+fees+applied_taxes",
    "invoice.generated": "invoice+customer",
    "credit_note.created": "credit_note+customer+items+applied_taxes",
    "credit_note.generated": "credit_note+customer",
    "events.errors": "events_errors",
}


class Listener:
    """Everything that a shop announced so far."""

    def __init__(self, shop: Shop, receiver: Receiver) -> None:
        self.shop = shop
        self.receiver = receiver
        receiver.public_key = shop.lago.webhooks.public_key()
        url = f"{receiver.url}/{uuid.uuid4()}"
        shop.api.post("/webhook_endpoints", {"webhook_endpoint": {"webhook_url": url}})

    def types(self) -> Counter[str]:
        """How often each type arrived, once all was delivered; several are in flight. Each is as it should be."""
        self.shop.settle()
        arrived = self.receiver.received()
        for each in arrived:
            assert each.verified
            code = CODES[each.webhook_type]
            key = code.partition("+")[0]
            assert list(each.body) == ["webhook_type", "object_type", "organization_id", key]
            assert each.body["object_type"] == key
            assert each.body["organization_id"] == self.shop.api.organization["lago_id"]
            assert_shape(each.body[key], code, ordered=True)
        return Counter(each.webhook_type for each in arrived)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    listening = Receiver()
    yield listening
    listening.close()


@pytest.fixture
def listener(shop: Shop, receiver: Receiver) -> Listener:
    """Of an open shop: what made it came before."""
    return Listener(shop, receiver)


def test_customers(shop: Shop, listener: Listener) -> None:
    shop.customer("new")
    shop.customer("new")
    assert listener.types() == Counter(["customer.created", "customer.updated"])


def test_catalog(shop: Shop, listener: Listener) -> None:
    shop.metric("new")
    shop.lago.billable_metrics.update(BillableMetric(name="x"), "new")
    shop.plan("new")
    shop.lago.plans.update(Plan(name="x"), "new")
    shop.lago.plans.destroy("new")
    shop.settle()
    shop.lago.billable_metrics.destroy("new")
    metrics = ["billable_metric.created", "billable_metric.updated", "billable_metric.deleted"]
    plans = ["plan.created", "plan.updated", "plan.deleted"]
    assert listener.types() == Counter([*metrics, *plans])


def test_life_of_a_subscription(shop: Shop, listener: Listener) -> None:
    shop.subscription("new")
    shop.lago.subscriptions.update(Subscription(name="x"), "new")
    shop.event(8, "new")
    shop.api.at("2025-06-16T00:00:00Z")
    shop.lago.subscriptions.destroy("new")
    life = ["subscription.started", "subscription.updated", "subscription.terminated"]
    assert listener.types() == Counter([*life, "invoice.created", "invoice.generated"])


def test_drafts(shop: Shop, listener: Listener) -> None:
    shop.customer(billing_configuration=CustomerBillingConfiguration(invoice_grace_period=2))
    shop.event(2, properties={"n": 2, "region": "eu"})
    shop.api.at("2025-07-01T12:00:00Z")
    drafted = ["customer.updated", "invoice.drafted", "invoice.ready_to_finalize"]
    assert listener.types() == Counter(drafted)
    shop.api.at("2025-07-03T12:00:00Z")
    assert listener.types() == Counter([*drafted, "invoice.created", "invoice.generated"])


def test_credit_notes(shop: Shop, listener: Listener) -> None:
    invoice = shop.invoice()
    items = [{"fee_id": invoice.fees.__root__[0].lago_id, "amount_cents": 500}]
    body = {"invoice_id": invoice.lago_id, "items": items, "credit_amount_cents": 600}
    shop.api.post("/credit_notes", {"credit_note": body})
    issued = ["invoice.created", "invoice.generated"]
    assert listener.types() == Counter([*issued, "credit_note.created", "credit_note.generated"])


def test_payment(shop: Shop, listener: Listener) -> None:
    invoice = shop.invoice()
    shop.lago.invoices.update(Invoice(payment_status="failed"), invoice.lago_id)
    assert listener.types() == Counter(["invoice.created", "invoice.generated", "invoice.payment_status_updated"])


def test_overdue(shop: Shop, listener: Listener) -> None:
    shop.customer(net_payment_term=5)
    shop.invoice()
    shop.api.at("2025-07-08T12:00:00Z")
    issued = ["customer.updated", "invoice.created", "invoice.generated"]
    assert listener.types() == Counter([*issued, "invoice.payment_overdue"])


def test_bad_events(shop: Shop, listener: Listener) -> None:
    shop.event(code="nothing")
    shop.event(properties={"n": "many"})
    shop.event(properties={"n": 1, "region": "mars"})
    shop.api.at("2025-06-01T02:30:00Z")
    assert listener.types() == Counter(["events.errors"])
    (sent,) = listener.receiver.received()
    found = sent.body["events_errors"]
    assert [len(found[name] or ()) for name in found] == [1, 1, 0, 1]
