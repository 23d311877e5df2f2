"""Whatever happens to many subscriptions at one instant happens to them as a set: as many statements as for a few.

subscriptions.md §7; a chunk of the agenda has up to 1,000 entries, so ten thousand renewals are ten times this.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select

from tallystick.flows.clockwork.handlers import HANDLERS
from tallystick.flows.lifecycle.subscriptions.create import subscribe
from tallystick.flows.lifecycle.subscriptions.reprice import reprice
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx
from tallystick.ground.installation import Installation
from tallystick.ground.tables import AgendaEntry, Invoice, Plan, Subscription
from tests.support.api import Api
from tests.support.billing import add_on
from tests.support.catalog import charge, metric, plan
from tests.support.statements import counted
from tests.support.subscriptions import at, listen

NOW = "2025-01-10T12:00:00Z"
FEW, MANY = 2, 30


async def world(running_url: str, installation: Installation) -> Api:
    """An organization on 10 January with plans that have usage, fixed charges of both kinds and a commitment."""
    api = Api(running_url)
    await at(installation, api, NOW)
    listen(api)
    add_on(api, "seat", 100)
    seats = {"add_on_code": "seat", "charge_model": "standard", "units": 3, "properties": {"amount": "1"}}
    parts: dict[str, Any] = {
        "charges": [charge(metric(api), properties={"amount": "1"})],
        "fixed_charges": [{**seats, "prorated": True}, {**seats, "pay_in_advance": True}],
        "minimum_commitment": {"amount_cents": 50_000},
    }
    plan(api, "big", amount_cents=3100, **parts)
    plan(api, "small", amount_cents=1000, **parts)
    plan(api, "tried", amount_cents=3100, pay_in_advance=True, trial_period=5, **parts)
    return api


async def crowd(
    installation: Installation, api: Api, size: int, code: str = "big", then: str | None = None, **fields: Any
) -> None:
    """So many customers with a subscription each, that change to the plan `then`."""
    organization_id = uuid.UUID(api.organization["lago_id"])
    now = dt.datetime.fromisoformat(NOW)
    async with installation.database.begin() as tx:
        for wanted in (code, then) if then else (code,):
            found = await _plan(tx, organization_id, wanted)
            for number in range(size):
                more = {"external_id": f"s{number}", **fields}
                await subscribe(tx, organization_id, now, f"c{number}", found, more)


async def _plan(tx: Tx, organization_id: uuid.UUID, code: str) -> Plan:
    statement = select(Plan).where(Plan.organization_id == organization_id, Plan.code == code)
    return (await tx.scalars(statement)).one()


async def _dues(tx: Tx, api: Api, kind: Kind) -> list[Due]:
    of = AgendaEntry.organization_id == uuid.UUID(api.organization["lago_id"])
    rows = await tx.scalars(select(AgendaEntry).where(of, AgendaEntry.kind == kind.value).order_by("subject_id"))
    return [Due(kind, row.subject_id, row.organization_id, row.due_at) for row in rows]


async def _state(tx: Tx, api: Api) -> Counter[str]:
    """How many rows there are of each status, and how many invoices."""
    organization_id = uuid.UUID(api.organization["lago_id"])
    statement = select(Subscription.status, func.count()).where(Subscription.organization_id == organization_id)
    found = Counter(dict((await tx.execute(statement.group_by(Subscription.status))).all()))
    found["invoices"] = await tx.scalar(select(func.count(Invoice.id)).where(_of(organization_id))) or 0
    return found


def _of(organization_id: uuid.UUID) -> Any:
    return Invoice.organization_id == organization_id


CASES = [
    (Kind.BILL, {}, {"active": 1, "invoices": 2}),  # the first invoice is that of fixed charges in advance
    (Kind.BILL, {"then": "small"}, {"active": 1, "terminated": 1, "invoices": 2}),
    (Kind.END_SUBSCRIPTION, {"ending_at": dt.datetime(2025, 1, 20, tzinfo=dt.UTC)}, {"terminated": 1, "invoices": 2}),
    (
        Kind.START_SUBSCRIPTION,
        {"subscription_at": dt.datetime(2025, 1, 20, tzinfo=dt.UTC)},
        {"active": 1, "invoices": 1},
    ),
    (Kind.END_TRIAL, {"code": "tried"}, {"active": 1, "invoices": 2}),
    (Kind.TERMINATION_ALERT, {"ending_at": dt.datetime(2025, 5, 20, tzinfo=dt.UTC)}, {"active": 1, "invoices": 1}),
]


@pytest.mark.parametrize(
    ("kind", "given", "after"), CASES, ids=lambda case: case.value if isinstance(case, Kind) else ""
)
async def test_what_falls_due_at_one_instant(
    api: Api, installation: Installation, kind: Kind, given: dict[str, Any], after: dict[str, int]
) -> None:
    counts = []
    for size in (FEW, MANY):
        own = await world(str(api.http.base_url), installation)
        await crowd(installation, own, size, **given)
        async with installation.database.begin() as tx:
            dues = await _dues(tx, own, kind)
            assert len(dues) == size
            with counted(installation.database) as statements:
                await HANDLERS[kind](tx, dues)
                await tx.flush()
            assert await _state(tx, own) == {name: number * size for name, number in after.items()}
            await tx.rollback()
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_a_price_that_makes_many_changes_upgrades(api: Api, installation: Installation) -> None:
    counts = []
    for size in (FEW, MANY):
        own = await world(str(api.http.base_url), installation)
        await crowd(installation, own, size, then="small")
        async with installation.database.begin() as tx:
            small = await _plan(tx, uuid.UUID(own.organization["lago_id"]), "small")
            small.amount_cents = 5000
            with counted(installation.database) as statements:
                await reprice(tx, small, dt.datetime.fromisoformat(NOW))
                await tx.flush()
            assert await _state(tx, own) == {"active": size, "terminated": size, "invoices": 2 * size}
            await tx.rollback()
        counts.append(len(statements))
    assert counts[0] == counts[1]
