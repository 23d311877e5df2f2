"""How looks at usage come about: what ingestion notes, when, and that they cost the same for any number."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import select, text

from tallystick.flows.usage.check import check_usage_due
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Database
from tallystick.ground.ids import new_id
from tallystick.ground.installation import Installation
from tallystick.ground.tables import AgendaEntry, Organization, TouchedSubscription
from tallystick.rooms.metering.intake import Intake
from tallystick.rooms.metering.store import EventRow
from tallystick.rooms.metering.watch import Watch
from tests.support.api import Api
from tests.support.billing import invoices
from tests.support.catalog import charge, metric, plan
from tests.support.statements import counted
from tests.support.subscriptions import customer, subscribe

RECEIVED_AT = dt.datetime(2025, 6, 3, 12, 0, 2, tzinfo=dt.UTC)
WATCHED: dict[str, Any] = {"amount_cents": 3100, "usage_thresholds": [{"amount_cents": 100}]}


def row_of(organization_id: uuid.UUID, name: str = "s", at: dt.datetime = RECEIVED_AT) -> EventRow:
    return EventRow(organization_id, new_id(), str(uuid.uuid4()), name, "m", at, '{"n": "3"}', None, at)


async def entries(database: Database, organization_id: uuid.UUID) -> list[dt.datetime]:
    async with database.begin() as tx:
        statement = select(AgendaEntry.due_at).where(
            AgendaEntry.organization_id == organization_id, AgendaEntry.kind == Kind.CHECK_USAGE.value
        )
        return sorted(await tx.scalars(statement))


async def touched(database: Database, organization_id: uuid.UUID) -> list[str]:
    async with database.begin() as tx:
        statement = select(TouchedSubscription.external_subscription_id)
        return sorted(await tx.scalars(statement.where(TouchedSubscription.organization_id == organization_id)))


@pytest.fixture
def organization_id(api: Api) -> uuid.UUID:
    """An organization with a plan that has thresholds."""
    api.at("2025-06-01T00:00:00Z")
    plan(api, **WATCHED)
    return uuid.UUID(api.organization["lago_id"])


async def store(database: Database, watch: Watch, *rows: EventRow) -> None:
    intake = Intake(database.url, [watch])
    await intake.open()
    await intake.store(rows)
    await intake.close()


async def test_one_look_for_each_subscription_of_a_commit(database: Database, organization_id: uuid.UUID) -> None:
    await store(database, Watch(5), *(row_of(organization_id, name) for name in ("s", "t", "s")))
    assert await touched(database, organization_id) == ["s", "t"]
    assert await entries(database, organization_id) == [RECEIVED_AT, RECEIVED_AT]


async def test_another_commit_is_another_look(database: Database, organization_id: uuid.UUID) -> None:
    """Or a look that is under way would swallow the events that it did not see."""
    for _ in range(2):
        await store(database, Watch(5), row_of(organization_id))
    assert len(await entries(database, organization_id)) == 2


async def test_live_organizations_are_looked_at_in_intervals(database: Database, organization_id: uuid.UUID) -> None:
    async with database.begin() as tx:
        (await tx.get_one(Organization, organization_id)).sandbox = False
    exact = RECEIVED_AT.replace(second=5)
    await store(database, Watch(5), row_of(organization_id), row_of(organization_id, "t", exact))
    assert await entries(database, organization_id) == [exact, exact]


async def test_nobody_watches(database: Database, api: Api) -> None:
    organization_id = uuid.UUID(api.organization["lago_id"])
    await store(database, Watch(5), row_of(organization_id))
    assert await touched(database, organization_id) == []
    assert await entries(database, organization_id) == []


async def test_looks_cost_the_same_for_any_number(api: Api, installation: Installation) -> None:
    """A set is looked at, invoiced and told of in a constant number of statements."""
    api.at("2025-06-01T00:00:00Z")
    sums = metric(api, "m", "sum_agg", field_name="n")
    plan(api, charges=[charge(sums, properties={"amount": "1"})], **WATCHED)
    names = [f"s{number}" for number in range(5)]
    for name in names:
        customer(api, name, currency="EUR")
        made = subscribe(api, of=name, external_id=name)
        alert = {"alert_type": "current_usage_amount", "code": "a", "thresholds": [{"value": 100}]}
        api.post(f"/subscriptions/{name}/alerts", {"alert": alert})
        assert made["status"] == "active"
    organization_id = uuid.UUID(api.organization["lago_id"])
    # stored without being noted: the looks are taken here
    await _store_silently(installation.database, organization_id, names)
    ids = {name: uuid.UUID(api.get(f"/subscriptions/{name}")["subscription"]["lago_id"]) for name in names}
    counts = []
    for part in (names[:1], names[1:]):
        dues = [Due(Kind.CHECK_USAGE, ids[name], organization_id, RECEIVED_AT) for name in part]
        counts.append(await _statements(installation, dues))
    assert counts[0] == counts[1]
    for name in names:
        assert [row["total_amount_cents"] for row in invoices(api, name)] == [300]
        assert api.get(f"/subscriptions/{name}/alerts/a")["alert"]["previous_value"] == "300.0"


async def _store_silently(database: Database, organization_id: uuid.UUID, names: list[str]) -> None:
    intake = Intake(database.url)
    await intake.open()
    await intake.store([row_of(organization_id, name) for name in names])
    await intake.close()
    async with database.begin() as tx:
        await tx.execute(text("delete from agenda where organization_id = :id"), {"id": organization_id})


async def _statements(installation: Installation, dues: list[Due]) -> int:
    with counted(installation.database) as statements:
        async with installation.database.begin() as tx:
            await check_usage_due(tx, dues)
    return len(statements)
