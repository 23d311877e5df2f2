"""A shop built through the official client: what most contract tests need before they begin. Asserts nothing."""

from __future__ import annotations

import uuid
from typing import Any

from lago_python_client import Client
from lago_python_client.models import (
    BillableMetric,
    BillableMetricFilter,
    BillableMetricFilters,
    Charge,
    ChargeFilter,
    ChargeFilters,
    Charges,
    Customer,
    Event,
    Metadata,
    MetadataList,
    MinimumCommitment,
    Plan,
    Subscription,
    Tax,
    UsageThreshold,
    UsageThresholds,
)

from tests.support.api import Api

START = "2025-06-01T00:00:00Z"


class Shop:
    """20.00 a month and 0.25 for each unit, 0.50 in the EU; 20 % tax. Customer `acme`, subscription `sub`."""

    def __init__(self, api: Api, lago: Client) -> None:
        self.api = api
        self.lago = lago

    def open(self) -> Shop:
        """Everything that can be sold, and the one who buys it."""
        self.tax()
        self.metric()
        self.plan()
        self.customer()
        self.subscription()
        return self

    def tax(self, **more: Any) -> Any:
        """A tax on everything."""
        body = {"name": "VAT", "code": "vat", "rate": 20.0, "applied_to_organization": True, **more}
        return self.lago.taxes.create(Tax(**body))

    def metric(self, code: str = "calls", **more: Any) -> Any:
        """The sum of `n`, told apart by `region`."""
        filters = BillableMetricFilters(__root__=[BillableMetricFilter(key="region", values=["us", "eu"])])
        body = {"name": "Calls", "code": code, "aggregation_type": "sum_agg", "field_name": "n", "filters": filters}
        self.sold = self.lago.billable_metrics.create(BillableMetric(**{**body, **more}))
        return self.sold

    def charge(self, code: str = "calls", **more: Any) -> Charge:
        """The body of a charge on the metric."""
        european = ChargeFilter(invoice_display_name="EU", properties={"amount": "0.5"}, values={"region": ["eu"]})
        body = {
            "billable_metric_id": self.sold.lago_id,
            "code": code,
            "charge_model": "standard",
            "properties": {"amount": "0.25"},
            "filters": ChargeFilters(__root__=[european]),
        }
        return Charge(**{**body, **more})

    def plan(self, code: str = "basic", **more: Any) -> Any:
        """The plan, with a minimum and a threshold that nothing here reaches."""
        body = {
            "name": "Basic",
            "code": code,
            "interval": "monthly",
            "amount_cents": 2000,
            "amount_currency": "EUR",
            "pay_in_advance": False,
            "charges": Charges(__root__=[self.charge()]),
            "minimum_commitment": MinimumCommitment(amount_cents=1000, invoice_display_name="Minimum"),
            "usage_thresholds": UsageThresholds(__root__=[UsageThreshold(amount_cents=9_000_000, recurring=False)]),
            "metadata": {"tier": "1"},
        }
        return self.lago.plans.create(Plan(**{**body, **more}))

    def customer(self, external_id: str = "acme", **more: Any) -> Any:
        """The customer."""
        body = {
            "external_id": external_id,
            "name": "Acme",
            "currency": "EUR",
            "email": "billing@acme.test",
            "metadata": MetadataList(__root__=[Metadata(key="crm", value="77", display_in_invoice=True)]),
        }
        return self.lago.customers.create(Customer(**{**body, **more}))

    def subscription(self, external_id: str = "sub", **more: Any) -> Any:
        """The customer's subscription."""
        body = {"external_customer_id": "acme", "plan_code": "basic", "external_id": external_id, **more}
        return self.lago.subscriptions.create(Subscription(**body))

    def event(self, n: int = 1, external_subscription_id: str = "sub", **more: Any) -> Any:
        """Some units of the metric."""
        body = {
            "transaction_id": str(uuid.uuid4()),
            "external_subscription_id": external_subscription_id,
            "code": "calls",
            "properties": {"n": n},
        }
        return self.lago.events.create(Event(**{**body, **more}))

    def invoice(self, until: str = "2025-07-01T06:00:00Z") -> Any:
        """The newest invoice once the clock has passed the end of the month."""
        self.api.at(until)
        rows = self.lago.invoices.find_all({"external_customer_id": "acme"})["invoices"]
        return self.lago.invoices.find(rows[0].lago_id)

    def settle(self) -> None:
        """Everything that waits is done: jobs and deliveries."""
        self.api.put("/test_clock", {"test_clock": {"now": self.api.now}})
