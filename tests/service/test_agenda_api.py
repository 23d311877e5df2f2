"""`GET /customers/{external_id}/agenda`: what will happen next, in order, with pages and filters (docs/user/api.md)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tallystick.flows.wire.agenda import KINDS
from tests.support.api import Api
from tests.support.billing import GRACE, one_invoice
from tests.support.catalog import plan
from tests.support.subscriptions import customer, subscribe


def agenda(api: Api, of: str = "c", **params: Any) -> list[tuple[str, str, str]]:
    """(kind, moment, name of the subject)."""
    rows = api.get(f"/customers/{of}/agenda", **params)["agenda"]
    return [(row["kind"], row["due_at"], row["subject"].get("external_id") or row["subject"]["number"]) for row in rows]


@pytest.fixture
def world(api: Api) -> Api:
    """A customer in New York with a subscription that ends, one to come and one in its trial; another customer."""
    api.at("2024-03-01T12:00:00Z")
    plan(api)
    plan(api, "tried", trial_period=10, pay_in_advance=True)
    customer(api, timezone="America/New_York")
    subscribe(api, ending_at="2024-06-20T12:00:00Z")
    subscribe(api, external_id="later", subscription_at="2024-03-10T12:00:00Z")
    subscribe(api, "tried", external_id="tried")
    subscribe(api, of="other", external_id="other")
    return api


def test_everything_in_order(world: Api) -> None:
    assert agenda(world) == [
        ("start_subscription", "2024-03-10T05:00:00Z", "later"),
        ("end_trial", "2024-03-11T12:00:00Z", "tried"),
        ("bill", "2024-04-01T04:00:00Z", "s"),
        ("bill", "2024-04-01T04:00:00Z", "tried"),
        ("termination_alert", "2024-05-06T00:00:00Z", "s"),
        ("end_subscription", "2024-06-20T04:00:00Z", "s"),
    ]
    assert agenda(world, of="other") == [("bill", "2024-04-01T00:00:00Z", "other")]
    (shown, *_) = world.get("/customers/c/agenda")["agenda"]
    assert shown["subject"].keys() == {"type", "lago_id", "external_id"}
    assert shown["subject"]["type"] == "subscription"


def test_it_moves_with_what_changes(world: Api) -> None:
    customer(world, timezone="UTC")
    assert ("bill", "2024-04-01T00:00:00Z", "s") in agenda(world)
    world.delete("/subscriptions/s")
    assert "s" not in {name for _, _, name in agenda(world)}


def test_pages_and_filters(world: Api) -> None:
    answer = world.get("/customers/c/agenda", per_page=2, page=2)
    assert [row["kind"] for row in answer["agenda"]] == ["bill", "bill"]
    assert answer["meta"] == {
        "current_page": 2,
        "next_page": 3,
        "prev_page": 1,
        "total_pages": 3,
        "total_count": 6,
    }
    assert [kind for kind, _, _ in agenda(world, kind=["bill", "end_trial"])] == ["end_trial", "bill", "bill"]
    assert len(agenda(world, until="2024-04-01T04:00:00Z")) == 4
    assert len(agenda(world, kind="bill", until="2024-03-31T00:00:00Z")) == 0


def test_refusals(world: Api) -> None:
    assert world.get("/customers/nobody/agenda", 404)["code"] == "customer_not_found"
    assert world.get("/customers/c/agenda", 422, until="soon")["error_details"] == {"until": ["invalid_date"]}
    assert world.get("/customers/c/agenda", 422, kind="check_usage")["error_details"] == {"kind": ["value_is_invalid"]}


def test_invoices_wait_too(api: Api) -> None:
    api.at("2024-03-01T12:00:00Z")
    plan(api)
    customer(api, net_payment_term=30, **GRACE)
    subscribe(api)
    api.at("2024-04-01T00:00:00Z")
    assert agenda(api)[0] == ("finalize_invoice", "2024-04-04T00:00:00Z", one_invoice(api)["number"])
    api.at("2024-04-04T00:00:00Z")
    kinds = [row[:2] for row in agenda(api, kind="overdue_invoice")]
    assert kinds == [("overdue_invoice", f"{one_invoice(api)['payment_due_date'][:8]}05T00:00:00Z")]


def test_every_kind_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs/user/api.md").read_text()
    section = text.split("## What will happen next")[1].split("\n## ")[0]
    known = set(re.findall(r"`([a-z]+(?:_[a-z]+)*)`", section))
    assert {kind.value for kind in KINDS} <= known
