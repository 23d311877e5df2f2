"""One poisoned contract does not stop a billing run: it is found, set aside with its error, and can be retried."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select, update

from tallystick.ground import agenda
from tallystick.ground.installation import Installation
from tallystick.ground.tables import AgendaEntry, Charge, Plan
from tests.support.api import Api

CUSTOMERS = 9
POISONED = 4


def subscribed(api: Api) -> None:
    """Nine customers; the fifth is alone on a plan of its own."""
    api.at("2025-05-01T00:00:00Z")
    metric = api.post(
        "/billable_metrics", {"billable_metric": {"name": "m", "code": "m", "aggregation_type": "count_agg"}}
    )
    charge = {
        "billable_metric_id": metric["billable_metric"]["lago_id"],
        "charge_model": "standard",
        "properties": {"amount": "1"},
    }
    for code in ("good", "bad"):
        plan = {"name": code, "code": code, "interval": "monthly", "amount_cents": 100, "amount_currency": "EUR"}
        api.post("/plans", {"plan": {**plan, "pay_in_advance": False, "charges": [charge]}})
    for number in range(CUSTOMERS):
        code = "bad" if number == POISONED else "good"
        body = {"external_customer_id": f"c{number}", "plan_code": code, "external_id": f"s{number}"}
        api.post("/subscriptions", {"subscription": body})


async def set_price(installation: Installation, organization_id: str, amount: str) -> None:
    """Write a price past all validation."""
    async with installation.database.begin() as tx:
        plan = select(Plan.id).where(Plan.organization_id == uuid.UUID(organization_id), Plan.code == "bad")
        await tx.execute(update(Charge).where(Charge.plan_id.in_(plan)).values(properties={"amount": amount}))


def billed(api: Api) -> set[str]:
    rows: list[dict[str, Any]] = api.get("/invoices")["invoices"]
    return {row["customer"]["external_id"] for row in rows}


async def test_the_others_are_billed_and_the_culprit_is_named(api: Api, installation: Installation) -> None:
    subscribed(api)
    organization_id = api.organization["lago_id"]
    await set_price(installation, organization_id, "no number")
    api.at("2025-06-01T06:00:00Z")
    everybody = {f"c{number}" for number in range(CUSTOMERS)}
    assert billed(api) == everybody - {f"c{POISONED}"}

    async with installation.database.begin() as tx:
        statement = select(AgendaEntry).where(
            AgendaEntry.organization_id == uuid.UUID(organization_id), AgendaEntry.failed_at.is_not(None)
        )
        (entry,) = list(await tx.scalars(statement))
    assert entry.kind == "bill"
    assert entry.error is not None
    assert "InvalidProperties" in entry.error

    await set_price(installation, organization_id, "2")
    async with installation.database.begin() as tx:
        assert await agenda.retry_failed(tx) >= 1
    api.at("2025-06-01T06:00:00Z")
    assert billed(api) == everybody
    late = next(row for row in api.get("/invoices")["invoices"] if row["customer"]["external_id"] == f"c{POISONED}")
    assert (late["issuing_date"], late["created_at"]) == ("2025-06-01", "2025-06-01T00:00:00Z")
