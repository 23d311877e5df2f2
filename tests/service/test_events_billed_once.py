"""Events of charges paid in advance: noted with the event, billed as a set, once whatever happens in between."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from tallystick.flows.billing.events import bill_events_due
from tallystick.ground import agenda
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx
from tallystick.ground.installation import Installation
from tallystick.ground.tables import AgendaEntry
from tests.support.advance import CODE, fees, sell, send
from tests.support.api import ADMIN_TOKEN, Api
from tests.support.billing import invoices
from tests.support.catalog import charge, metric, plan
from tests.support.server import Running
from tests.support.statements import counted
from tests.support.subscriptions import at, listen, told

FAR = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


async def entries(installation: Installation, api: Api) -> list[AgendaEntry]:
    """What the agenda holds of events."""
    chosen = select(AgendaEntry).where(
        AgendaEntry.organization_id == uuid.UUID(api.organization["lago_id"]),
        AgendaEntry.kind == Kind.BILL_EVENT.value,
    )
    async with installation.database.begin() as tx:
        return list(await tx.scalars(chosen.order_by(AgendaEntry.due_at, AgendaEntry.subject_id)))


async def claim(tx: Tx, api: Api) -> list[Due]:
    return await agenda.claim_of(tx, uuid.UUID(api.organization["lago_id"]), FAR)


async def bill_and_die(installation: Installation, api: Api) -> None:
    """All is done but the commit."""
    async with installation.database.begin() as tx:
        await bill_events_due(tx, await claim(tx, api))
        await tx.execute(text("select pg_terminate_backend(pg_backend_pid())"))


async def test_the_entry_is_written_with_the_event(api: Api, installation: Installation) -> None:
    sell(api)
    api.at("2025-03-07T09:00:00Z")
    sent = send(api, 1, at="2025-03-02T00:00:00+00:00", settled=False)
    (entry,) = await entries(installation, api)
    assert str(entry.subject_id) == sent["lago_id"]
    assert entry.due_at == dt.datetime(2025, 3, 7, 9, tzinfo=dt.UTC)  # when it was received, not when it happened


async def test_other_events_are_not_noted(api: Api, installation: Installation) -> None:
    metric(api, "other")
    sell(api, pay_in_advance=False)
    send(api, 1, settled=False)
    assert await entries(installation, api) == []


async def test_a_death_before_the_commit_leaves_one_fee(api: Api, installation: Installation) -> None:
    sell(api)
    listen(api)
    send(api, 3, settled=False)
    with pytest.raises(DBAPIError, match="terminating connection"):
        await bill_and_die(installation, api)
    assert fees(api) == []
    assert len(await entries(installation, api)) == 1
    await at(installation, api, api.now)
    (fee,) = fees(api)
    (invoice,) = invoices(api)
    assert (await told(installation, api))[:2] == [
        ("fee.created", fee["lago_id"]),
        ("invoice.created", invoice["lago_id"]),
    ]
    assert await entries(installation, api) == []


async def test_an_entry_that_comes_again_makes_no_second_fee(api: Api, installation: Installation) -> None:
    sell(api)
    send(api, 3, settled=False)
    async with installation.database.begin() as tx:
        dues = await claim(tx, api)
    for _ in range(2):
        async with installation.database.begin() as tx:
            await bill_events_due(tx, dues)
    assert [row["amount_cents"] for row in fees(api)] == [300]
    assert len(invoices(api)) == 1


async def test_one_set_costs_as_many_queries_as_one_event(api: Api, installation: Installation) -> None:
    sell(api)
    counts, totals = [], []
    for size in (1, 40):
        rows = [
            {"transaction_id": str(uuid.uuid4()), "external_subscription_id": "s", "code": CODE, "properties": {"n": 1}}
            for _ in range(size)
        ]
        api.post("/events/batch", {"events": rows})
        async with installation.database.begin() as tx:
            dues = await claim(tx, api)
            with counted(installation.database) as sent:
                await bill_events_due(tx, dues)
            await agenda.done(tx, dues)
        counts.append(len(sent))
        totals.append(len(fees(api)))
    assert totals == [1, 41]
    assert counts[0] == counts[1]
    assert {row["amount_cents"] for row in fees(api)} == {100}


async def test_a_live_process_hears_of_a_new_charge(running: Running, installation: Installation) -> None:
    api = Api(running.url, ADMIN_TOKEN, sandbox=False)
    counted = metric(api, CODE)
    send(api, settled=False)  # from now on the process remembers that nothing is paid in advance
    assert await entries(installation, api) == []
    plan(api, amount_cents=0, charges=[charge(counted, properties={"amount": "1"}, pay_in_advance=True)])
    while not await entries(installation, api):
        send(api, settled=False)
    api.http.close()
