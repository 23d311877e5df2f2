"""Metrics with a script are an operator's legacy: not made over the API, but shown, sold and billed as 0 (§3.9)."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import update

from tallystick.ground.db import Database
from tallystick.ground.tables import BillableMetric
from tests.support import advance
from tests.support.api import Api
from tests.support.catalog import charge, metric, plan
from tests.support.subscriptions import customer, subscribe


@pytest.fixture
async def custom(api: Api, database: Database) -> dict[str, str]:
    """A metric that an operator gave a script."""
    api.at("2025-06-01T00:00:00Z")
    made = metric(api, "m", "sum_agg", field_name="n")
    async with database.begin() as tx:
        scripted = update(BillableMetric).where(BillableMetric.id == uuid.UUID(made["lago_id"]))
        await tx.execute(scripted.values(aggregation_type="custom_agg"))
    found: dict[str, str] = api.get("/billable_metrics/m")["billable_metric"]
    return found


def test_shown_and_listed(api: Api, custom: dict[str, str]) -> None:
    assert custom["aggregation_type"] == "custom_agg"
    assert [row["lago_id"] for row in api.get("/billable_metrics")["billable_metrics"]] == [custom["lago_id"]]
    renamed = api.put("/billable_metrics/m", {"billable_metric": {"name": "Renamed", "aggregation_type": "custom_agg"}})
    assert (renamed["billable_metric"]["name"], renamed["billable_metric"]["aggregation_type"]) == (
        "Renamed",
        "custom_agg",
    )


def test_its_usage_is_not_evaluated(api: Api, custom: dict[str, str]) -> None:
    made = plan(
        api,
        amount_cents=0,
        charges=[
            charge(custom, "custom", code="late", properties={"custom_properties": '{"rates": [0.5, 1]}'}),
            charge(custom, "custom", code="soon", properties={"custom_properties": "no JSON"}, pay_in_advance=True),
            charge(custom, code="plain", properties={"amount": "5"}),
        ],
    )
    properties = {row["code"]: row["properties"] for row in made["charges"]}
    assert properties["late"] == {"custom_properties": {"rates": [0.5, 1]}}
    assert properties["soon"] == {"custom_properties": {}}
    customer(api, currency="EUR")
    subscribe(api)
    sent = advance.send(api, 3)
    (fee,) = advance.fees(api, event_transaction_id=sent["transaction_id"])
    assert (fee["units"], fee["amount_cents"], fee["amount_details"]) == ("0.0", 0, {})
    usage = api.get("/customers/c/current_usage", external_subscription_id="s")["customer_usage"]
    assert [(row["units"], row["amount_cents"]) for row in usage["charges_usage"]] == [("0.0", 0)] * 3
    api.at("2025-07-01T01:00:00Z")
    (rest,) = [row for row in api.get("/invoices")["invoices"] if row["issuing_date"] == "2025-07-01"]
    assert rest["fees_amount_cents"] == 0
