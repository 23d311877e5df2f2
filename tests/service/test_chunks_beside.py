"""Two chunks of a billing run at a time: every customer is billed once, on one invoice, and no round is idle."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import func, select, update

from tallystick.flows.clockwork.live import work_off_live
from tallystick.ground import agenda
from tallystick.ground.installation import Installation
from tallystick.ground.tables import Invoice, InvoiceSubscription, Organization
from tests.support import metering as build
from tests.support.api import Api

CUSTOMERS, EACH = 9, 2
TICK = build.at("2025-06-01")


def subscribed(api: Api) -> uuid.UUID:
    """Nine customers with two subscriptions each, on a clock that has not reached the end of the month."""
    api.at("2025-05-01T00:00:00Z")
    api.post(
        "/plans",
        {"plan": {"name": "p", "code": "p", "interval": "monthly", "amount_cents": 100, "amount_currency": "EUR"}},
    )
    for number in range(CUSTOMERS * EACH):
        body = {"external_customer_id": f"c{number % CUSTOMERS}", "plan_code": "p", "external_id": f"s{number}"}
        api.post("/subscriptions", {"subscription": body})
    return uuid.UUID(api.organization["lago_id"])


async def invoices(installation: Installation, organization_id: uuid.UUID) -> list[int]:
    """How many subscriptions each invoice has."""
    async with installation.database.begin() as tx:
        statement = (
            select(func.count())
            .select_from(Invoice)
            .join(InvoiceSubscription, InvoiceSubscription.invoice_id == Invoice.id)
            .where(Invoice.organization_id == organization_id)
            .group_by(Invoice.id)
        )
        return list(await tx.scalars(statement))


async def test_chunks_at_each_others_side(
    api: Api, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization_id = subscribed(api)
    async with installation.database.begin() as tx:
        live = update(Organization).where(Organization.id == organization_id).values(sandbox=False, clock_at=None)
        await tx.execute(live)
    monkeypatch.setattr(agenda, "CHUNK", 4)
    rounds = []
    while await work_off_live(installation.database, TICK):
        rounds.append(len(await invoices(installation, organization_id)))
    assert rounds == sorted(set(rounds)), "every round brought the run forward"
    assert max(rounds) == CUSTOMERS
    assert await invoices(installation, organization_id) == [EACH] * CUSTOMERS
