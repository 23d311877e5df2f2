"""Changes that meet each other: trials and split ticks, drafts and prices, overrides and downgrades to come."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.billing import GRACE, invoices
from tests.support.catalog import plan
from tests.support.fixed_charges import cents
from tests.support.subscriptions import change, customer, found, subscribe


def plan_fees(api: Api) -> list[list[int]]:
    """The plan fees of each invoice, oldest first."""
    return [cents(invoice, "subscription") for invoice in invoices(api)]


@pytest.mark.parametrize(
    ("days", "fees"),
    [
        (31.5, [[320]]),  # ends on 1 February, a tick that only splits the year: 335 of 366 days
        (40.5, [[], [312]]),  # ends on 10 February: 326 days; the invoice of 1 February has no plan fee
    ],
)
def test_a_trial_that_ends_on_a_split_tick(api: Api, days: float, fees: list[list[int]]) -> None:
    """The fee is on the tick's invoice, and not billed once more (§4.3 rule 2, §4.4)."""
    api.at("2024-01-01T00:00:00Z")
    terms: dict[str, Any] = {
        "interval": "yearly",
        "amount_cents": 350,
        "pay_in_advance": True,
        "bill_charges_monthly": True,
    }
    plan(api, **terms, trial_period=days)
    customer(api)
    subscribe(api)
    api.at("2024-02-20T00:00:00Z")
    assert plan_fees(api) == fees


def test_prices_that_change_later_do_not_turn_an_upgrade_round(api: Api) -> None:
    """The draft of an upgrade is made again with the windows and days of an upgrade."""
    api.at("2024-03-01T00:00:00Z")
    plan(api, "small", amount_cents=3100)
    plan(api, "big", amount_cents=6200)
    customer(api, **GRACE)
    subscribe(api, "small")
    api.at("2024-03-11T00:00:00Z")
    subscribe(api, "big")
    assert plan_fees(api) == [[1000]]
    api.put("/plans/small", {"plan": {"amount_cents": 93_000}})
    api.at("2024-03-15T00:00:00Z")
    assert plan_fees(api) == [[30_000]]  # ten of 31 days at the new price, still without the day of the upgrade


def test_an_override_that_makes_the_plan_cheaper_cancels_a_downgrade(api: Api) -> None:
    api.at("2024-03-01T00:00:00Z")
    plan(api, "small", amount_cents=1000)
    plan(api, "big", amount_cents=6200)
    customer(api)
    subscribe(api, "big", plan_overrides={"amount_cents": 6000})
    assert subscribe(api, "small")["next_plan_code"] == "small"
    change(api, plan_overrides={"amount_cents": 900})
    assert found(api)["next_plan_code"] is None
    assert found(api, status="canceled")["plan_code"] == "small"


def test_drafts_follow_an_override(api: Api) -> None:
    api.at("2024-03-01T00:00:00Z")
    plan(api, amount_cents=6200)
    customer(api, **GRACE)
    subscribe(api, plan_overrides={"amount_cents": 6000})
    api.at("2024-04-01T00:00:00Z")
    assert plan_fees(api) == [[6000]]
    change(api, plan_overrides={"amount_cents": 5000})
    api.at("2024-04-05T00:00:00Z")
    assert plan_fees(api) == [[5000]]


def test_names_are_trimmed_when_given(api: Api) -> None:
    api.at("2024-03-01T00:00:00Z")
    plan(api)
    customer(api)
    assert subscribe(api, external_id=" s ", name="  Main  ")["name"] == "Main"
