"""The agenda of subscriptions after each change, and what happens on its dates (subscriptions.md §2, §4.4, §7)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import select

from tallystick.flows.lifecycle.subscriptions.scheduled import alert_due, end_due, end_trials_due, start_due
from tallystick.flows.wire.messages import render
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.installation import Installation
from tallystick.ground.tables import OutboxMessage
from tests.support.api import Api
from tests.support.catalog import plan
from tests.support.subscriptions import at, change, customer, due, found, listen, subscribe, told


@pytest.fixture
async def world(api: Api, installation: Installation) -> Api:
    """1 March 2024, noon UTC, with monthly plans of 100 and 500 in arrears and 3100 in advance."""
    await at(installation, api, "2024-03-01T12:00:00Z")
    plan(api, "small")
    plan(api, "p", amount_cents=500)
    plan(api, "ahead", amount_cents=3100, pay_in_advance=True)
    return api


def kinds(sent: list[tuple[str, str]]) -> list[str]:
    """Types of subscription messages."""
    return [kind for kind, _ in sent if kind.startswith("subscription")]


def plan_fees(api: Api) -> list[int]:
    """The plan fees of each invoice, oldest first."""
    rows = api.get("/invoices")["invoices"]
    full = [api.get(f"/invoices/{row['lago_id']}")["invoice"] for row in reversed(rows)]
    return [sum(fee["amount_cents"] for fee in row["fees"] if fee["item"]["type"] == "subscription") for row in full]


# -- the next bill (§7, §3.7) -------------------------------------------------------------------------

ANNIVERSARY = {"billing_time": "anniversary"}


@pytest.mark.parametrize(
    ("zone", "fields", "bill"),
    [
        ("UTC", {}, "2024-04-01T00:00:00Z"),
        ("Europe/Paris", {}, "2024-03-31T22:00:00Z"),
        ("America/New_York", {**ANNIVERSARY, "subscription_at": "2024-02-10T12:00:00Z"}, "2024-03-10T05:00:00Z"),
        ("America/New_York", {**ANNIVERSARY, "subscription_at": "2024-02-29T12:00:00Z"}, "2024-03-29T04:00:00Z"),
        ("UTC", {**ANNIVERSARY, "subscription_at": "2024-01-31T23:30:00Z"}, "2024-03-31T00:00:00Z"),
        ("Asia/Tokyo", {**ANNIVERSARY, "subscription_at": "2024-02-01T23:30:00Z"}, "2024-03-01T15:00:00Z"),
    ],
)
async def test_bill_at_local_midnight(
    world: Api, installation: Installation, zone: str, fields: dict[str, Any], bill: str
) -> None:
    customer(world, timezone=zone)
    assert await due(installation, subscribe(world, **fields)) == {"bill": bill}


async def test_backdated_on_a_billing_day(world: Api, installation: Installation) -> None:
    made = subscribe(world, subscription_at="2024-02-10")
    assert await due(installation, made) == {"bill": "2024-03-01T12:00:00Z"}
    await at(installation, world, "2024-03-01T12:00:00Z")
    assert await due(installation, made) == {"bill": "2024-04-01T00:00:00Z"}
    assert plan_fees(world) == [345]  # 20 of 29 days: the month just ended


async def test_a_split_year_is_billed_monthly(world: Api, installation: Installation) -> None:
    plan(world, "year", interval="yearly", bill_charges_monthly=True)
    assert await due(installation, subscribe(world, "year")) == {"bill": "2024-04-01T00:00:00Z"}


async def test_another_time_zone_moves_everything(world: Api, installation: Installation) -> None:
    customer(world)
    made = subscribe(world, ending_at="2024-06-20T12:00:00Z")
    later = subscribe(world, external_id="later", subscription_at="2024-03-10T12:00:00Z")
    assert await due(installation, made) == {
        "bill": "2024-04-01T00:00:00Z",
        "end_subscription": "2024-06-20T00:00:00Z",
        "termination_alert": "2024-05-06T00:00:00Z",
    }
    customer(world, timezone="America/New_York")
    assert await due(installation, made) == {
        "bill": "2024-04-01T04:00:00Z",
        "end_subscription": "2024-06-20T04:00:00Z",
        "termination_alert": "2024-05-06T00:00:00Z",
    }
    assert await due(installation, later) == {"start_subscription": "2024-03-10T05:00:00Z"}


@pytest.mark.parametrize(
    ("moved_at", "zone", "bill"),
    [
        # 1 April is billed in UTC and comes once more in New York: not billed again
        ("2024-04-01T01:00:00+00:00", "America/New_York", "2024-05-01T04:00:00Z"),
        # in Tokyo 1 April began at 15:00 UTC and was not billed yet: it is now
        ("2024-03-31T20:00:00+00:00", "Asia/Tokyo", "2024-03-31T20:00:00Z"),
    ],
)
async def test_a_tick_is_billed_once_across_time_zones(
    world: Api, installation: Installation, moved_at: str, zone: str, bill: str
) -> None:
    customer(world)
    made = subscribe(world)
    await at(installation, world, moved_at)
    customer(world, timezone=zone)
    assert await due(installation, made) == {"bill": bill}
    await at(installation, world, "2024-05-02T00:00:00Z")
    assert plan_fees(world) == [500, 500]


# -- starts and ends (§2.4, §2.9) ---------------------------------------------------------------------


async def test_a_start_to_come(world: Api, installation: Installation) -> None:
    customer(world, timezone="America/New_York")
    listen(world)
    made = subscribe(world, "ahead", subscription_at="2024-03-20T23:00:00Z")
    assert await due(installation, made) == {"start_subscription": "2024-03-20T04:00:00Z"}
    assert await told(installation, world) == []
    change(world, subscription_at="2024-03-11T01:00:00Z")
    assert await due(installation, made) == {"start_subscription": "2024-03-10T05:00:00Z"}
    assert await told(installation, world) == []
    await at(installation, world, "2024-03-10T05:00:00Z")
    row = found(world)
    assert (row["started_at"], row["activated_at"]) == ("2024-03-10T05:00:00.000Z", "2024-03-10T05:00:00Z")
    assert [kind for kind, _ in await told(installation, world)] == ["subscription.started", "invoice.created"]
    assert await due(installation, made) == {"bill": "2024-04-01T04:00:00Z"}
    assert plan_fees(world) == [2200]  # 22 of 31 days


async def test_of_two_starts_under_one_name_the_second_waits(world: Api, installation: Installation) -> None:
    first = subscribe(world, subscription_at="2024-03-10T00:00:00Z")
    second = subscribe(world, of="other", subscription_at="2024-03-10T00:00:00Z")
    await at(installation, world, "2024-03-10T12:00:00Z")
    assert found(world)["lago_id"] == first["lago_id"]
    assert await due(installation, second) == {"start_subscription": "2024-03-11T00:00:00Z"}
    world.delete("/subscriptions/s")
    await at(installation, world, "2024-03-11T00:00:00Z")
    assert found(world)["lago_id"] == second["lago_id"]


async def test_the_end_comes_with_its_local_day(world: Api, installation: Installation) -> None:
    customer(world, timezone="Asia/Tokyo")
    made = subscribe(world, ending_at="2024-03-31T16:00:00Z")  # 1 April in Tokyo, a billing day
    assert (await due(installation, made))["end_subscription"] == "2024-03-31T15:00:00Z"
    await at(installation, world, "2024-03-31T14:59:59Z")
    listen(world)
    await at(installation, world, "2024-04-02T00:00:00Z")
    row = found(world, status="terminated")
    assert row["terminated_at"] == "2024-03-31T15:00:00Z"
    assert plan_fees(world) == [500]
    assert await due(installation, made) == {}
    assert [kind for kind, _ in await told(installation, world)][:2] == ["subscription.terminated", "invoice.created"]


async def test_an_end_is_set_moved_and_cleared(world: Api, installation: Installation) -> None:
    made = subscribe(world)
    change(world, ending_at="2024-03-20")
    assert await due(installation, made) == {
        "bill": "2024-04-01T00:00:00Z",
        "end_subscription": "2024-03-20T00:00:00Z",
        "termination_alert": "2024-03-05T00:00:00Z",
    }
    change(world, ending_at="2024-03-10")
    assert "termination_alert" not in await due(installation, made)
    change(world, ending_at=None)
    assert await due(installation, made) == {"bill": "2024-04-01T00:00:00Z"}


# -- alerts (webhooks.md §5.1) ------------------------------------------------------------------------


async def test_alerts_45_and_15_days_ahead(world: Api, installation: Installation) -> None:
    customer(world, timezone="Asia/Tokyo")
    listen(world)
    made = subscribe(world, ending_at="2024-06-20T23:00:00Z")
    await told(installation, world)
    seen = []
    for day in ("2024-05-06T00:00:00Z", "2024-06-04T23:59:59Z", "2024-06-05T00:00:00Z", "2024-06-05T12:00:00Z"):
        await at(installation, world, day)
        seen.append(kinds(await told(installation, world)))
    assert seen == [["subscription.termination_alert"], [], ["subscription.termination_alert"], []]
    assert "termination_alert" not in await due(installation, made)


async def test_an_end_set_15_days_ahead_alerts_at_once_and_once_a_day(world: Api, installation: Installation) -> None:
    listen(world)
    made = subscribe(world, ending_at="2024-03-16T10:00:00Z")
    assert (await due(installation, made))["termination_alert"] == "2024-03-01T12:00:00Z"
    await at(installation, world, "2024-03-01T12:00:00Z")
    change(world, ending_at="2024-04-15T10:00:00Z")
    await at(installation, world, "2024-03-01T20:00:00Z")
    sent = kinds(await told(installation, world))
    assert sent == ["subscription.started", "subscription.termination_alert", "subscription.updated"]
    assert (await due(installation, made))["termination_alert"] == "2024-03-31T00:00:00Z"


# -- trials (§4.4) ------------------------------------------------------------------------------------


async def test_a_trial_ends_with_the_first_invoice(world: Api, installation: Installation) -> None:
    plan(world, "tried", amount_cents=5_000_000, pay_in_advance=True, trial_period=10)
    await at(installation, world, "2024-03-05T12:12:00Z")
    listen(world)
    made = subscribe(world, "tried")
    assert (await due(installation, made))["end_trial"] == "2024-03-15T12:12:00Z"
    assert kinds(await told(installation, world)) == ["subscription.started"]
    await at(installation, world, "2024-03-15T12:12:00Z")
    assert [kind for kind, _ in await told(installation, world)] == ["subscription.trial_ended", "invoice.created"]
    assert found(world)["trial_ended_at"] == "2024-03-15T12:12:00Z"
    assert await due(installation, made) == {"bill": "2024-04-01T00:00:00Z"}
    assert plan_fees(world) == [2741935]


async def test_an_upgrade_in_the_trial_takes_the_new_plans_trial(world: Api, installation: Installation) -> None:
    plan(world, "tried", amount_cents=5_000_000, pay_in_advance=True, trial_period=10)
    plan(world, "dear", amount_cents=10_000_000, pay_in_advance=True, trial_period=13)
    await at(installation, world, "2024-03-05T12:12:00Z")
    old = subscribe(world, "tried")
    await at(installation, world, "2024-03-10T00:00:00Z")
    new = subscribe(world, "dear")
    assert await due(installation, old) == {}
    assert (await due(installation, new))["end_trial"] == "2024-03-18T12:12:00Z"
    await at(installation, world, "2024-03-19T00:00:00Z")
    assert plan_fees(world)[-1] == 4516129


async def test_a_trial_over_a_billing_day(world: Api, installation: Installation) -> None:
    plan(world, "tried", amount_cents=5_000_000, pay_in_advance=True, trial_period=45)
    await at(installation, world, "2024-03-05T12:12:00Z")
    subscribe(world, "tried")
    await at(installation, world, "2024-04-20T00:00:00Z")
    assert plan_fees(world) == [0, 2_000_000]


async def test_a_trial_in_tokyo(world: Api, installation: Installation) -> None:
    plan(world, "tried", amount_cents=5_000_000, pay_in_advance=True, trial_period=30)
    customer(world, timezone="Asia/Tokyo")
    await at(installation, world, "2024-03-02T18:12:00Z")
    subscribe(world, "tried")
    await at(installation, world, "2024-04-03T00:00:00Z")
    assert plan_fees(world)[-1] == 4833333


async def test_no_second_trial(world: Api, installation: Installation) -> None:
    plan(world, "tried", amount_cents=3100, pay_in_advance=True, trial_period=10)
    subscribe(world, "tried")
    await at(installation, world, "2024-03-21T00:00:00Z")
    world.delete("/subscriptions/s?on_termination_invoice=skip")
    listen(world)
    made = subscribe(world, "tried")
    assert "end_trial" not in await due(installation, made)
    assert made["trial_ended_at"] == "2024-03-11T12:00:00Z"
    assert plan_fees(world) == [2100, 1100]  # 21 days after the trial; 11 days of the new chain, billed at once


async def test_a_backdated_trial_that_is_over_is_noted_and_not_billed(world: Api, installation: Installation) -> None:
    plan(world, "tried", amount_cents=3100, pay_in_advance=True, trial_period=5)
    await at(installation, world, "2024-03-20T12:00:00Z")
    made = subscribe(world, "tried", subscription_at="2024-03-05T00:00:00Z")
    assert (await due(installation, made))["end_trial"] == "2024-03-20T12:00:00Z"
    listen(world)
    await at(installation, world, "2024-03-20T12:00:00Z")
    assert [kind for kind, _ in await told(installation, world)] == ["subscription.trial_ended"]
    assert found(world)["trial_ended_at"] == "2024-03-10T00:00:00Z"


# -- changes of plan (§2.5, §2.6) ---------------------------------------------------------------------


async def test_an_upgrade_shares_one_invoice(world: Api, installation: Installation) -> None:
    old = subscribe(world)
    await at(installation, world, "2024-03-11T12:00:00Z")
    listen(world)
    new = subscribe(world, "ahead")
    assert await told(installation, world) == [
        ("subscription.terminated", old["lago_id"]),
        ("subscription.started", new["lago_id"]),
        ("invoice.created", world.get("/invoices")["invoices"][0]["lago_id"]),
    ]
    assert plan_fees(world) == [161 + 2100]  # 10 of 31 days of 500; 21 of 3100
    assert await due(installation, old) == {}
    assert await due(installation, new) == {"bill": "2024-04-01T00:00:00Z"}


@pytest.mark.parametrize("changed", [{"purchase_order_number": "2"}, {"plan_overrides": {"amount_currency": "USD"}}])
async def test_an_upgrade_that_cannot_share_an_invoice(
    world: Api, installation: Installation, changed: dict[str, Any]
) -> None:
    subscribe(world, purchase_order_number="1")
    await at(installation, world, "2024-03-11T12:00:00Z")
    subscribe(world, "ahead", **changed)
    assert sorted(plan_fees(world)) == [161, 2100]


async def test_a_downgrade_at_the_end_of_the_period(world: Api, installation: Installation) -> None:
    old = subscribe(world)
    subscribe(world, "small")
    new = found(world, status="pending")
    assert await due(installation, new) == {}
    listen(world)
    await at(installation, world, "2024-04-01T00:00:00Z")
    assert kinds(sent := await told(installation, world)) == ["subscription.terminated", "subscription.started"]
    assert [kind for kind, _ in sent][2:] == ["invoice.created"]
    assert (found(world)["lago_id"], found(world)["started_at"]) == (new["lago_id"], "2024-04-01T00:00:00.000Z")
    assert found(world, status="terminated")["terminated_at"] == "2024-04-01T00:00:00Z"
    assert await due(installation, old) == {}
    assert await due(installation, new) == {"bill": "2024-05-01T00:00:00Z"}
    await at(installation, world, "2024-05-01T00:00:00Z")
    assert plan_fees(world) == [500, 100]


async def test_a_split_tick_executes_no_downgrade(world: Api, installation: Installation) -> None:
    plan(world, "half", amount_cents=6000, interval="semiannual", bill_charges_monthly=True)
    subscribe(world, "half")
    asked = subscribe(world, "small")
    assert asked["downgrade_plan_date"] == "2024-07-01"
    await at(installation, world, "2024-06-02T00:00:00Z")
    assert found(world)["plan_code"] == "half"
    await at(installation, world, "2024-07-01T00:00:00Z")
    assert found(world)["plan_code"] == "small"


async def test_a_downgrade_asked_for_on_the_billing_day_waits_for_the_next(
    world: Api, installation: Installation
) -> None:
    subscribe(world, subscription_at="2024-02-10")
    asked = subscribe(world, "small")
    assert asked["downgrade_plan_date"] == "2024-04-01"
    await at(installation, world, "2024-03-02T00:00:00Z")
    assert found(world)["plan_code"] == "p"
    await at(installation, world, "2024-04-01T00:00:00Z")
    assert found(world)["plan_code"] == "small"


async def test_local_date_of_a_downgrade(world: Api, installation: Installation) -> None:
    customer(world, timezone="America/New_York")
    subscribe(world)
    assert subscribe(world, "small")["downgrade_plan_date"] == "2024-04-01"
    await at(installation, world, "2024-04-01T03:59:59Z")
    assert found(world)["downgrade_plan_date"] == "2024-04-01"
    await at(installation, world, "2024-04-01T04:00:00Z")
    assert found(world)["plan_code"] == "small"


async def test_the_end_wins_over_a_downgrade_and_cancels_it(world: Api, installation: Installation) -> None:
    subscribe(world, ending_at="2024-04-01T10:00:00Z")
    subscribe(world, "small", ending_at="2024-12-01")
    await at(installation, world, "2024-04-02T00:00:00Z")
    assert found(world, status="terminated")["plan_code"] == "p"
    assert found(world, status="canceled")["plan_code"] == "small"
    assert world.get("/subscriptions")["subscriptions"] == []


async def test_repeated_work_does_nothing(world: Api, installation: Installation) -> None:
    listen(world)
    made = subscribe(world, subscription_at="2024-03-10T00:00:00Z", ending_at="2024-03-20T00:00:00Z")
    organization_id, subject_id = uuid.UUID(world.organization["lago_id"]), uuid.UUID(made["lago_id"])
    work = (
        (start_due, Kind.START_SUBSCRIPTION, dt.datetime(2024, 3, 10, tzinfo=dt.UTC), "subscription.started"),
        (alert_due, Kind.TERMINATION_ALERT, dt.datetime(2024, 3, 5, tzinfo=dt.UTC), "subscription.termination_alert"),
        (end_due, Kind.END_SUBSCRIPTION, dt.datetime(2024, 3, 20, tzinfo=dt.UTC), "subscription.terminated"),
        (end_trials_due, Kind.END_TRIAL, dt.datetime(2024, 3, 20, tzinfo=dt.UTC), None),
    )
    for act, kind, due_at, message in work:
        for expected in ([message] if message else [], []):
            async with installation.database.begin() as tx:
                await act(tx, [Due(kind, subject_id, organization_id, due_at)])
            assert kinds(await told(installation, world)) == expected


async def test_messages_show_the_subscription(world: Api, installation: Installation) -> None:
    subscribe(world)
    listen(world)
    subscribe(world, "small")
    await at(installation, world, "2024-04-01T00:00:00Z")
    async with installation.database.begin() as tx:
        waiting = select(OutboxMessage).where(OutboxMessage.organization_id == uuid.UUID(world.organization["lago_id"]))
        rows = list(await tx.scalars(waiting.order_by(OutboxMessage.position)))
        updated, terminated, started = await render(tx, [row for row in rows if row.webhook_type[:3] == "sub"])
    assert [one.object_type for one in (updated, terminated, started)] == ["subscription"] * 3
    assert list(started.object)[-7:] == [
        *("cancellation_reason", "activated_at", "customer", "entitlements"),
        *("payment_method", "plan", "activation_rules"),
    ]
    assert "entitlements" not in terminated.object
    assert (started.object["customer"]["external_id"], started.object["plan"]["code"]) == ("c", "small")
    assert started.object["current_billing_period_started_at"] == "2024-04-01T00:00:00Z"
